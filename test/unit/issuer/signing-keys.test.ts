import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OptionsError } from '../../../issuer/options.ts'
import {
  createS3Key,
  ensureSigningKey,
  exportSigningKey,
  importSigningKey,
  retire,
  revokeSigningKey,
  rotate,
  type SigningKeysContext,
} from '../../../issuer/signing-keys.ts'
import { formatSigningKey } from '../../../key/signer.ts'
import type { Seconds, UnixSeconds } from '../../../key/units.ts'
import { writeSigningKey } from '../../../ledger/key-files.ts'
import { Keyring } from '../../../ledger/keyring.ts'
import { IdTaken } from '../../../ledger/ledger.ts'
import { MemoryLedger } from '../../../ledger/memory/ledger.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const NOW = 1_780_000_000 as UnixSeconds
const HOUR = 3600 as Seconds

describe('signing keys', () => {
  let temp: ReturnType<typeof tempFolder>
  let context: SigningKeysContext
  const opened = async (): Promise<SigningKeysContext> => {
    const ledger = new MemoryLedger()
    const secretsFolder = join(temp.path, 'secrets')
    const keyring = await Keyring.open({ folder: secretsFolder, ledger })
    return { ledger, keyring, secretsFolder, now: NOW }
  }
  beforeEach(async () => {
    temp = tempFolder()
    context = await opened()
  })
  afterEach(() => temp.remove())

  const statuses = () =>
    Object.fromEntries(context.keyring.records().map(({ kid, status }) => [kid, status]))

  it('are made where there is none, once', async () => {
    const { kid } = await ensureSigningKey(context)
    expect(await ensureSigningKey(context)).toMatchObject({ kid })
    expect(readdirSync(context.secretsFolder)).toEqual([`${kid}.key`])
    expect(await context.ledger.signingKeys()).toEqual([
      { kid, kind: 'native', status: 'active', createdAt: NOW },
    ])
  })

  it('rotate: the new one mints, the former verifies until its grace ends', async () => {
    const { kid: former } = await ensureSigningKey(context)
    const { kid } = await rotate(context, HOUR)
    expect(context.keyring.active().kid).toBe(kid)
    expect(statuses()).toEqual({ [former]: 'retiring', [kid]: 'active' })
    expect(context.keyring.signer(former)?.graceEnds).toBe(NOW + 3600)
  })

  it('rotate past keys with a ceiling: those are for others to mint with', async () => {
    const key = { kid: 'tenant', secret: randomBytes(32) }
    await writeSigningKey(context.secretsFolder, key)
    const ceiling = { path: 'tenants/a/' }
    const record = { kid: 'tenant', kind: 'native', status: 'active', createdAt: NOW } as const
    await context.ledger.addSigningKey({ ...record, ceiling })
    await ensureSigningKey(context)
    await rotate(context, HOUR)
    expect(statuses()).toHaveProperty('tenant', 'active')
  })

  it('for S3 clients mint nothing, and are not rotated with those that do', async () => {
    const options = { path: 'tenants/a/', overwrite: false }
    const { accessKeyId, secretAccessKey, record } = await createS3Key(options, context)
    expect(accessKeyId).toMatch(/^VK[A-Z2-7]{18}$/)
    expect(record).toEqual({
      kid: accessKeyId,
      kind: 's3',
      status: 'active',
      createdAt: NOW,
      ceiling: { path: 'tenants/a/', create: true },
    })
    expect(await context.ledger.signingKeys()).toEqual([record])
    expect(await exportSigningKey(accessKeyId, context)).toBe(
      `vk1sk.${accessKeyId}.${secretAccessKey}`,
    )
    const { kid } = await ensureSigningKey(context)
    expect(kid).not.toBe(accessKeyId)
    await rotate(context, HOUR)
    expect(statuses()).toMatchObject({ [accessKeyId]: 'active', [kid]: 'retiring' })
    await retire(accessKeyId, context, HOUR)
    expect(statuses()).toMatchObject({ [accessKeyId]: 'retiring' })
  })

  it('for S3 clients have no ceiling where nothing is stated, an id where uses are counted', async () => {
    const { record } = await createS3Key({}, context)
    expect(record).not.toHaveProperty('ceiling')
    const { record: counted } = await createS3Key({ uses: 2 }, context)
    expect(counted.ceiling).toEqual({ uses: 2, jti: expect.any(String) })
    await expect(createS3Key({ path: '/bucket/' }, context)).rejects.toThrow(OptionsError)
    expect(readdirSync(context.secretsFolder)).toHaveLength(2)
  })

  it('retire, but not the only one that mints', async () => {
    const { kid } = await ensureSigningKey(context)
    await expect(retire(kid, context, HOUR)).rejects.toMatchObject({ code: 'conflict' })
    await importSigningKey(formatSigningKey({ kid: 'other', secret: randomBytes(32) }), context)
    expect(await retire(kid, context, HOUR)).toMatchObject({ kid, status: 'retiring' })
    expect(context.keyring.active().kid).toBe('other')
  })

  it('are revoked for good, and a new one takes the place of the last', async () => {
    const { kid } = await ensureSigningKey(context)
    const text = await exportSigningKey(kid, context)
    expect(await revokeSigningKey(kid, context)).toMatchObject({ kid, status: 'revoked' })
    expect(context.keyring.active().kid).not.toBe(kid)
    await expect(retire(kid, context, HOUR)).rejects.toMatchObject({ code: 'conflict' })
    await expect(importSigningKey(text, context)).rejects.toThrow(IdTaken)
  })

  it('that were put there by hand get their record when it matters', async () => {
    await writeSigningKey(context.secretsFolder, { kid: 'by-hand', secret: randomBytes(32) })
    await context.keyring.reload()
    expect(await revokeSigningKey('by-hand', context)).toMatchObject({ status: 'revoked' })
    const [record] = await context.ledger.signingKeys()
    expect(record).toEqual({ kid: 'by-hand', kind: 'native', status: 'revoked', createdAt: NOW })
  })

  it('are carried elsewhere, and a lost secret is put back', async () => {
    const { kid } = await ensureSigningKey(context)
    const text = await exportSigningKey(kid, context)
    expect(text).toMatch(new RegExp(`^vk1sk\\.${kid}\\.`))
    await expect(importSigningKey(text, context)).rejects.toThrow(IdTaken)
    rmSync(join(context.secretsFolder, `${kid}.key`))
    await context.keyring.reload()
    await expect(exportSigningKey(kid, context)).rejects.toMatchObject({
      code: 'resource_not_found',
    })
    expect(await importSigningKey(text, context)).toBe(kid)
    expect(context.keyring.active().kid).toBe(kid)
  })

  it('that everybody knows are not taken', async () => {
    const example = `vk1sk.example.${Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64url')}`
    await expect(importSigningKey(example, context)).rejects.toThrow(/example/)
    await expect(importSigningKey('vk1sk.short.abc', context)).rejects.toThrow(TypeError)
    expect(readdirSync(context.secretsFolder)).toEqual([])
  })

  it('that do not exist are named as such', async () => {
    const { kid } = await ensureSigningKey(context)
    for (const work of [retire('nobody', context, HOUR), revokeSigningKey('nobody', context)]) {
      await expect(work).rejects.toMatchObject({
        code: 'resource_not_found',
        detail: expect.stringContaining(kid),
      })
    }
  })
})
