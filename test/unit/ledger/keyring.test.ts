import { createHash, createHmac, randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatSigningKey, type SigningKey } from '../../../key/signer.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import {
  PUBLISHED_EXAMPLE_SECRETS,
  SigningKeyError,
  writeSigningKey,
} from '../../../ledger/key-files.ts'
import { Keyring } from '../../../ledger/keyring.ts'
import { IdTaken, type SigningKeyRecord } from '../../../ledger/ledger.ts'
import { MemoryLedger } from '../../../ledger/memory/ledger.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let temp: ReturnType<typeof tempFolder>
let folder: string
let ledger: MemoryLedger
beforeEach(() => {
  temp = tempFolder()
  folder = join(temp.path, 'secrets', 'signing-keys')
  ledger = new MemoryLedger()
})
afterEach(() => temp.remove())

const newKey = (kid: string): SigningKey => ({
  kid,
  secret: new Uint8Array(createHash('sha256').update(`secret of ${kid}`).digest()),
})
const record = (kid: string, over: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
  kid,
  kind: 'native',
  status: 'active',
  createdAt: 1000 as UnixSeconds,
  ...over,
})
const fileOf = (kid: string): string => join(folder, `${kid}.key`)
const open = (extra: readonly SigningKey[] = []) => Keyring.open({ folder, ledger, extra })

/** A key with its file and its record. */
async function add(kid: string, over: Partial<SigningKeyRecord> = {}): Promise<SigningKey> {
  const key = newKey(kid)
  await writeSigningKey(folder, key)
  await ledger.addSigningKey(record(kid, over))
  return key
}

describe('a key file', () => {
  test('is one line, for its owner only, and nothing else is left', async () => {
    await writeSigningKey(folder, newKey('k1'))
    expect(readFileSync(fileOf('k1'), 'utf8')).toBe(`${formatSigningKey(newKey('k1'))}\n`)
    expect(statSync(fileOf('k1')).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder)).toEqual(['k1.key'])
  })

  test('is never overwritten', async () => {
    await writeSigningKey(folder, newKey('k1'))
    const other = { kid: 'k1', secret: randomBytes(32) }
    await expect(writeSigningKey(folder, other)).rejects.toThrow(IdTaken)
    expect(readFileSync(fileOf('k1'), 'utf8')).toBe(`${formatSigningKey(newKey('k1'))}\n`)
    expect(readdirSync(folder)).toEqual(['k1.key'])
  })

  test.each(['../k1', 'a/b', '', 'a b'])('is not written for the kid "%s"', async (kid) => {
    await expect(writeSigningKey(folder, { ...newKey('k1'), kid })).rejects.toThrow(TypeError)
    expect(readdirSync(temp.path)).toEqual([])
  })

  test.each([
    ['a published example', Buffer.from(PUBLISHED_EXAMPLE_SECRETS[0] ?? '', 'hex')],
    ['not 32 random bytes', Buffer.alloc(32, 7)],
  ])('is not written where the secret is %s', async (why, secret) => {
    await expect(writeSigningKey(folder, { kid: 'k1', secret })).rejects.toThrow(why)
  })
})

