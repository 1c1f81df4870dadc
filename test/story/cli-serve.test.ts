/** `valetkey serve`: it starts on an empty folder, says how to try it, and goes when it is told to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CommandLine, Sink } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const ANYWHERE = ['--gateway-listen', '127.0.0.1:0', '--issuer-listen', '127.0.0.1:0']

/** The two commands that `serve` prints, done as curl would do them. */
async function pasted(printed: string) {
  const [upload = '', download = ''] = printed.match(/^ {2}curl .*$/gm) ?? []
  const [, type, body, to] =
    /^ {2}curl --fail-with-body -X PUT -H 'Content-Type: (\S+)' --data-binary '([^']+)' '([^']+)'$/.exec(
      upload,
    ) ?? []
  const [, from] = /^ {2}curl --fail-with-body '([^']+)'$/.exec(download) ?? []
  const put = () =>
    fetch(to ?? '', { method: 'PUT', headers: { 'Content-Type': type ?? '' }, body: body ?? null })
  const statuses = [(await put()).status, (await put()).status]
  const got = await fetch(from ?? '')
  return { statuses, sent: body, received: await got.text() }
}

/** A serve in this process. */
async function serving(...args: string[]) {
  const shell = line.shell()
  const ended = line.runIn(shell, ['serve', ...ANYWHERE, ...args])
  await Promise.race([shell.stdout.matching(/\n\n$|^\}\n$/m), ended])
  return { shell, ended, out: shell.stdout.text, err: () => shell.stderr.text }
}

const urlIn = (printed: string, what: string): string =>
  new RegExp(`^${what} +(http\\S+)`, 'm').exec(printed)?.[1] ?? `no ${what} in: ${printed}`

describe('serve', () => {
  it('serves from an empty folder, as a program of its own, until SIGTERM', async () => {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    const args = [
      '--import',
      'tsx',
      main,
      'serve',
      '--data',
      join(line.folder, 'data'),
      ...ANYWHERE,
      '--access-log',
    ]
    const child = spawn(process.execPath, args)
    const [stdout, stderr] = [new Sink(), new Sink()]
    child.stdout.pipe(stdout)
    child.stderr.pipe(stderr)
    try {
      await stdout.matching(/\n\n$/)
      const { statuses, sent, received } = await pasted(stdout.text)
      expect(statuses).toEqual([201, 200])
      expect(received).toBe(sent)
      expect(await line.done('get', 'demo/hello.txt', '-')).toBe(sent)
      expect((await fetch(`${urlIn(stdout.text, 'gateway')}/-/ready`)).status).toBe(200)
      expect(await exitOf(child)).toBe(0)
    } finally {
      child.kill('SIGKILL')
    }
    const logged = stderr.text.trim().split('\n')
    expect(logged.map((text) => (JSON.parse(text) as { msg: string }).msg)).toContain('request')
    expect(stderr.text).not.toContain('vk1.')
    expect(await line.json('issued', '--subject', 'tour')).toMatchObject({
      keys: [{ issuedBy: 'serve' }, { issuedBy: 'serve' }],
    })
  })

  it('works beside the command line on the same folder', async () => {
    const { ended, out } = await serving()
    await line.run(['put', '-', 'demo/a.txt'], { stdin: 'put beside it' })
    const env = { VALETKEY_PUBLIC_URL: urlIn(out, 'gateway') }
    const link = (await line.run(['mint', 'demo/a.txt'], { env })).stdout.trim()
    expect(await (await fetch(link)).text()).toBe('put beside it')
    await line.done('revoke', link)
    const refused = await fetch(link)
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'key_revoked' }])
    line.signals.emit('SIGTERM', 'SIGTERM')
    expect(await ended).toBe(0)
    expect(line.signals.eventNames()).toEqual([])
  })

  it('mints over HTTP for whoever has the admin token', async () => {
    const { ended, out } = await serving('--json')
    const { issuer, gateway } = JSON.parse(out) as { issuer: string; gateway: string }
    const asked = (token: string) =>
      fetch(`${issuer}/v1/keys`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ path: 'demo/a.txt', methods: ['PUT'] }),
      })
    expect((await asked('guessed')).status).toBe(401)
    const token = readFileSync(join(line.folder, 'data', 'secrets', 'admin-token'), 'utf8').trim()
    const { url } = (await (await asked(token)).json()) as { url: string }
    expect(url.startsWith(`${gateway}/demo/a.txt?vk=`)).toBe(true)
    expect((await fetch(url, { method: 'PUT', body: 'minted over HTTP' })).status).toBe(201)
    line.signals.emit('SIGINT', 'SIGINT')
    expect(await ended).toBe(0)
  })

  it.each([
    ['gateway', /^issuer/m],
    ['issuer', /^gateway|curl/m],
  ])('runs one of the two: --only %s', async (part, absent) => {
    const { ended, out } = await serving('--only', part)
    line.signals.emit('SIGTERM', 'SIGTERM')
    expect(await ended).toBe(0)
    expect(out).toMatch(new RegExp(`^${part} +http`, 'm'))
    expect(out).not.toMatch(absent)
  })

  it('rereads on SIGHUP what can change, and names what can not', async () => {
    const { ended, shell } = await serving()
    line.signals.emit('SIGHUP', 'SIGHUP')
    const [, told = ''] = await shell.stderr.matching(/^(\{.*"reread".*\})$/m)
    expect(JSON.parse(told)).toMatchObject({ reread: ['signing keys', 'certificate', 'logLevel'] })
    line.signals.emit('SIGTERM', 'SIGTERM')
    expect(await ended).toBe(0)
  })

  it('ends at once at the second signal', async () => {
    const { ended } = await serving()
    line.signals.emit('SIGTERM', 'SIGTERM')
    expect(() => line.signals.emit('SIGTERM', 'SIGTERM')).toThrow('exit 1')
    expect(await ended).toBe(0)
  })
})

