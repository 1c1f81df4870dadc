/**
 * Times verifying in this process: LEDGER-FILE. Prints JSON, each figure the median of several
 * batches in microseconds of CPU a key, those of the garbage collector included.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Instance } from '../../database/instance.ts'
import { Gatekeeper } from '../../gateway/admit.ts'
import { type Attempt, clear } from '../../key/clear.ts'
import { beginOnNode, nodeMac } from '../../key/node-mac.ts'
import { parsePath } from '../../key/object-path.ts'
import { mintKey, narrowKey, readKey, verifyKey } from '../../key/sign.ts'
import type { Signer, SigningKey } from '../../key/signer.ts'
import { secondsOf } from '../../key/units.ts'
import { Keyring } from '../../ledger/keyring.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { median } from '../statistics.ts'

const now = secondsOf(Date.now())
const signingKey: SigningKey = { kid: 'bench', secret: randomBytes(32) }
const signer: Signer = {
  kid: signingKey.kid,
  status: 'active',
  begin: beginOnNode(signingKey.secret),
}

/** What a link to one file says. */
const key = (): string =>
  mintKey(
    {
      jti: randomBytes(12).toString('base64url'),
      iat: now,
      exp: now + 900,
      sub: 'ann@example.com',
      path: 'reports/2026/q3.pdf',
      methods: ['GET'],
    },
    signingKey,
    nodeMac,
  )

const attempt: Attempt = {
  now,
  method: 'GET',
  path: parsePath('reports/2026/q3.pdf').path,
  address: '192.0.2.1',
  tls: true,
  header: () => undefined,
}

const BATCHES = 9

/** Every key of the list is verified once a batch; the first batches only warm up. */
async function timed(keys: readonly string[], once: (key: string) => unknown): Promise<number> {
  const times: number[] = []
  for (let batch = 0; batch < BATCHES + 3; batch += 1) {
    const before = process.cpuUsage()
    for (const text of keys) {
      const result = once(text)
      if (result instanceof Promise) await result
    }
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / keys.length)
  }
  return median(times.slice(3))
}

function pure(text: string): void {
  const named = readKey(text)
  if (named.kid !== signer.kid) throw new Error('another signing key')
  const refusal = clear(verifyKey(named, signer, nodeMac), attempt)
  if (refusal !== undefined) throw refusal
}

async function withLedger(file: string): Promise<{ first: number; again: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-bench-'))
  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file, instance })
  try {
    const options = { folder: join(folder, 'secrets'), ledger, extra: [signingKey] }
    const gatekeeper = new Gatekeeper(ledger, await Keyring.open(options))
    const admit = async (text: string): Promise<void> => {
      await gatekeeper.admit(await gatekeeper.verify({ key: text }), attempt, 'bench')
    }
    await admit(key())
    await turns()
    // so many that none is remembered until its turn comes again
    const first = await timed(Array.from({ length: 25_000 }, key), admit)
    const again = await timed(Array(20_000).fill(key()), admit)
    return { first, again }
  } finally {
    await ledger.close()
    instance.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A gateway has been up for a while: what the ledger reads little by little at first is read. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) await setImmediate()
}

const keys = Array.from({ length: 10_000 }, key)
const narrowed = keys.map((text) =>
  narrowKey(narrowKey(text, { exp: now + 600 }, nodeMac), { ip: ['192.0.2.0/24'] }, nodeMac),
)
const result = {
  pure: await timed(keys, pure),
  narrowed: await timed(narrowed, pure),
  ...(await withLedger(process.argv[2] ?? '')),
}
process.stdout.write(JSON.stringify(result))