describe('opening refuses', () => {
  beforeEach(() => writeSigningKey(folder, newKey('k1')))

  test.each([0o640, 0o604, 0o620, 0o777])('a file of mode %o', async (mode) => {
    chmodSync(fileOf('k1'), mode)
    const attempt = open()
    await expect(attempt).rejects.toThrow(SigningKeyError)
    await expect(attempt).rejects.toThrow(`has mode ${mode.toString(8)}`)
    await expect(attempt).rejects.toThrow(`chmod 600 ${fileOf('k1')}`)
  })

  test.each([0o755, 0o730])('a folder of mode %o', async (mode) => {
    chmodSync(folder, mode)
    await expect(open()).rejects.toThrow(`chmod 700 ${folder}`)
  })

  const replace = (text: string) => writeFileSync(fileOf('k1'), text, { mode: 0o600 })

  test('a file named for another key', async () => {
    replace(formatSigningKey(newKey('k2')))
    await expect(open()).rejects.toThrow('holds the signing key "k2": name the file k2.key')
  })

  test.each(PUBLISHED_EXAMPLE_SECRETS)('the published secret %s', async (hex) => {
    replace(formatSigningKey({ kid: 'k1', secret: Buffer.from(hex, 'hex') }))
    await expect(open()).rejects.toThrow(/k1\.key: this secret is a published example/)
  })

  test('a secret that is not random', async () => {
    replace(formatSigningKey({ kid: 'k1', secret: Buffer.alloc(32) }))
    await expect(open()).rejects.toThrow(/k1\.key: this secret is not 32 random bytes/)
  })

  test.each(['', 'vk1sk.k1.short', `${'A'.repeat(43)}`])(
    'the text "%s", without repeating it',
    async (text) => {
      replace(text)
      const message = await open().then(
        () => 'opened',
        (error: Error) => error.message,
      )
      expect(message).toMatch(/k1\.key holds no signing key/)
      if (text !== '') expect(message).not.toContain(text)
    },
  )

  test('a folder in the place of a file', async () => {
    rmSync(fileOf('k1'))
    mkdirSync(fileOf('k1'), { mode: 0o700 })
    await expect(open()).rejects.toThrow('is not a file: remove it')
  })

  test('a published secret in the environment', async () => {
    const secret = Buffer.from(PUBLISHED_EXAMPLE_SECRETS[0] ?? '', 'hex')
    await expect(open([{ kid: 'env', secret }])).rejects.toThrow(/"env" of the environment/)
  })

  test('but not files of other names', async () => {
    writeFileSync(join(folder, '.0123.new'), 'half a k', { mode: 0o600 })
    writeFileSync(join(folder, 'README'), 'hello', { mode: 0o644 })
    expect((await open()).records().map(({ kid }) => kid)).toEqual(['k1'])
  })
})

