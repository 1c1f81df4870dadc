/** The runbooks of docs/operations.md, their commands run as they are written there. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { later, type Seconds } from '../../key/units.ts'
import { CommandLine, type Outcome } from '../unit/cli/command-line.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')

/** The commands of a section, in their order, a list of arguments each. */
function commandsOf(title: string): readonly (readonly string[])[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? ''
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  return (
    blocks
      .flatMap((block) => block.trim().split('\n'))
      // values come from the tests; comments are for people
      .filter((line) => !line.startsWith('read '))
      .map((line) =>
        [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((m) => m.slice(1).join('')),
      )
  )
}

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const inFolder = (path: string): string =>
  path.replace(
    /(^|=)\/(srv|mnt)\//,
    (_, start: string, top: string) => `${start}${join(line.folder, top)}/`,
  )

/** With `/srv` and `/mnt` in the temporary folder. */
const placed = (args: readonly string[], values: Readonly<Record<string, string>>) =>
  args.map((arg) => inFolder(values[arg] ?? arg))

/** Runs the next commands of a runbook; each must do its work. */
class Runbook {
  readonly #commands: (readonly string[])[]

  constructor(title: string) {
    this.#commands = [...commandsOf(title)]
    expect(this.#commands.length).toBeGreaterThan(0)
  }

  get left(): number {
    return this.#commands.length
  }

  async next(values: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const [program, ...given] = placed(this.#commands.shift() ?? [], values)
    if (program === 'valetkey') return valetkey(...given)
    return { code: 0, stdout: execFileSync(program ?? '', given, { encoding: 'utf8' }), stderr: '' }
  }
}

const env = () => ({
  VALETKEY_DATA: join(line.folder, 'srv/valetkey'),
  VALETKEY_STORE_RESERVE: '1',
  // nothing of ours listens there
  VALETKEY_GATEWAY_LISTEN: '127.0.0.1:9',
})

async function valetkey(...args: string[]): Promise<Outcome> {
  const outcome = await line.run(args, { env: env() })
  expect([args, outcome.stderr, outcome.code]).toEqual([args, expect.anything(), 0])
  return outcome
}

const put = (path: string, stdin = 'content') =>
  line.run(['put', '-', path, '--no-overwrite'], { env: env(), stdin })
const minted = async (...args: string[]): Promise<{ url: string; id: string }> =>
  JSON.parse((await valetkey('mint', ...args, '--json')).stdout)
/** Why a link does not work; empty where it does. */
async function verdict(url: string): Promise<string> {
  const { stdout } = await line.run(['explain', 'GET', url, '--json'], { env: env() })
  const { stages } = JSON.parse(stdout) as {
    readonly stages: readonly { readonly code?: string }[]
  }
  return stages.find(({ code }) => code !== undefined)?.code ?? ''
}

describe('docs/operations.md', () => {
  it('a link has leaked', async () => {
    await put('reports/q3.pdf')
    const { url, id } = await minted('reports/q3.pdf')
    const anns = await minted('reports/q3.pdf', '--subject', 'ann')
    const others = await minted('reports/q3.pdf')
    const book = new Runbook('A link has leaked')
    await book.next({ $LINK: url })
    expect(await verdict(url)).toBe('key_revoked')
    expect((await book.next({ $ID: id })).stdout).toContain('revoke')
    await book.next()
    expect(await verdict(anns.url)).toBe('key_revoked')
    expect(await verdict(others.url)).toBe('')
    await book.next()
    expect(await verdict(others.url)).toBe('key_revoked')
    line.now = later(line.now, 1 as Seconds)
    const { stdout } = await book.next()
    expect(await verdict(stdout.trim())).toBe('')
    expect(book.left).toBe(0)
  })

  it('a signing key has leaked', async () => {
    await put('reports/q3.pdf')
    const { url } = await minted('reports/q3.pdf')
    const book = new Runbook('A signing key has leaked')
    const [kid = ''] = /\b[0-9a-f]{12}\b/.exec((await book.next()).stdout) ?? []
    await book.next()
    expect(await verdict(url)).toBe('')
    await book.next({ $KID: kid })
    expect(await verdict(url)).not.toBe('')
    expect((await book.next({ $KID: kid })).stdout).toMatch(/signing-key revoked[\s\S]* mint /)
    await book.next()
    expect(book.left).toBe(0)
    expect(await verdict((await minted('reports/q3.pdf')).url)).toBe('')
  })

  it('the disk is full', async () => {
    await put('uploads/2025/old')
    await minted('uploads/new')
    await put('uploads/new')
    const book = new Runbook('The disk is full')
    expect((await book.next()).stdout).toMatch(/disk +.* free/)
    expect((await book.next()).stdout).toContain('new')
    await book.next()
    expect((await valetkey('ls', '-r', 'uploads')).stdout).toBe('uploads/new\n')
    await book.next()
    await book.next()
    expect(book.left).toBe(0)
  })

  it('upgrade, refused backwards; restore', async () => {
    await put('reports/q3.pdf')
    const { url } = await minted('reports/q3.pdf')
    const upgrade = new Runbook('Upgrade')
    await upgrade.next()
    expect(upgrade.left).toBe(0)
    const db = new SqliteDatabase(inFolder('/srv/valetkey/ledger.db'))
    db.pragma('user_version = 1000')
    db.close()
    const older = await line.run(['issued'], { env: env() })
    expect([older.code, older.stderr]).toEqual([1, expect.stringContaining('by a newer valetkey')])
    renameSync(inFolder('/mnt/backup/before-upgrade'), inFolder('/mnt/backup/valetkey'))
    const restore = new Runbook('Restore')
    await restore.next()
    await restore.next()
    await restore.next()
    await restore.next()
    const { stdout } = await restore.next()
    expect(stdout).toMatch(/permissions +only their owner/)
    expect(stdout).toMatch(/signing key +\S+ signs/)
    expect(stdout).toMatch(/audit +\d+ records are as they were written/)
    await restore.next()
    await restore.next()
    expect(await verdict(url)).toBe('')
    line.now = later(line.now, 1 as Seconds)
    await restore.next()
    expect(await verdict(url)).toBe('key_revoked')
    expect(restore.left).toBe(0)
  })

  it('to a new machine', async () => {
    await put('reports/q3.pdf')
    const { url } = await minted('reports/q3.pdf')
    const book = new Runbook('To a new machine')
    await book.next()
    await put('reports/later.pdf')
    await valetkey('backup', inFolder('/mnt/backup/valetkey'), '--copy', '--secrets')
    mkdirSync(join(line.folder, 'mnt/old'))
    renameSync(join(line.folder, 'srv'), join(line.folder, 'mnt/old/srv'))
    expect(existsSync(inFolder('/srv/valetkey'))).toBe(false)
    await book.next()
    rmSync(inFolder('/srv/valetkey/audit'), { recursive: true, force: true })
    await book.next()
    await book.next()
    const { stdout } = await book.next()
    expect(stdout).toMatch(/audit +\d+ records are as they were written/)
    expect(book.left).toBe(0)
    expect(await verdict(url)).toBe('')
    expect((await valetkey('ls', '-r', 'reports')).stdout.split('\n').sort()).toEqual([
      '',
      'reports/later.pdf',
      'reports/q3.pdf',
    ])
    expect(readdirSync(inFolder('/srv/valetkey/audit')).length).toBeGreaterThan(0)
  })
})
