/** Links for people: files shared with a page, and files asked for, from the command line. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspectKey } from '../../key/inspect.ts'
import { isRightPin } from '../../key/node-pin.ts'
import { openLedger } from '../support/ledger-file.ts'
import { CommandLine, Sink } from '../unit/cli/command-line.ts'

interface Made {
  readonly link: string
  readonly key: string
  readonly id: string
  readonly path: string
  readonly expires: number
  readonly files: readonly { readonly path: string; readonly size: number; readonly type: string }[]
}

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
  mkdirSync(join(line.folder, 'photos', 'raw'), { recursive: true })
  writeFileSync(join(line.folder, 'report.pdf'), '%PDF-1.7 report')
  writeFileSync(join(line.folder, 'photos', 'a.png'), 'a')
  writeFileSync(join(line.folder, 'photos', 'raw', 'report.pdf'), 'b')
  symlinkSync('/etc/passwd', join(line.folder, 'photos', 'elsewhere'))
})
afterEach(() => line.remove())

const claims = (key: string) => inspectKey(key, line.now).blocks.map((block) => block.claims)

describe('share', () => {
  it('puts a file into the store, and prints the link of its page alone', async () => {
    await line.done('put', 'report.pdf', 'demo/report.pdf')
    const { code, stdout, stderr } = await line.run(['share', 'report.pdf'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8080\/-\/share#vk1\.\S+\n$/)
    const [block] = claims(stdout.trim().split('#')[1] ?? '')
    expect(block?.methods).toEqual(['GET'])
    expect(block?.path).toMatch(/^shared\/share-[\w-]{12}\/report\.pdf$/)
    expect(block?.exp).toBe(line.now + 7 * 86_400)
    expect(await line.done('get', String(block?.path), '-')).toBe('%PDF-1.7 report')
  })

  it('puts several under one fresh prefix, folders with what is in them, links left out', async () => {
    const { stdout, stderr } = await line.run(['share', 'report.pdf', 'photos', '--json'])
    const made = JSON.parse(stdout) as Made
    expect(stderr).toMatch(/^valetkey: left out elsewhere: it is a symbolic link\nvaletkey: made /)
    expect(made.path).toMatch(/^shared\/share-[\w-]{12}\/$/)
    expect(claims(made.key)).toMatchObject([{ path: made.path, methods: ['GET', 'LIST'] }])
    expect(
      made.files.map(({ path, size, type }) => [path.slice(made.path.length), size, type]).sort(),
    ).toEqual([
      ['photos/a.png', 1, 'image/png'],
      ['photos/raw/report.pdf', 1, 'application/pdf'],
      ['report.pdf', 15, 'application/pdf'],
    ])
    expect(made.link).toBe(`http://127.0.0.1:8080/-/share#${made.key}`)
    const again = await line.json<Made>('share', 'report.pdf', 'photos/raw/report.pdf')
    expect(again.files.map(({ path }) => path.slice(again.path.length))).toEqual([
      'report.pdf',
      'report (2).pdf',
    ])
  })

  it('shares what is in the store already', async () => {
    await line.done('put', 'report.pdf', 'docs/2026/q3.pdf')
    const folder = await line.json<Made>('share', 'docs/2026/', '--expires', '2h', '--uses', '9')
    expect(claims(folder.key)).toMatchObject([
      { path: 'docs/2026/', methods: ['GET', 'LIST'], uses: 9, exp: line.now + 7200 },
    ])
    const file = await line.json<Made>('share', 'docs/2026/q3.pdf', '--once')
    expect(claims(file.key)).toMatchObject([
      { path: 'docs/2026/q3.pdf', methods: ['GET'], uses: 1 },
    ])
    const { keys } = await line.json<{ keys: { id: string }[] }>('issued')
    expect(keys.map(({ id }) => id)).toEqual([file.id, folder.id])
  })

  it.each([
    [
      ['share', 'nothing/here'],
      1,
      /no file "nothing\/here" here, and nothing of that name in the store/,
    ],
    [['share', 'reprot.pdf'], 1, /no file "reprot\.pdf" here, and of the store it is no path/],
    [['share', 'report.pdf', '/dev/null'], 1, /\/dev\/null is neither a file nor a folder/],
    [['share', 'report.pdf', 'missing.txt'], 2, /missing\.txt: no such file/],
    [['share', 'photos', '--once'], 2, /--once is for one file/],
    [['share', 'report.pdf', '--expires', 'soon'], 2, /--expires "soon" is not a time/],
    [['share', 'report.pdf', '--bucket', 'No'], 1, /path_malformed/],
    [['share', 'report.pdf', '--password', '123'], 1, /a PIN has 4 to 128 characters/],
    [['share', 'report.pdf', '--message', 'x'.repeat(2001)], 2, /at most 2000 characters/],
  ])('%j is refused, and leaves nothing in the store', async (args, code, said) => {
    await line.done('put', 'report.pdf', 'docs/before')
    const outcome = await line.run(args)
    expect(outcome.code).toBe(code)
    expect(outcome.stderr).toMatch(said)
    expect(await line.done('ls', '-r')).toBe('docs/before')
    expect(await line.json('issued')).toMatchObject({ keys: [] })
  })

  it('tells a person what is shared and for how long, and draws the link', async () => {
    const { stderr, stdout } = await line.run(['share', 'report.pdf', '--qr'], { isTTY: true })
    expect(stderr).toMatch(/15 B {2}application\/pdf {2}shared\/share-[\w-]{12}\/report\.pdf/)
    expect(stderr).toMatch(/until \S+ \(in 1w\); revoke it with: valetkey revoke \S+/)
    const [begin, end] = ['\u001b[97;40m', '\u001b[0m']
    const drawn = stderr.split('\n').filter((row) => row.startsWith(begin) && row.endsWith(end))
    expect(drawn.length).toBeGreaterThan(20)
    for (const row of drawn) {
      expect(row.slice(begin.length, -end.length)).toMatch(/^[ ▀▄█]{40,80}$/)
    }
    expect(stdout).not.toContain('█')
  })

  it('draws the link with as much around it as there is room for', async () => {
    const drawn = async (columns: number) => {
      const shell = line.shell({ env: { NO_COLOR: '1' } })
      const stderr = Object.assign(new Sink(true), { columns })
      await line.runIn({ ...shell, stderr }, ['share', 'report.pdf', '--qr'])
      return stderr.text.split('\n').filter((row) => /^[ ▀▄█]{40,}$/.test(row))
    }
    const wide = await drawn(200)
    const width = wide[0]?.length ?? 0
    expect(wide.findIndex((row) => row !== '█'.repeat(width))).toBe(2)
    const narrow = await drawn(width - 1)
    expect(narrow[0]).toHaveLength(width - 4)
    expect(narrow.findIndex((row) => row !== '█'.repeat(width - 4))).toBe(1)
    expect(await drawn(width - 5)).toEqual([])
  })
})

describe('request', () => {
  it('prints the link of a page for uploads, which only create', async () => {
    const options = ['--max-size', '5MiB', '--type', 'image/*', '--uses', '3', '--expires', '3d']
    const made = await line.json<Made>('request', 'inbox/ann/', ...options)
    expect(made.link).toBe(`http://127.0.0.1:8080/-/drop#${made.key}`)
    expect(claims(made.key)).toMatchObject([
      {
        path: 'inbox/ann/',
        methods: ['PUT'],
        create: true,
        size: [0, 5 << 20],
        types: ['image/*'],
        uses: 3,
        exp: line.now + 3 * 86_400,
      },
    ])
    const plain = await line.done('request', 'inbox/bob')
    expect(claims(plain.split('#')[1] ?? '')).toMatchObject([{ path: 'inbox/bob/' }])
    expect((await line.run(['request', 'x'])).stderr).toContain('path_malformed')
    expect((await line.run(['request', ''])).code).toBe(2)
  })

  it('leads to where the gateway is reached', async () => {
    const env = { VALETKEY_PUBLIC_URL: 'https://files.example.com/box/' }
    const { stdout } = await line.run(['request', 'inbox/'], { env })
    expect(stdout).toMatch(/^https:\/\/files\.example\.com\/box\/-\/drop#vk1\./)
  })
})

describe('the link of a page', () => {
  const explained = (...args: string[]) =>
    line.json<{ allowed: boolean; stages: { detail: string }[] }>('explain', ...args)

  it('is a link to every command, and ends by itself or by its id', async () => {
    const file = await line.json<Made>('share', 'report.pdf')
    expect(await line.json('inspect', file.link)).toMatchObject({ id: file.id, honoured: true })
    expect(await explained('GET', file.link)).toMatchObject({ allowed: true })
    const folder = await line.json<Made>('share', 'photos/a.png', 'report.pdf')
    expect(await explained('GET', folder.link)).toMatchObject({ allowed: true })
    const narrow = await line.done('narrow', file.link, '--expires', '1m', '--path', file.path)
    expect(narrow).toMatch(/^http:\/\/127\.0\.0\.1:8080\/-\/share#vk1\./)
    expect(await line.json('inspect', narrow)).toMatchObject({ expires: line.now + 60 })
    expect(await line.done('revoke', file.link)).toBe(`revoked the key ${file.id}`)
    expect(await line.json('inspect', narrow)).toMatchObject({ code: 'key_revoked' })
  })

  it('for uploads is explained with a name', async () => {
    const env = { VALETKEY_PUBLIC_URL: 'https://files.example.com/box' }
    const { stdout } = await line.run(['request', 'inbox/ann/', '--type', 'image/*'], { env })
    const image = ['--header', 'Content-Type: image/png']
    const settings = join(line.folder, 'box.toml')
    writeFileSync(settings, '[gateway]\nbasePath = "/box"\n')
    const args = ['PUT', stdout.trim(), ...image, '--config', settings]
    const { allowed, stages } = await explained(...args)
    expect({ allowed, asked: stages[0]?.detail }).toEqual({
      allowed: true,
      asked: 'PUT /inbox/ann/FILE',
    })
  })

  it('is shown with the id that revokes it', async () => {
    const shown = await line.run(['request', 'inbox/ann/'], { isTTY: true })
    const { id } = inspectKey(shown.stdout.trim().split('#')[1] ?? '', line.now)
    expect(shown.stderr).toContain(`revoke it with: valetkey revoke ${id}\n`)
  })
})

describe('a message and a PIN', () => {
  const noteOf = async (id: string) => {
    const { ledger, close } = await openLedger(join(line.folder, 'data'))
    try {
      return ledger.noteOf(id)
    } finally {
      await close()
    }
  }

  it('are kept beside the key, the PIN as a hash', async () => {
    const made = await line.json<Made>(
      ...['request', 'inbox/', '--message', 'Your photos, please', '--password', '4711-0815'],
    )
    expect(claims(made.key)).toMatchObject([{ pin: true }])
    const note = await noteOf(made.id)
    expect(note).toMatchObject({ id: made.id, message: 'Your photos, please' })
    expect(await isRightPin('4711-0815', note?.pin)).toBe(true)
    expect(JSON.stringify(note)).not.toContain('4711-0815')
  })

  it('may come from the environment, or from stdin', async () => {
    const args = ['request', 'inbox/', '--json', '--password']
    const fromEnv = await line.run(args, { env: { VALETKEY_PASSWORD: 'from env' } })
    const fromStdin = await line.run(args, { stdin: 'from stdin\nmore\n' })
    for (const [{ stdout }, pin] of [
      [fromEnv, 'from env'],
      [fromStdin, 'from stdin'],
    ] as const) {
      expect(await isRightPin(pin, (await noteOf((JSON.parse(stdout) as Made).id))?.pin)).toBe(true)
    }
    expect((await line.run(args)).stderr).toContain('nothing was entered')
  })

  it('is not taken from a file that stands behind it', async () => {
    const { code, stderr } = await line.run(['share', 'photos/a.png', '--password', 'report.pdf'])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^valetkey: --password has taken report\.pdf, a file .*\nSee valetkey share --help\.\n$/,
      ),
    ])
  })

  it('is asked for on a terminal, and not echoed', async () => {
    const shell = line.shell({ isTTY: true })
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    const running = line.runIn({ ...shell, stdin }, ['request', 'inbox/', '--json', '--password'])
    await shell.stderr.matching(/PIN: /)
    stdin.write('typed 4711-0815\r')
    expect(await running).toBe(0)
    const made = JSON.parse(shell.stdout.text) as Made
    expect(await isRightPin('typed 4711-0815', (await noteOf(made.id))?.pin)).toBe(true)
    expect(shell.stderr.text + shell.stdout.text).not.toContain('4711-0815')
  })
})