describe('signers', () => {
  test('begin a chain as the format says, and carry status, grace and ceiling', async () => {
    const ceiling = { path: 'tenants/a/' }
    const graceEnds = 2000 as UnixSeconds
    const { secret } = await add('k1', { status: 'retiring', graceEnds, ceiling })
    const signer = (await open()).signer('k1')
    expect(signer).toMatchObject({ kid: 'k1', status: 'retiring', graceEnds, ceiling })
    const derived = createHmac('sha256', secret).update('vk1').digest()
    const expected = createHmac('sha256', derived).update('block').digest()
    expect(Buffer.from(signer?.begin('block') ?? [])).toEqual(expected)
  })

  test('are active without a record, and unknown without a file', async () => {
    await writeSigningKey(folder, newKey('by-hand'))
    await ledger.addSigningKey(record('lost'))
    const keyring = await open()
    expect(keyring.signer('by-hand')?.status).toBe('active')
    expect(keyring.signer('lost')).toBeUndefined()
    expect(keyring.signer('never')).toBeUndefined()
    expect(keyring.records()).toEqual([
      { kid: 'by-hand', kind: 'native', status: 'active', secret: 'file' },
      { ...record('lost'), secret: 'missing' },
    ])
  })

  test('of S3 credentials sign by themselves, native ones by session tokens alone', async () => {
    const id = 'VKABCDEFGHIJKLMNOPQR'
    const { secret } = await add(id, { kind: 's3', ceiling: { path: 'a/b' } })
    await add('k1')
    const keyring = await open()
    expect(keyring.active().kid).toBe('k1')
    const text = Buffer.from(secret).toString('base64url')
    const expected = createHmac('sha256', `AWS4${text}`).update('20270101').digest()
    const found = keyring.sigV4Signer(id)
    expect(found?.signer).toBe(keyring.signer(id))
    expect(found?.dateKey?.('20270101')).toEqual(expected)
    expect(keyring.sigV4Signer('k1')).toEqual({
      signer: keyring.signer('k1'),
      sessionDateKey: expect.any(Function),
    })
    const derived = createHmac('sha256', secret).update('vk1-sigv4').digest()
    const session = createHmac('sha256', derived).update('vk1.token').digest('base64url')
    expect(found?.sessionDateKey('vk1.token')('20270101')).toEqual(
      createHmac('sha256', `AWS4${session}`).update('20270101').digest(),
    )
    expect(keyring.sigV4Signer('never')).toBeUndefined()
  })

  test('of S3 credentials without a record are known by their ids', async () => {
    await writeSigningKey(folder, newKey('VKABCDEFGHIJKLMNOPQR'))
    const keyring = await open()
    expect(keyring.sigV4Signer('VKABCDEFGHIJKLMNOPQR')?.dateKey).toBeDefined()
    expect(() => keyring.active()).toThrow(SigningKeyError)
  })

  test('of the environment need no record, but obey one', async () => {
    const keyring = await open([newKey('env')])
    expect(keyring.signer('env')?.status).toBe('active')
    await ledger.addSigningKey(record('env'))
    await ledger.setSigningKeyStatus('env', 'revoked')
    await keyring.refresh()
    expect(keyring.signer('env')?.status).toBe('revoked')
    expect(() => keyring.active()).toThrow(SigningKeyError)
  })

  test('follow the ledger when refreshed, and the epoch says that they changed', async () => {
    await add('k1')
    const keyring = await open()
    const { epoch } = keyring
    await ledger.setSigningKeyStatus('k1', 'revoked')
    await keyring.refresh()
    expect(keyring.signer('k1')?.status).toBe('revoked')
    expect(keyring.epoch).not.toBe(epoch)
  })

  test('appear with their file when the ledger has moved, and go with it', async () => {
    const keyring = await open()
    await add('k1')
    expect(keyring.signer('k1')).toBeUndefined()
    await keyring.refresh()
    expect(keyring.signer('k1')).toBeDefined()
    rmSync(fileOf('k1'))
    await keyring.reload()
    expect(keyring.signer('k1')).toBeUndefined()
  })

  test('stay the same, epoch included, while only revocations of keys move the ledger', async () => {
    await add('k1')
    const keyring = await open()
    const { epoch } = keyring
    const before = keyring.signer('k1')
    await ledger.revoke([{ kind: 'id', value: 'x', revokedAt: 1000 as UnixSeconds }])
    await keyring.refresh()
    expect(keyring.epoch).toBe(epoch)
    expect(keyring.signer('k1')).toBe(before)
  })

  test('a bad file that appears while we run is left out and named; the others go on', async () => {
    await add('k1')
    const keyring = await open()
    await add('k2')
    chmodSync(fileOf('k2'), 0o644)
    await keyring.refresh()
    expect(keyring.signer('k1')).toBeDefined()
    expect(keyring.signer('k2')).toBeUndefined()
    expect(keyring.problems().map(({ message }) => message)).toEqual([
      expect.stringContaining('chmod 600'),
    ])
    chmodSync(fileOf('k2'), 0o600)
    await keyring.reload()
    expect(keyring.signer('k2')).toBeDefined()
    expect(keyring.problems()).toEqual([])
  })

  test('are not taken for current when the ledger can not be read', async () => {
    await add('k1')
    let failing = false
    const flaky = {
      version: () => ledger.version(),
      signingKeys: () => {
        if (failing) throw new Error('unreadable')
        return ledger.signingKeys()
      },
    }
    const keyring = await Keyring.open({ folder, ledger: flaky })
    await ledger.setSigningKeyStatus('k1', 'revoked')
    failing = true
    expect(() => keyring.refresh()).toThrow('unreadable')
    expect(() => keyring.refresh()).toThrow('unreadable')
    failing = false
    await keyring.refresh()
    expect(keyring.signer('k1')?.status).toBe('revoked')
  })

  test('come from a ledger that answers later, too', async () => {
    await add('k1')
    const remote = {
      version: () => ledger.version(),
      signingKeys: async () => ledger.signingKeys(),
    }
    const keyring = await Keyring.open({ folder, ledger: remote })
    expect(keyring.signer('k1')).toBeDefined()
  })
})

describe('minting uses', () => {
  test('the newest active key that no ceiling confines', async () => {
    await writeSigningKey(folder, newKey('by-hand'))
    const old = await add('old')
    const fresh = await add('fresh', { createdAt: 2000 as UnixSeconds })
    const newer = 3000 as UnixSeconds
    await add('retiring', { createdAt: newer, status: 'retiring' })
    await add('tenant', { createdAt: newer, ceiling: { path: 'tenants/a/' } })
    await ledger.addSigningKey(record('lost', { createdAt: newer }))
    const keyring = await open()
    expect(keyring.active()).toEqual(fresh)
    await ledger.setSigningKeyStatus('fresh', 'retiring')
    await keyring.refresh()
    expect(keyring.active()).toEqual(old)
    expect(keyring.secretOf('fresh')).toEqual(fresh)
  })

  test('the key of the environment where there is one', async () => {
    await add('k1')
    expect((await open([newKey('env')])).active()).toEqual(newKey('env'))
  })

  test('nothing where there is none, and says what to do', async () => {
    const keyring = await open()
    expect(() => keyring.active()).toThrow(/no active signing key in .*valetkey keys rotate/)
  })
})
