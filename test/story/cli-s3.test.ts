/** The command line for S3 clients: access keys, and what is minted with them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CommandLine } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const linesOf = (text: string) =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
const kidOf = (url: string) => /X-Amz-Credential=(\w+)%2F/.exec(url)?.[1]

describe('keys create', () => {
  it('prints an access key, which is listed, and no more minted with than it was before', async () => {
    const printed = linesOf(
      await line.done('keys', 'create', '--kind', 's3', '--path', 'bucket/', '--method', 'GET'),
    )
    expect(printed).toEqual({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^VK[A-Z2-7]{18}$/),
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^[\w-]{43}$/),
    })
    const { keys } = await line.json<{ keys: object[] }>('keys', 'list')
    expect(keys).toMatchObject([
      {
        kid: printed.AWS_ACCESS_KEY_ID,
        kind: 's3',
        status: 'active',
        ceiling: { path: 'bucket/', methods: ['GET'] },
      },
    ])
    const { url } = await line.json<{ url: string }>('mint', 'bucket/a')
    expect(line.claimsOf(url)[0]?.kid).not.toBe(printed.AWS_ACCESS_KEY_ID)
  })

  it('says by their flags what is wrong, and makes nothing', async () => {
    const wrong = await line.run(['keys', 'create', '--kind', 's3', '--max-size', 'many'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--max-size') })
    expect((await line.run(['keys', 'create'])).code).toBe(2)
  })

  it('is retired and revoked like any signing key', async () => {
    const { AWS_ACCESS_KEY_ID: kid = '' } = linesOf(
      await line.done('keys', 'create', '--kind', 's3'),
    )
    await line.done('keys', 'revoke', kid, '--yes')
    const outcome = await line.run(['mint', 'bucket/a', '--as', 's3'])
    expect(outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('valetkey keys create --kind s3'),
    })
  })
})

describe('mint --as', () => {
  it('s3 signs with the newest access key, the one that is named, or that of the environment', async () => {
    const first = linesOf(await line.done('keys', 'create', '--kind', 's3')).AWS_ACCESS_KEY_ID ?? ''
    const second = linesOf(await line.done('keys', 'create', '--kind', 's3')).AWS_ACCESS_KEY_ID
    const minted = await line.done('mint', 'bucket/a', '--as', 's3')
    expect(minted).toMatch(/^http:\/\/127\.0\.0\.1:8080\/bucket\/a\?X-Amz-Algorithm=\S+$/)
    expect(kidOf(minted)).toBe(second)
    const named = await line.done('mint', 'bucket/a', '--as', 's3', '--signing-key', first)
    expect(kidOf(named)).toBe(first)
    const env = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-1' }
    const { stdout } = await line.run(['mint', 'bucket/a', '--as', 's3'], { env })
    expect(stdout).toContain('X-Amz-Credential=AKIAEXAMPLE%2F')
    expect(stdout).toContain('%2Feu-1%2Fs3%2Faws4_request')
  })

  it('s3-post prints the fields of a form', async () => {
    await line.done('keys', 'create', '--kind', 's3')
    const text = await line.done('mint', 'bucket/up/', '--as', 's3-post', '--max-size', '1MiB')
    expect(JSON.parse(text)).toMatchObject({
      url: 'http://127.0.0.1:8080/bucket',
      fields: { key: `up/\${filename}`, Policy: expect.any(String) },
    })
  })

  it('s3-credentials prints temporary ones, which are issued and revocable like keys', async () => {
    const printed = linesOf(
      await line.done('mint', 'bucket/', '--as', 's3-credentials', '--subject', 'ann'),
    )
    expect(printed).toEqual({
      AWS_ACCESS_KEY_ID: expect.any(String),
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^[\w-]{43}$/),
      AWS_SESSION_TOKEN: expect.stringMatching(/^vk1\./),
    })
    const { keys } = await line.json<{ keys: object[] }>('issued')
    expect(keys).toMatchObject([{ id: printed.AWS_ACCESS_KEY_ID, subjects: ['ann'] }])
  })

  it.each([
    [['--as', 's3'], 1, 'valetkey keys create --kind s3'],
    [['--as', 's4'], 2, 's3-credentials'],
    [['--as', 's3', '--curl'], 2, '--curl'],
    [['--signing-key', 'x'], 2, '--as'],
    [['--as', 's3-credentials', '--signing-key', 'x'], 1, 'keys list'],
  ])('%j is refused', async (flags, code, text) => {
    const outcome = await line.run(['mint', 'bucket/a', ...flags])
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) })
  })

  it('half a credential in the environment is refused, and the secret not repeated', async () => {
    const env = { AWS_SECRET_ACCESS_KEY: 'hush-hush' }
    const outcome = await line.run(['mint', 'bucket/a', '--as', 's3'], { env })
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('AWS_ACCESS_KEY_ID')
    expect(outcome.stderr).not.toContain('hush-hush')
  })
})
