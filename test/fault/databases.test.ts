/**
 * Databases that are damaged, lost, locked, or of another version: nothing starts, or what needs
 * them is refused; nothing is ever served as if no key had been revoked.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { openDatabase } from '../../database/open.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import type { FirstBlock } from '../../key/claims.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { mintKey } from '../../key/sign.ts'
import { parseSigningKey } from '../../key/signer.ts'
import { bytes, secondsOf, unixSeconds } from '../../key/units.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { migrations } from '../../ledger/sqlite/migrations.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { at, pattern, put, START } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { CommandLine, SIGNING_KEY } from '../unit/cli/command-line.ts'

const ANYWHERE = ['--gateway-listen', '127.0.0.1:0', '--issuer-listen', '127.0.0.1:0']
const PATH = at('there')
const CONTENT = pattern(50_000)
const REVOKED = 'revoked-key'
const PAGE = 4096

const keyOf = (claims: Partial<FirstBlock>): string => {
  const now = secondsOf(Date.now())
  const block = { jti: randomBytes(9).toString('hex'), iat: now, exp: now + 3600, path: '/' }
  return mintKey(
    { ...block, methods: ['GET', 'PUT'], ...claims },
    parseSigningKey(SIGNING_KEY),
    nodeMac,
  )
}

/** A data folder with an object and a revoked key, of which the tests take copies. */
const template = tempFolder()
beforeAll(async () => {
  const instance = Instance.start(join(template.path, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(template.path, 'ledger.db'), instance })
  // enough for the table to be of many pages
  const others = Array.from({ length: 2000 }, () => randomBytes(12).toString('hex'))
  await ledger.revoke(
    [...others, REVOKED].map((value) => ({ kind: 'id', value, revokedAt: START })),
  )
  await ledger.close()
  const folder = join(template.path, 'store')
  const options = { folder, instance, now: () => START, reserve: bytes(0) }
  const store = await DiskStore.open(options)
  for (let n = 0; n < 20; n += 1) await put(store, at(`other-${n}`), pattern(5000, n + 1))
  await put(store, PATH, CONTENT)
  await store.close()
  instance.close()
})
afterAll(() => template.remove())

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
  cpSync(template.path, join(line.folder, 'data'), { recursive: true })
})
afterEach(() => line.remove())

type Which = 'ledger' | 'index'
const fileOf = (which: Which): string =>
  join(line.folder, 'data', which === 'ledger' ? 'ledger.db' : 'store/index.db')

/** A serve in this process; undefined where it does not start. */
async function serving(): Promise<Serving | undefined> {
  const env = { VALETKEY_SIGNING_KEY: SIGNING_KEY, VALETKEY_STORE_RESERVE: '0' }
  const shell = line.shell({ env })
  const ended = line.runIn(shell, ['serve', ...ANYWHERE, '--json'])
  const started = shell.stdout.matching(/^\}\n$/m)
  const code = await Promise.race([started.then(() => undefined), ended])
  if (code !== undefined) {
    expect(code).toBe(1)
    return undefined
  }
  const { gateway } = JSON.parse(shell.stdout.text) as { gateway: string }
  return {
    get: (claims = {}) => ask(`${gateway}/${PATH}?vk=${keyOf(claims)}`),
    ready: () => ask(`${gateway}/-/ready`),
    stop: async () => {
      line.signals.emit('SIGTERM', 'SIGTERM')
      await ended
    },
  }
}

interface Serving {
  readonly get: (claims?: Partial<FirstBlock>) => ReturnType<typeof ask>
  readonly ready: () => ReturnType<typeof ask>
  readonly stop: () => Promise<void>
}

/** Noise over all pages but the first, the same each time: of any, some would pass for a page. */
function spoil(file: string): void {
  const { size } = statSync(file)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, pattern(size - PAGE), 0, size - PAGE, PAGE)
  closeSync(descriptor)
}

const inDatabase = (file: string, sql: string): void => {
  const db = new SqliteDatabase(file)
  db.exec(sql)
  db.close()
}

describe.each(['ledger', 'index'] as const)('without its %s as it was, nothing starts', (which) => {
  it.each<[string, (file: string) => void, RegExp]>([
    ['missing', (file) => rmSync(file), /is missing.*restore the newest backup/],
    ['empty', (file) => truncateSync(file), /is empty.*restore the newest backup/],
    ['replaced by a new one', (file) => anew(file), /is empty.*restore the newest backup/],
    [
      'no database',
      (file) => writeFileSync(file, 'not a database '.repeat(1000)),
      /not a database.*restore the newest backup/,
    ],
    [
      'of a newer version',
      (file) => inDatabase(file, 'PRAGMA user_version = 99'),
      /has schema 99.*written by a newer valetkey; use that version/,
    ],
  ])('%s', async (_, damage, advice) => {
    damage(fileOf(which))
    const { code, stdout, stderr } = await line.run(['serve', ...ANYWHERE])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(fileOf(which))
    expect(stderr).toMatch(advice)
    // nor is it made anew by another command
    expect((await line.run(['revoke', 'some-key'])).code).toBe(which === 'ledger' ? 1 : 0)
  })

  it('but does when somebody says to go on without', async () => {
    rmSync(fileOf(which))
    const [, mark = ''] = /remove (\S+) as well/.exec((await line.run(['serve'])).stderr) ?? []
    rmSync(mark)
    const gateway = await serving()
    expect((await gateway?.ready())?.status).toBe(200)
    await gateway?.stop()
  })
})

function anew(file: string): void {
  rmSync(file)
  inDatabase(file, 'CREATE TABLE something_else (x)')
}