describe('serve refuses to start', () => {
  const refused = async (...args: string[]) => {
    const { ended, out, err } = await serving(...args)
    expect(await ended).toBe(1)
    expect(out).toBe('')
    return err()
  }

  it('where others would read keys on the way', async () => {
    expect(await refused('--gateway-listen', '0.0.0.0:0')).toMatch(
      /^valetkey: the gateway would listen on 0\.0\.0\.0 without TLS.*--insecure-http\n$/,
    )
    expect(await refused('--issuer-listen', '0.0.0.0:0')).toMatch(
      /^valetkey: the issuer would listen on 0\.0\.0\.0 without TLS/,
    )
    expect(await refused('--only', 'issuer', '--issuer-listen', '[::]:0')).toMatch(/the issuer/)
  })

  it('but does where that was decided, and then prints no key', async () => {
    const { ended, out } = await serving('--insecure-http', '--gateway-listen', '0.0.0.0:0')
    line.signals.emit('SIGTERM', 'SIGTERM')
    expect(await ended).toBe(0)
    expect(out).toMatch(/^gateway +http/m)
    expect(out).not.toContain('vk1.')
  })

  it.each(['--gateway-listen', '--issuer-listen'])(
    'where its address is taken: %s',
    async (flag) => {
      const taken = await occupied()
      try {
        const { port } = taken.address() as AddressInfo
        const err = await refused(flag, `127.0.0.1:${port}`)
        expect(err).toMatch(new RegExp(`^valetkey: .*127\\.0\\.0\\.1:${port}.* in use.*\n`, 'm'))
        expect(err).not.toContain('    at ')
      } finally {
        taken.close()
      }
    },
  )

  it('with wrong settings, all of which it lists', async () => {
    const err = await refused('--gateway-listen', 'here', '--issuer-listen', 'there')
    expect(err).toMatch(/--gateway-listen is "here"[\s\S]*--issuer-listen is "there"/)
  })
})

async function exitOf(child: ChildProcess): Promise<number | null> {
  // and all that it printed has come
  const exited = once(child, 'close')
  child.kill('SIGTERM')
  return (await exited)[0] as number | null
}

async function occupied(): Promise<Server> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}
