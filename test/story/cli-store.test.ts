/** The command line without a server: files in and out, a look at the installation, help. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Outbox } from '../../events/outbox.ts'
import { later, type Seconds, secondsOf, type UnixSeconds } from '../../key/units.ts'
import { certificateEnd } from '../../listener/tls.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const write = (name: string, content: string | Buffer) =>
  writeFileSync(join(line.folder, name), content)
const read = (name: string) => readFileSync(join(line.folder, name))
const put = async (...paths: string[]) => {
  for (const path of paths) await line.run(['put', '-', path], { stdin: 'x' })
}

describe('put and get', () => {
  it('carry a file into the store and out again, byte for byte', async () => {
    const content = Buffer.alloc(3_000_001, 'valetkey ')
    write('big.png', content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(await line.json('put', 'big.png', 'demo/pics/')).toMatchObject({
      path: 'demo/pics/big.png',
      size: content.length,
      type: 'image/png',
      etag: `"${sha256}"`,
      sha256,
      created: true,
    })
    expect(await line.done('get', 'demo/pics/big.png', 'copy.png')).toBe('copy.png  2.9 MiB')
    expect(read('copy.png').equals(content)).toBe(true)
  })

  it('carry nothing at all as well: an empty file, whose name has no extension', async () => {
    write('f', '')
    const type = 'application/octet-stream'
    expect(await line.json('put', 'f', 'demo/html')).toMatchObject({ size: 0, type })
    await line.done('get', 'demo/html', 'copy')
    expect(read('copy')).toHaveLength(0)
  })

  it('read from and write to pipes', async () => {
    const args = ['put', '-', 'demo/in.txt', '--type', 'text/plain; charset=utf-8']
    expect((await line.run(args, { stdin: 'from a pipe' })).code).toBe(0)
    expect(await line.done('get', 'demo/in.txt', '-')).toBe('from a pipe')
    expect((await line.run(['put', '-', 'demo/'], { stdin: 'x' })).code).toBe(2)
  })

  it('replace only what they may', async () => {
    write('a.txt', 'one')
    await line.done('put', 'a.txt', 'demo/a.txt')
    expect(await line.run(['put', 'a.txt', 'demo/a.txt', '--no-overwrite'])).toMatchObject({
      code: 1,
      stderr: 'valetkey: demo/a.txt is there already: leave out --no-overwrite to replace it\n',
    })
    write('a.txt', 'two')
    expect(await line.done('put', 'a.txt', 'demo/a.txt')).toMatch(/^replaced demo\/a.txt/)
    write('a.txt', 'mine')
    expect(await line.run(['get', 'demo/a.txt'])).toMatchObject({
      code: 1,
      stderr: 'valetkey: a.txt is there already: --force replaces it\n',
    })
    expect(read('a.txt').toString()).toBe('mine')
    await line.done('get', 'demo/a.txt', '--force')
    expect(read('a.txt').toString()).toBe('two')
    expect(readdirSync(line.folder).sort()).toEqual(['a.txt', 'data'])
  })

  it('show how far they are, on a terminal only, and take it away again', async () => {
    write('a.txt', 'x'.repeat(100))
    const first = await line.run(['put', 'a.txt', 'demo/a.txt'])
    expect(first.stderr).toMatch(/^valetkey: made a new data folder at data: a gateway on another/)
    expect((await line.run(['put', 'a.txt', 'demo/a.txt'])).stderr).toBe('')
    const { stderr } = await line.run(['put', 'a.txt', 'demo/a.txt'], { isTTY: true })
    expect(stderr).toMatch(/a\.txt 100% \[#{24}\] 100 B of 100 B/)
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true)
  })

  it('carry what came in parts, of which no digest is known as a whole', async () => {
    await put('demo/a')
    const db = new SqliteDatabase(join(line.folder, 'data', 'store', 'index.db'))
    expect(db.prepare('UPDATE objects SET sha256 = NULL').run().changes).toBe(1)
    db.close()
    await line.done('get', 'demo/a', 'copy')
    expect(read('copy').toString()).toBe('x')
  })

  it('say what they did on a line of its own, behind the progress', async () => {
    write('a.txt', 'x')
    const shell = line.shell({ isTTY: true })
    const screen = { ...shell, stdout: shell.stderr }
    await line.runIn(screen, ['put', 'a.txt', 'demo/a.txt'])
    await line.runIn(screen, ['get', 'demo/a.txt', 'b.txt'])
    const lines = shell.stderr.text.split('\n').map((text) => text.split('\r\u001b[2K').at(-1))
    expect(lines).toEqual(
      expect.arrayContaining(['stored demo/a.txt  1 B  text/plain', 'b.txt  1 B']),
    )
  })

  it('leave nothing behind when interrupted', async () => {
    write('a.txt', 'x')
    const shell = line.shell()
    const running = line.runIn(shell, ['put', 'a.txt', 'demo/a.txt'])
    // asked for as soon as the command listens, long before the store is open
    line.signals.once('newListener', () => queueMicrotask(() => line.signals.emit('SIGINT')))
    expect(await running).toBe(1)
    expect(shell.stderr.text).toBe('valetkey: interrupted; nothing was left half done\n')
    expect(line.signals.eventNames()).toEqual([])
    expect(await line.done('ls')).toBe('')
  })
})

describe('put from a pipe that says nothing more', () => {
  it('ends when interrupted, and at once the second time', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: false })
    const shell = { ...line.shell(), stdin }
    const running = line.runIn(shell, ['put', '-', 'demo/a.txt'])
    stdin.write('some, and then no')
    while (stdin.readableLength > 0) await new Promise((resolve) => setImmediate(resolve))
    line.signals.emit('SIGTERM')
    expect(() => line.signals.emit('SIGTERM')).toThrow('exit 1')
    expect(await running).toBe(1)
    expect(await line.done('ls')).toBe('')
  })
})

describe('ls and rm', () => {
  it('list one level, or all, in byte order', async () => {
    await put('demo/b.txt', 'demo/a/1', 'demo/a/2', 'demo/Z', 'other/x')
    expect(await line.done('ls')).toBe('demo/\nother/')
    expect(await line.done('ls', 'demo')).toBe('demo/Z\ndemo/a/\ndemo/b.txt')
    expect(await line.done('ls', 'demo/a/1')).toBe('demo/a/1')
    expect(await line.done('ls', '--recursive', 'demo/a/')).toBe('demo/a/1\ndemo/a/2')
    expect(await line.done('ls', '--long', 'demo/')).toMatch(
      /^1 B +\S+Z +application\/octet-stream +- +demo\/Z\n +- +- +- +- +demo\/a\/\n/,
    )
    expect(await line.json('ls', 'demo/')).toMatchObject({
      prefix: 'demo/',
      prefixes: ['demo/a/'],
      objects: [{ path: 'demo/Z', size: 1 }, { path: 'demo/b.txt' }],
    })
  })

  it('say on a terminal that there is nothing', async () => {
    await put('demo/a')
    const found = async (...args: string[]) => {
      const { stdout, stderr } = await line.run(args, { isTTY: true })
      return [stdout, stderr]
    }
    expect(await found('ls', 'other/')).toEqual(['', 'There is nothing there.\n'])
    expect(await found('issued')).toEqual(['', 'No keys were minted here that fit.\n'])
    expect(await found('audit', '--code', 'x')).toEqual(['', 'There are no records that fit.\n'])
    expect(await found('plans', 'list')).toEqual(['', 'None is stored here.\n'])
    const told = await found('events', 'list', '--dead')
    expect(told).toEqual(['', 'Nobody has yet to be told of anything.\n'])
    await line.done('rm', 'demo/a')
    expect(await found('ls')).toEqual(['', 'The store is empty.\n'])
  })

  it('list what was given up, however much waits before it', async () => {
    await put('demo/a')
    const outbox = await Outbox.open(join(line.folder, 'data'))
    const event = (id: number) =>
      ({ id: `evt_${id}`, type: 'upload.finished', time: '', subject: 'x', data: {} }) as const
    const deliveries = Array.from({ length: 1002 }, (_, id) => ({ event: event(id), target: 't' }))
    await outbox.take({ state: '', deliveries, now: 0 })
    await outbox.failed({ event: 'evt_1001', target: 't', error: 'gone', next: null })
    await outbox.close()
    const { events } = await line.json<{ events: object[] }>('events', 'list', '--dead')
    expect(events).toMatchObject([{ event: { id: 'evt_1001' }, error: 'gone' }])
    const all = await line.run(['events', 'list'], { isTTY: true })
    expect(all.stderr).toBe('There are more than these 1000.\n')
  })

  it('delete one, several, and all beneath a prefix', async () => {
    await put('demo/a', 'demo/b', 'demo/c/1', 'demo/c/2', 'other/x')
    expect(await line.done('rm', 'demo/a', 'demo/b')).toBe('deleted demo/a\ndeleted demo/b')
    expect(await line.json('rm', '-r', '--yes', 'demo/')).toEqual({
      deleted: ['demo/c/1', 'demo/c/2'],
      missing: [],
    })
    expect(await line.done('ls', '-r')).toBe('other/x')
  })
})

describe('what can not be done', () => {
  it.each([
    [['--data', '/proc/none', 'mint', 'demo/a'], /no folder can be made at \/proc\/none: name/],
    [['--data', '/proc', 'serve'], /no folder can be made at \/proc\/instances: name/],
    [['--data', '/dev/null', 'mint', 'demo/a'], /\/dev\/null is a file, and no folder: name/],
    [['--data', '/dev/null/x', 'mint', 'demo/a'], /\/dev\/null is a file, and no folder: name/],
    [['export', 'demo/', '/proc/none'], /no folder can be made at \/proc\/none: name/],
    [['backup', '/proc/none/x'], /no folder can be made at \/proc\/none: name/],
    [['backup', 'a.txt'], /a\.txt is a file, and no folder: name/],
  ])('%j: there no folder can be made, and that is said in one line', async (args, message) => {
    write('a.txt', 'x')
    await put('demo/there')
    const { code, stderr } = await line.run(args)
    expect([code, stderr.match(/\n/g)]).toEqual([1, ['\n']])
    expect(stderr).toMatch(message)
  })

  it.each([
    [['put', 'none.txt', 'demo/a'], 1, /none\.txt: there is no such file or folder/],
    [['put', '.', 'demo/a'], 1, /it is a folder: name a file/],
    [['put', 'a.txt', 'demo/../a'], 1, /path_malformed/],
    [['put', 'a.txt', 'demo/a', '--type', 'text'], 2, /media type/],
    [['put', 'a.txt', 'demo/a', '--type', 'text/plain;a=b, text/html'], 2, /media type/],
    [['get', 'demo/none'], 1, /there is no object demo\/none/],
    [['get', 'demo/there', 'none/x'], 1, /^valetkey: there is no folder none: make it, or name /],
    [['get', 'demo/'], 1, /path_malformed/],
    [['audit', '--export', 'none/x'], 1, /there is no folder none: make it/],
    [['audit', '--export', 'a.txt'], 1, /a\.txt is there already: name another file/],
    [['rm', 'demo/none'], 1, /there is nothing at demo\/none/],
    [['rm', 'demo/'], 2, /-r deletes everything/],
    [['rm', '-r', 'demo/'], 1, /repeat with --yes/],
  ])('%j is refused, and leaves nothing behind', async (args, code, message) => {
    write('a.txt', 'x')
    await put('demo/there')
    const outcome = await line.run(args)
    expect(outcome.code).toBe(code)
    expect(outcome.stderr).toMatch(message)
    expect(readdirSync(line.folder).sort()).toEqual(['a.txt', 'data'])
    expect(await line.done('ls', '-r')).toBe('demo/there')
  })
})

describe('doctor', () => {
  interface Report {
    readonly healthy: boolean
    readonly findings: readonly { readonly check: string; readonly status: string }[]
  }

  const doctor = async (settings: Record<string, string> = {}) => {
    // port 9 (discard) is one where nothing of ours listens
    const env = { VALETKEY_GATEWAY_LISTEN: '127.0.0.1:9', VALETKEY_STORE_RESERVE: '1', ...settings }
    const { code, stdout } = await line.run(['doctor', '--json'], { env })
    const { healthy, findings } = JSON.parse(stdout) as Report
    const found = Object.fromEntries(findings.map(({ check, status }) => [check, status]))
    return { code, healthy, found }
  }

  it('finds nothing to complain of but that no gateway runs', async () => {
    await put('demo/a')
    await line.done('mint', 'demo/a')
    expect(await doctor()).toEqual({
      code: 0,
      healthy: true,
      found: {
        configuration: 'ok',
        certificate: 'ok',
        'data folder': 'ok',
        permissions: 'ok',
        disk: 'ok',
        'file system': 'ok',
        backup: 'warn',
        scrub: 'ok',
        audit: 'ok',
        clock: 'ok',
        'database ledger': 'ok',
        'database store': 'ok',
        'signing key': 'ok',
        gateway: 'warn',
      },
    })
  })

  it('fits its lines to the terminal', async () => {
    await line.run(['put', '-', 'demo/a'], { stdin: 'x' })
    const { stdout } = await line.run(['doctor'], { isTTY: true, env: { NO_COLOR: '1' } })
    const lines = stdout.trimEnd().split('\n')
    const indent = lines[0]?.indexOf('every setting') ?? 0
    expect(indent).toBeGreaterThan(0)
    const begun = lines.filter((text) => /^(ok|warn|fail) /.test(text))
    const goneOn = lines.filter((text) => text.startsWith(' '.repeat(indent)))
    expect(goneOn.length).toBeGreaterThan(0)
    expect(begun.length + goneOn.length).toBe(lines.length)
    const { stdout: piped } = await line.run(['doctor'])
    expect(piped.trimEnd().split('\n')).toHaveLength(begun.length)
  })

  it('knows when the last backup was, and where it lies', async () => {
    await line.run(['put', '-', 'demo/a'], { stdin: 'x'.repeat(100_000) })
    await line.done('backup', 'kept', '--secrets', '--copy')
    expect((await doctor()).found.backup).toBe('ok')
    line.now = later(line.now, (8 * 86_400) as Seconds)
    expect(await doctor()).toMatchObject({ code: 1, found: { backup: 'fail' } })
    const { stdout } = await line.run(['doctor', '--json', '--max-backup-age', '9d'])
    expect(stdout).toMatch(/the last was at .{20}, to [^"]*\/kept"/)
    await line.done('backup', 'linked')
    const linked = await line.run(['doctor', '--json'])
    expect(linked.stdout).toContain('on the same disk as the store')
    expect(await line.json('backup', 'linked')).toMatchObject({ kept: 1, linked: 0 })
    expect((await line.run(['doctor', '--json'])).stdout).toBe(linked.stdout)
    await line.done('backup', 'kept', '--copy')
    expect((await line.run(['doctor', '--json'])).stdout).not.toContain('on the same disk as the')
    expect((await line.run(['doctor', '--max-backup-age', 'long'])).code).toBe(2)
  })

  it('says what the last scrub has found, until another finds nothing', async () => {
    await line.run(['put', '-', 'demo/a'], { stdin: 'x'.repeat(100_000) })
    const blobs = join(line.folder, 'data', 'store', 'blobs')
    const [blob = ''] = readdirSync(blobs, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\/[0-9a-f]{32}$/.test(name),
    )
    chmodSync(join(blobs, blob), 0o600)
    truncateSync(join(blobs, blob), 50_000)
    expect((await line.run(['scrub'])).code).toBe(1)
    const { code, stdout } = await line.run(['doctor', '--json'])
    expect([code, stdout]).toEqual([1, expect.stringContaining('not served: demo/a')])
    await line.done('rm', 'demo/a')
    await line.done('scrub')
    expect((await doctor()).found.scrub).toBe('ok')
  })

  it('sees an audit that was changed', async () => {
    await line.done('mint', 'demo/a')
    const audit = join(line.folder, 'data', 'audit')
    const [name = ''] = readdirSync(audit).filter((file) => file.endsWith('.jsonl'))
    const text = readFileSync(join(audit, name), 'utf8')
    write(`data/audit/${name}`, text.replace('demo/a', 'demo/b'))
    expect(await doctor()).toMatchObject({ code: 1, found: { audit: 'fail' } })
  })

  it('changes nothing where there is no data folder yet', async () => {
    expect(await doctor()).toMatchObject({ code: 0, found: { 'data folder': 'warn' } })
    expect(readdirSync(line.folder)).toEqual([])
  })

  it('sees a clock that went back, and a full disk', async () => {
    await line.done('mint', 'demo/a')
    line.now = later(line.now, -100 as Seconds)
    expect(await doctor({ VALETKEY_STORE_RESERVE: '1000TiB' })).toMatchObject({
      code: 1,
      found: { clock: 'fail', disk: 'fail', 'signing key': 'ok' },
    })
  })

  it('sees a certificate that ends, has ended, or is none', async () => {
    const pems = join(import.meta.dirname, '../support/tls')
    const key = join(line.folder, 'tls.key')
    copyFileSync(join(pems, 'first.key'), key)
    chmodSync(key, 0o600)
    const tls = { VALETKEY_TLS_CERT: join(pems, 'first.pem'), VALETKEY_TLS_KEY: key }
    const end = secondsOf(certificateEnd(tls.VALETKEY_TLS_CERT).getTime())
    const status = async (now: UnixSeconds, more = {}): Promise<string | undefined> => {
      line.now = now
      return (await doctor({ ...tls, ...more })).found.certificate
    }
    expect(await status(later(end, (-15 * 86_400) as Seconds))).toBe('ok')
    expect(await status(later(end, (-13 * 86_400) as Seconds))).toBe('warn')
    expect(await status(end)).toBe('fail')
    expect(await status(line.now, { VALETKEY_TLS_CERT: join(pems, 'second.pem') })).toBe('fail')
  })

  it('sees secrets that others can read', async () => {
    await line.done('mint', 'demo/a')
    const secrets = readdirSync(join(line.folder, 'data', 'secrets'))
    const name = secrets.find((secret) => secret.endsWith('.key')) ?? ''
    chmodSync(join(line.folder, 'data', 'secrets', name), 0o644)
    expect(await doctor()).toMatchObject({
      code: 1,
      found: { permissions: 'fail', 'signing key': 'fail', 'database ledger': 'ok' },
    })
  })

  it('asks for the signing key that is missing rather than for a new one', async () => {
    await line.done('mint', 'demo/a')
    const secrets = join(line.folder, 'data', 'secrets')
    const name = readdirSync(secrets).find((secret) => secret.endsWith('.key')) ?? ''
    rmSync(join(secrets, name))
    const { code, stdout } = await line.run(['doctor', '--json'])
    expect([code, stdout]).toEqual([1, expect.stringContaining(`put ${name} back into`)])
  })

  it('sees a data folder that others can write to', async () => {
    await line.done('mint', 'demo/a')
    chmodSync(join(line.folder, 'data'), 0o775)
    expect(await doctor()).toMatchObject({ code: 1, found: { permissions: 'fail' } })
    chmodSync(join(line.folder, 'data'), 0o755)
    expect(await doctor()).toMatchObject({ code: 0, found: { permissions: 'ok' } })
  })

  it('sees a damaged database', async () => {
    await line.done('mint', 'demo/a')
    write('data/ledger.db', 'this is no database, whatever its name says'.repeat(50))
    expect(await doctor()).toMatchObject({ code: 1, found: { 'database ledger': 'fail' } })
  })

  it('stops at wrong settings', async () => {
    expect(await doctor({ VALETKEY_NONSENSE: '1' })).toMatchObject({
      code: 1,
      found: { configuration: 'fail' },
    })
  })
})
