/** What a ledger in SQLite promises beyond one process: several at once, and ones that are killed. */
import { once } from 'node:events'
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { openDatabase } from '../../database/open.ts'
import { prepareJobs } from '../../ledger/sqlite/jobs.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { migrations } from '../../ledger/sqlite/migrations.ts'
import {
  type LedgerProcess,
  openIn,
  runTrials,
  startLedgerProcess,
  type Trial,
} from '../support/ledger-process.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { deed, download, granted, issuedKey, NOW, target } from './ledger-contract.ts'

/** More by hand: TRIALS=100000. */
const TRIALS = Number(process.env.TRIALS ?? 4000)

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)

let folder: ReturnType<typeof tempFolder>
let ends: (() => unknown)[]

beforeEach(() => {
  folder = tempFolder()
  ends = []
})

afterEach(async () => {
  for (const end of ends.reverse()) await end()
  folder.remove()
})

async function here(): Promise<Awaited<ReturnType<typeof openIn>>> {
  const opened = await openIn(folder.path)
  ends.push(async () => {
    await opened.ledger.close()
    opened.instance.close()
  })
  return opened
}

async function there(): Promise<LedgerProcess> {
  const child = await startLedgerProcess(folder.path)
  ends.push(child.kill)
  return child
}

describe('several processes', () => {
  test('may start at once on a folder without a ledger', async () => {
    const [{ ledger }, first, second] = await Promise.all([here(), there(), there()])
    const revoked = { kind: 'id', revokedAt: NOW } as const
    await Promise.all([
      first.revoke([{ ...revoked, value: 'a' }]),
      second.revoke([{ ...revoked, value: 'b' }]),
    ])
    expect(ledger.revocations(9)).toHaveLength(2)
  })

  test('200 parallel uses of a key for one, from two processes, give one', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    const requests = Array.from({ length: 100 }, (_, n) => download({ address: `10.0.0.${n}` }))
    const [ours, theirs] = await Promise.all([
      Promise.all(requests.map((request) => ledger.lease(request))),
      other.lease(requests.map((request) => ({ ...request, address: `x${request.address}` }))),
    ])
    expect([...ours, ...theirs].filter((outcome) => outcome.granted)).toHaveLength(1)
    expect(ledger.usesOf('key-1')).toBe(1)
  })

  test('what may be moved is moved to the last byte by thousands from both, and not one more', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    const most = TRIALS * 4
    const trial = (need: number, used: number): Trial => {
      const of = [{ id: 'bytes:key-1', most }]
      return { request: { of, least: need, want: need, now: NOW }, used }
    }
    // every second one breaks off somewhere, and what it gives back is there for the others
    const trials = Array.from({ length: TRIALS / 2 }, (_, n) =>
      trial(10, n % 2 === 0 ? 10 : n % 10),
    )
    const used = (await Promise.all([runTrials(ledger, trials), other.take(trials)])).flat()
    expect(await ledger.takenOf('bytes:key-1')).toBe(sumOf(used))
    expect(sumOf(used)).toBeLessThanOrEqual(most)
    const left = most - sumOf(used)
    const rest = Array.from({ length: left + 50 }, () => trial(1, 1))
    expect(sumOf(await runTrials(ledger, rest))).toBe(left)
    expect(await ledger.takenOf('bytes:key-1')).toBe(most)
  })

  test('a transfer that runs in one is refused in the other', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    await other.lease([download()])
    expect(await ledger.lease(download())).toMatchObject({ granted: false, reason: 'running' })
  })

  test('a revocation is seen by the others, and moves their version, when it is acknowledged', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    const before = ledger.version()
    expect(ledger.revocationOf(target())).toBeUndefined()
    await other.revoke([{ kind: 'subject', value: 'ann', revokedAt: NOW, mintedUpTo: NOW }])
    expect(ledger.version()).not.toBe(before)
    expect(ledger.revocationOf(target())).toMatchObject({ kind: 'subject', value: 'ann' })
  })
})

test('a revocation of another process is seen by what comes from the next look for I/O on', async () => {
  const { ledger } = await here()
  const db = openDatabase(join(folder.path, 'ledger.db'), migrations)
  ends.push(() => db.close())
  const { revoke } = prepareJobs(db)
  const { port1, port2 } = new MessageChannel()
  const request = once(port1, 'message')
  await endOfTurn()
  expect(ledger.revocationOf(target())).toBeUndefined()
  revoke([{ kind: 'subject', value: 'ann', revokedAt: NOW, mintedUpTo: NOW }])
  port2.postMessage('')
  await request
  port1.close()
  expect(ledger.revocationOf(target())).toMatchObject({ kind: 'subject', value: 'ann' })
})