describe('a damaged ledger', () => {
  it.each<[string, (file: string) => void]>([
    ['spoiled', spoil],
    ['cut short', (file) => truncateSync(file, 3 * PAGE)],
  ])('that is %s lets nobody in', async (_, damage) => {
    damage(fileOf('ledger'))
    const gateway = await serving()
    if (gateway === undefined) return
    try {
      expect((await gateway.get({ jti: REVOKED })).status).toBe(503)
      expect((await gateway.get()).status).toBe(503)
    } finally {
      await gateway.stop()
    }
  })
})

describe('a damaged index', () => {
  it.each<[string, (file: string) => void]>([
    ['spoiled', spoil],
    ['cut short', (file) => truncateSync(file, 3 * PAGE)],
  ])('that is %s serves nothing as if it were good', async (_, damage) => {
    damage(fileOf('index'))
    const gateway = await serving()
    if (gateway === undefined) return
    try {
      expect((await gateway.get()).status).toBe(503)
      expect((await gateway.get({ jti: REVOKED })).code).toBe('key_revoked')
    } finally {
      await gateway.stop()
    }
  })
})

describe('a database', () => {
  it('of the first version is brought forward, with what was revoked', async () => {
    const file = fileOf('ledger')
    rmSync(file)
    const db = openDatabase(join(line.folder, 'first.db'), migrations.slice(0, 1))
    db.prepare("INSERT INTO revocations VALUES ('id', ?, NULL, 1, NULL, NULL)").run(REVOKED)
    db.close()
    renameSync(join(line.folder, 'first.db'), file)
    const gateway = await serving()
    expect((await gateway?.get())?.status).toBe(200)
    expect((await gateway?.get({ jti: REVOKED }))?.code).toBe('key_revoked')
    await gateway?.stop()
  })

  it('that this user may not write is refused, and it is said so', () => {
    const file = fileOf('ledger')
    const { path, remove } = tempFolder()
    const copy = join(path, 'ledger.db')
    cpSync(file, copy)
    chmodSync(copy, 0o444)
    chmodSync(path, 0o755)
    const isRoot = process.getuid?.() === 0
    if (isRoot) {
      // root may write to everything, and becomes somebody else for as long
      chownSync(path, NOBODY, NOBODY)
      process.seteuid?.(NOBODY)
    }
    try {
      expect(() => openDatabase(copy, migrations)).toThrow(
        /ledger\.db: .*readonly.*Check that .* this user may write to it/,
      )
    } finally {
      if (isRoot) process.seteuid?.(0)
      remove()
    }
  })

  it('that another program holds is waited for a while; then nothing starts', async () => {
    const other = new CommandLine()
    cpSync(template.path, join(other.folder, 'data'), { recursive: true })
    const files = [fileOf('ledger'), join(other.folder, 'data/store/index.db')]
    const holders = files.map(held)
    const runs = [line, other].map((each) => each.run(['serve', ...ANYWHERE]))
    for (const [n, { code, stderr }] of (await Promise.all(runs)).entries()) {
      expect(code).toBe(1)
      expect(stderr).toContain(files[n])
      expect(stderr).toMatch(/Another program holds the database: end it, or wait/)
    }
    for (const holder of holders) holder.close()
    other.remove()
  })
})

const NOBODY = 65_534

function held(file: string): SqliteDatabase.Database {
  const db = new SqliteDatabase(file)
  db.pragma('locking_mode = EXCLUSIVE')
  db.exec('BEGIN EXCLUSIVE')
  return db
}

describe('while the gateway runs', () => {
  let house: House
  let key: string
  beforeEach(async () => {
    house = await openHouse()
    key = house.mint({ methods: ['GET', 'PUT', 'DELETE'] })
    expect((await upload('before')).status).toBe(201)
  })
  afterEach(() => house.close())

  const upload = (content: string) =>
    ask(house.url('bucket/object', key), { method: 'PUT', body: content })
  const troubles = async () => {
    const answer = await ask(`${house.gateway.url}/-/ready`)
    return `${answer.status} ${answer.text()}`
  }

  it.each<[string, (file: string) => void]>([
    ['removed', (file) => rmSync(file)],
    ['replaced', (file) => anew(file)],
  ])('a ledger that is %s closes it', async (_, change) => {
    change(join(house.folder, 'ledger.db'))
    // what is acknowledged from now on would be gone with the process
    const revocation = { kind: 'id', value: 'x', revokedAt: unixSeconds(1) } as const
    await expect(house.ledger.revoke([revocation])).rejects.toThrow(/restore the newest backup/)
    expect((await ask(house.url('bucket/object', key))).status).toBe(503)
    expect((await upload('after')).status).toBe(503)
    expect(await troubles()).toMatch(/^503 .*ledger\.db was re.*restore the newest backup/s)
  })

  it('an index that is removed takes nothing more, and what it knew is served', async () => {
    rmSync(join(house.folder, 'store', 'index.db'))
    expect((await upload('after')).status).toBe(503)
    expect((await ask(house.url('bucket/object', key), { method: 'DELETE' })).status).toBe(503)
    expect((await ask(house.url('bucket/object', key))).text()).toBe('before')
    expect(await troubles()).toMatch(/^503 .*index\.db was removed.*restore the newest backup/s)
  })

  it('a ledger that another program holds delays what is written, not what is read', async () => {
    const holder = new SqliteDatabase(join(house.folder, 'ledger.db'))
    holder.exec('BEGIN IMMEDIATE')
    let isRevoked = false
    const revoking = house.ledger
      .revoke([{ kind: 'id', value: 'later', revokedAt: unixSeconds(1) }])
      .then(() => {
        isRevoked = true
      })
    expect((await ask(house.url('bucket/object', key))).text()).toBe('before')
    expect(isRevoked).toBe(false)
    holder.close()
    await revoking
    expect((await ask(house.url('bucket/object', house.mint({ jti: 'later' })))).status).toBe(403)
  })
})
