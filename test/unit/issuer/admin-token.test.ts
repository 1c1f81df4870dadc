import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadAdminToken, tokenCheck } from '../../../issuer/admin-token.ts'
import { tempFolder } from '../../support/temp-folder.ts'

describe('the admin token', () => {
  let temp: ReturnType<typeof tempFolder>
  let secrets: string
  let file: string
  beforeEach(() => {
    temp = tempFolder()
    secrets = join(temp.path, 'data', 'secrets')
    file = join(secrets, 'admin-token')
  })
  afterEach(() => temp.remove())

  it('is made on first start, for its owner alone, and stays', async () => {
    const token = await loadAdminToken(secrets)
    expect(token).toMatch(/^vkadm_[A-Za-z0-9_-]{43}$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(secrets).mode & 0o777).toBe(0o700)
    expect(readFileSync(file, 'utf8')).toBe(`${token}\n`)
    expect(await loadAdminToken(secrets)).toBe(token)
    expect(readdirSync(secrets)).toEqual(['admin-token'])
  })

  it('is one, however many start at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => loadAdminToken(secrets)))
    expect(new Set(tokens).size).toBe(1)
    expect(readdirSync(secrets)).toEqual(['admin-token'])
  })

  it.each([0o640, 0o604, 0o620])('is refused with mode %o, with what to do', async (mode) => {
    await loadAdminToken(secrets)
    chmodSync(file, mode)
    await expect(loadAdminToken(secrets)).rejects.toThrow(/chmod 600/)
  })

  it.each([
    ['empty', ''],
    ['short', 'vkadm_abc'],
    ['an example', `vkadm_${'A'.repeat(43)}`],
    ['two', `vkadm_${'x'.repeat(43)}\nvkadm_${'y'.repeat(43)}`],
  ])('is refused where the file is %s', async (_, text) => {
    mkdirSync(secrets, { recursive: true })
    writeFileSync(file, text, { mode: 0o600 })
    const refusal = await loadAdminToken(secrets).catch((error: Error) => error.message)
    expect(refusal).toMatch(/delete it, and a new one is made/)
    if (text.length > 10) expect(refusal).not.toContain(text)
  })

  it('is not read through a symbolic link', async () => {
    mkdirSync(secrets, { recursive: true })
    writeFileSync(join(temp.path, 'elsewhere'), `vkadm_${'x'.repeat(43)}`, { mode: 0o600 })
    symlinkSync(join(temp.path, 'elsewhere'), file)
    await expect(loadAdminToken(secrets)).rejects.toThrow(/ELOOP/)
  })

  it('is told from everything else', async () => {
    const token = await loadAdminToken(secrets)
    const isToken = tokenCheck(token)
    expect(isToken(token)).toBe(true)
    for (const other of ['', token.slice(1), `${token} `, token.toUpperCase(), `${token}x`]) {
      expect(isToken(other)).toBe(false)
    }
  })
})