test('keys are counted little by little, so that nobody waits for a million of them', async () => {
  const { ledger } = await here()
  await ledger.recordIssued(Array.from({ length: 5000 }, (_, n) => issuedKey(`n${n}`)))
  let turns = 0
  const turn = (): void => {
    turns += 1
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  const counts = await ledger.issuedByKid(NOW)
  clearImmediate(next)
  expect(counts).toEqual([{ kid: 'k1', issued: 5000, live: 5000 }])
  expect(turns).toBeGreaterThan(1)
})

describe('a process that is killed', () => {
  test('leaves a broken transfer, all of whose range counts as sent', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    await other.lease([download()])
    await other.kill()
    await ledger.settle(await granted(ledger, download()), 99)
    expect(ledger.usesOf('key-1')).toBe(1)
    expect(await ledger.lease(download({}, [0, 2, 100]))).toMatchObject({ reason: 'overrun' })
    expect(await ledger.lease(download({}, [99, 100, 100]))).toMatchObject({ granted: true })
  })

  test('in the middle of an upload leaves a retry that is free', async () => {
    const [{ ledger }, other] = await Promise.all([here(), there()])
    await other.lease([deed()])
    expect(await ledger.lease(deed())).toMatchObject({ reason: 'running' })
    await other.kill()
    await ledger.settle(await granted(ledger, deed()), 1)
    expect(ledger.usesOf('key-1')).toBe(1)
    expect(await ledger.lease(deed())).toMatchObject({ reason: 'exhausted' })
  })

  test('does not keep others waiting where several ids were held by several of them', async () => {
    const { ledger } = await here()
    const counted = ['a', 'b', 'c'].map((id) => ({ id, most: 1 }))
    for (const one of counted) {
      const other = await there()
      await other.lease([download({ counted: [one] })])
      await other.kill()
    }
    expect(await ledger.lease(download({ counted }))).toMatchObject({ granted: true })
  })

  test('loses no revocation that was acknowledged', async () => {
    const other = await there()
    const values = Array.from({ length: 50 }, (_, n) => `key-${n}`)
    for (const value of values) await other.revoke([{ kind: 'id', value, revokedAt: NOW }])
    await other.kill()
    const { ledger } = await here()
    for (const id of values) expect(ledger.revocationOf(target({ ids: [id] }))).toBeDefined()
  })
})

describe('the file', () => {
  const file = () => join(folder.path, 'ledger.db')

  test('and all that belongs to it is for its owner only', async () => {
    const { ledger } = await here()
    await ledger.recordIssued([issuedKey('a')])
    const modes = readdirSync(folder.path)
      .filter((name) => name.startsWith('ledger.db'))
      .map((name) => [name, statSync(join(folder.path, name)).mode & 0o777])
    expect(modes).toEqual([
      ['ledger.db', 0o600],
      ['ledger.db-shm', 0o600],
      ['ledger.db-wal', 0o600],
    ])
  })

  test('of a newer program is refused, and left as it is', async () => {
    const db = openDatabase(file(), migrations)
    db.pragma(`user_version = ${migrations.length + 1}`)
    db.close()
    await expect(here()).rejects.toThrow(/was written by a newer valetkey/)
    const after = new SqliteDatabase(file(), { readonly: true })
    expect(after.pragma('user_version', { simple: true })).toBe(migrations.length + 1)
    after.close()
  })

  test('that is no database is refused, with what to do', async () => {
    writeFileSync(file(), 'not a database, but long enough to be looked at as one'.repeat(20))
    await expect(here()).rejects.toThrow(/ledger\.db: .*damaged: stop valetkey.*backup/)
  })

  test('that was cut short is refused when it is read, and not taken for empty', async () => {
    const db = openDatabase(file(), migrations)
    db.close()
    truncateSync(file(), 4096)
    await expect(here().then(({ ledger }) => ledger.revocations(1))).rejects.toThrow(/damaged/)
  })

  test('in a folder that is not there is refused, with what to do', async () => {
    const instance = Instance.start(join(folder.path, 'instances'))
    ends.push(() => instance.close())
    const missing = join(folder.path, 'missing', 'ledger.db')
    await expect(SqliteLedger.open({ file: missing, instance })).rejects.toThrow(
      /ENOENT.*Check that the folder exists/,
    )
  })
})
