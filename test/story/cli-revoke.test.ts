/** The command line without a server: what was issued, taking it back, and signing keys. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { later, type Seconds } from '../../key/units.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const pass = (seconds: number) => {
  line.now = later(line.now, seconds as Seconds)
}
const honoured = async (link: string) =>
  (await line.json<{ honoured: boolean }>('inspect', link)).honoured
const kidOf = (link: string) => line.claimsOf(link)[0]?.kid ?? ''

describe('revoke', () => {
  it('takes back one key, by link or id, until it would have expired by itself', async () => {
    const first = await line.done('mint', 'demo/a')
    const second = await line.done('mint', 'demo/a', '--id', 'two')
    const third = await line.done('mint', 'demo/a')
    const args = ['revoke', first, 'two', '--reason', 'lost']
    const { revoked } = await line.json<{ revoked: object[] }>(...args)
    expect(revoked).toMatchObject([
      { kind: 'id', until: line.now + 900, reason: 'lost' },
      { kind: 'id', value: 'two', until: line.now + 900 },
    ])
    expect([await honoured(first), await honoured(second), await honoured(third)]).toEqual([
      false,
      false,
      true,
    ])
  })

  it('is not deceived by a link that was forged to end early', async () => {
    const link = await line.done('mint', 'demo/a', '--id', 'mine')
    const forged = await line.foreignLink('demo/a', '--id', 'mine', '--expires', '1s')
    const { code, stderr } = await line.run(['revoke', forged])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^valetkey: signature_invalid: /),
    })
    expect(await honoured(link)).toBe(true)
  })

  it.each([[['--subject', 'ann']], [['--path', 'demo/ann/']], [['--minted-before', '0s']]])(
    'takes back many, and leaves what is minted later: %j',
    async (args) => {
      const before = await line.done('mint', 'demo/ann/a', '--subject', 'ann')
      pass(1)
      await line.done('revoke', ...args)
      pass(1)
      const after = await line.done('mint', 'demo/ann/a', '--subject', 'ann')
      expect([await honoured(before), await honoured(after)]).toEqual([false, true])
    },
  )

  it('takes back all keys of a signing key, and minting goes on with a new one', async () => {
    const before = await line.done('mint', 'demo/a')
    const kid = kidOf(before)
    expect(await line.done('revoke', '--signing-key', kid)).toBe(
      `revoked the signing key ${kid} and all keys under it`,
    )
    const after = await line.done('mint', 'demo/a')
    expect([await honoured(before), await honoured(after)]).toEqual([false, true])
  })

  it.each([
    [['some-id', '--minted-before', '1h']],
    [['--signing-key', 'k', '--minted-before', '1h']],
    [['--minted-before', '2999-01-01']],
    [['--minted-before', 'whenever']],
  ])('refuses what makes no sense: %j', async (args) => {
    const link = await line.done('mint', 'demo/a')
    expect((await line.run(['revoke', ...args])).code).toBe(2)
    expect(await honoured(link)).toBe(true)
  })
})

describe('issued', () => {
  it('lists keys with what became of them', async () => {
    await line.done('mint', 'demo/a', '--id', 'one', '--subject', 'ann', '--expires', '5s')
    await line.done('mint', 'demo/b/', '--id', 'two', '--subject', 'bob', '--uses', '3')
    await line.done('mint', 'demo/c', '--id', 'three')
    await line.done('revoke', 'three')
    pass(5)
    const rows = (await line.done('issued')).split('\n').map((row) => row.split(/ {2,}/))
    expect(rows[0]?.join(' ')).toBe('ID STATE SUBJECT PATH METHODS EXPIRES USES LAST USED')
    const states = Object.fromEntries(rows.slice(1).map(([id, state]) => [id, state]))
    expect(states).toEqual({ one: 'expired', two: 'active', three: 'revoked' })
    const two = rows.find(([id]) => id === 'two')
    expect(two?.slice(2)).toEqual(['bob', 'demo/b/', 'GET', expect.any(String), '0 of 3', 'never'])
  })

  it('filters and pages, newest first', async () => {
    for (const id of ['a', 'b', 'c']) {
      await line.done('mint', `demo/${id}`, '--id', id, '--subject', id)
      pass(1)
    }
    const ids = async (...args: string[]) => {
      const found = await line.json<{ keys: { id: string }[]; next?: string }>('issued', ...args)
      return [found.keys.map(({ id }) => id), found.next]
    }
    expect(await ids('--subject', 'b')).toEqual([['b'], undefined])
    expect(await ids('--path', 'demo/c')).toEqual([['c'], undefined])
    expect(await ids('--limit', '2')).toEqual([['c', 'b'], 'b'])
    expect(await ids('--limit', '2', '--after', 'b')).toEqual([['a'], undefined])
  })

  it('refuses, and makes nothing, where there is no data folder', async () => {
    const { code, stderr } = await line.run(['issued'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^valetkey: there is no data folder at data: /)
    expect(readdirSync(line.folder)).toEqual([])
  })
})

describe('keys', () => {
  it('rotate: what was minted before works until the grace ends', async () => {
    const old = await line.done('mint', 'demo/a')
    const { kid } = await line.json<{ kid: string }>('keys', 'rotate', '--grace', '5m')
    expect(await line.json('keys', 'list')).toMatchObject({
      keys: [
        { kid: kidOf(old), status: 'retiring', graceEnds: line.now + 300, issued: 1 },
        { kid, status: 'active', issued: 0 },
      ],
    })
    expect(await honoured(old)).toBe(true)
    pass(300)
    expect(await honoured(old)).toBe(false)
    expect(kidOf(await line.done('mint', 'demo/a'))).toBe(kid)
  })

  it('go to another machine, which then honours the same keys', async () => {
    const link = await line.done('mint', 'demo/a')
    const secret = await line.done('keys', 'export', kidOf(link))
    expect(secret).toMatch(new RegExp(`^vk1sk\\.${kidOf(link)}\\.`))
    const there = { env: { VALETKEY_DATA: 'there' }, stdin: `${secret}\n` }
    const imported = await line.run(['keys', 'import'], there)
    expect(imported.stdout).toContain(`imported ${kidOf(link)}`)
    const verdict = await line.json('--data', 'there', 'inspect', link)
    expect(verdict).toMatchObject({ honoured: true })
    const twice = await line.run(['keys', 'import'], there)
    expect(twice).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing was changed'),
    })
    expect(twice.stderr).not.toContain(secret)
  })

  it('ask before everything under a key is refused', async () => {
    const link = await line.done('mint', 'demo/a')
    expect(await line.run(['keys', 'revoke', kidOf(link)])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--yes'),
    })
    expect(await honoured(link)).toBe(true)
    await line.done('keys', 'revoke', kidOf(link), '--yes')
    expect(await line.json('inspect', link)).toMatchObject({ honoured: false, code: 'key_revoked' })
  })

  it('say which there are, where one is not', async () => {
    const link = await line.done('mint', 'demo/a')
    const { code, stderr } = await line.run(['keys', 'retire', 'none'])
    expect(code).toBe(1)
    expect(stderr).toContain(`there is no signing key "none"; there are: ${kidOf(link)}`)
  })

  it('are refused where others can read them', async () => {
    await line.done('mint', 'demo/a')
    const secrets = readdirSync(join(line.folder, 'data', 'secrets'))
    const name = secrets.find((secret) => secret.endsWith('.key')) ?? ''
    chmodSync(join(line.folder, 'data', 'secrets', name), 0o644)
    const { code, stderr } = await line.run(['mint', 'demo/a'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/has mode 644: .* chmod 600/)
  })
})

describe('audit', () => {
  it('says who did what, from the terminal, and that nobody has changed it', async () => {
    await line.done('mint', 'demo/a', '--id', 'one', '--subject', 'ann')
    await line.run(['put', '-', 'demo/a'], { stdin: 'hello' })
    await line.done('revoke', 'one', '--reason', 'lost')
    await line.done('rm', 'demo/a')
    const told = (await line.done('audit', '--id', 'one', '--json')).split('\n')
    expect(told.map((text) => JSON.parse(text) as object)).toMatchObject([
      { kind: 'act', by: 'cli', act: 'revoke', keys: ['one'], about: { reason: 'lost' } },
      { kind: 'act', by: 'cli', act: 'mint', keys: ['one'], subjects: ['ann'] },
    ])
    const table = await line.done('audit', '--path', 'demo/')
    expect(table.split('\n').map((row) => row.split(/ {2,}/)[1])).toEqual([
      'WHAT',
      'done*',
      'DELETE*',
      'done*',
      'PUT*',
    ])
    const before = await line.done('audit', 'verify', '--json')
    expect(JSON.parse(before)).toMatchObject({ problems: [], notes: [] })
    const out = await line.done('audit', '--export', 'all.jsonl')
    expect(out).toMatch(/^\d+ records written to all\.jsonl$/)
    expect(await line.json('audit', '--refused', '--summary')).toEqual({ refused: [] })

    const earlier = join(line.folder, 'earlier.json')
    writeFileSync(earlier, before)
    await line.done('audit', 'verify', '--earlier', earlier)
    rmSync(join(line.folder, 'data', 'audit'), { recursive: true })
    await line.done('audit', 'verify')
    const gone = await line.run(['audit', 'verify', '--earlier', earlier])
    expect([gone.code, gone.stdout]).toEqual([1, expect.stringContaining('and is missing')])
    const wrong = await line.run(['audit', 'verify', '--earlier', join(line.folder, 'all.jsonl')])
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('--json printed')])
  })

  it('says of what was not done that it was not', async () => {
    await line.run(['put', '-', 'demo/a'], { stdin: 'hello' })
    await line.run(['put', '-', 'demo/a', '--no-overwrite'], { stdin: 'world' })
    await line.run(['rm', 'demo/none'])
    const told = (await line.done('audit', '--json')).split('\n')
    const records = told.map((text) => JSON.parse(text) as { act: string; id: string })
    const changes = records.reverse().slice(-6)
    expect(changes.map(({ act }) => act)).toEqual([
      ...['PUT', 'done', 'PUT', 'undone', 'DELETE', 'undone'],
    ])
    expect(new Set(changes.map(({ id }) => id)).size).toBe(3)
    expect(changes[3]?.id).toBe(changes[2]?.id)
  })

  it('can be left out', async () => {
    await line.run(['mint', 'demo/a'], { env: { VALETKEY_AUDIT_ENABLED: 'false' } })
    expect(readdirSync(join(line.folder, 'data'))).not.toContain('audit')
  })
})
