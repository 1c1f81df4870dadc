import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createSocketServer,
  type Server as SocketServer,
} from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { webhooksSection } from '../../../events/config.ts'
import type { Event } from '../../../events/events.ts'
import { targetsOf } from '../../../events/open.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const SECRET = Buffer.alloc(32, 5)
const EVENT: Event = {
  id: 'evt_1',
  type: 'upload.finished',
  time: '2026-11-24T10:00:00.000Z',
  subject: '/docs/a.txt',
  data: { size: 5 },
}

let temp: ReturnType<typeof tempFolder>
beforeEach(() => {
  temp = tempFolder()
})
afterEach(() => temp.remove())

const targetOf = (settings: object, section: object = { allowPrivate: true }) => {
  const parsed = webhooksSection.parse({ ...section, targets: { it: settings } })
  const env: Record<string, string> = { HOOK_SECRET: `whsec_${SECRET.toString('base64')}` }
  const [target] = targetsOf(parsed, 'https://files.example', (variable) => env[variable])
  if (target === undefined) throw new Error('no target')
  return target
}

const portOf = (server: Server | SocketServer): number => (server.address() as AddressInfo).port

describe('a webhook', () => {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = []
  let status = 204
  let server: Server
  beforeEach(async () => {
    seen.length = 0
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
        response.writeHead(status, { location: `http://127.0.0.1:${portOf(server)}/elsewhere` })
        response.end('x'.repeat(100_000))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    status = 204
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  const hook = (section?: object, host = '127.0.0.1') =>
    targetOf({ url: `http://${host}:${portOf(server)}/hook`, secretEnv: 'HOOK_SECRET' }, section)

  it('is a CloudEvent, signed as Standard Webhooks say', async () => {
    await hook().tell(EVENT)
    const [{ headers, body } = { headers: {}, body: '' }] = seen
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = headers
    const mac = createHmac('sha256', SECRET).update(`${id}.${time}.${body}`).digest('base64')
    expect([id, signature]).toEqual(['evt_1', `v1,${mac}`])
    expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(60)
    expect(headers['content-type']).toBe('application/cloudevents+json')
    expect(JSON.parse(body)).toEqual({
      specversion: '1.0',
      id: 'evt_1',
      source: 'https://files.example',
      type: 'valetkey.upload.finished',
      subject: '/docs/a.txt',
      time: EVENT.time,
      datacontenttype: 'application/json',
      data: { size: 5 },
    })
  })

  it.each([302, 307, 400, 500])(
    'that is answered by %i was not taken, and is not sent on',
    async (code) => {
      status = code
      await expect(hook().tell(EVENT)).rejects.toThrow(`it answered ${code}`)
      expect(seen).toHaveLength(1)
    },
  )

  it('goes to a name only where its addresses may be reached', async () => {
    await hook({ allowPrivate: true }, 'localhost').tell(EVENT)
    expect(seen).toHaveLength(1)
    const url = `https://localhost:${portOf(server)}/`
    const guarded = targetOf({ url, secretEnv: 'HOOK_SECRET' }, {})
    await expect(guarded.tell(EVENT)).rejects.toThrow(/is not on the internet/)
    expect(seen).toHaveLength(1)
  })

  it('is given up on when nobody answers in time', async () => {
    const silent = createSocketServer((socket) => socket.on('error', () => {})).listen(
      0,
      '127.0.0.1',
    )
    await once(silent, 'listening')
    const sockets: { destroy(): void }[] = []
    silent.on('connection', (socket) => sockets.push(socket))
    const url = `http://127.0.0.1:${portOf(silent)}/`
    const target = targetOf(
      { url, secretEnv: 'HOOK_SECRET' },
      { allowPrivate: true, timeout: '1s' },
    )
    await expect(target.tell(EVENT)).rejects.toThrow()
    for (const socket of sockets) socket.destroy()
    silent.close()
    await once(silent, 'close')
  })
})

describe('settings that are refused', () => {
  it.each<[object, RegExp]>([
    [
      { url: 'https://127.0.0.1/', secretEnv: 'HOOK_SECRET' },
      /targets\.it: 127\.0\.0\.1 is not on/,
    ],
    [{ url: 'http://example.com/', secretEnv: 'HOOK_SECRET' }, /over https/],
    [{ url: 'https://example.com/' }, /secretFile or secretEnv/],
    [{ url: 'https://example.com/', secretEnv: 'NONE' }, /NONE is not set/],
    [{ url: 'https://example.com/', exec: ['/bin/true'] }, /one of url, exec and mail/],
    [{ exec: ['notify'] }, /expected an absolute path/],
    [{ mail: { server: 'http://x/', from: 'a@b', to: 'a@b' } }, /expected a URL such as smtp/],
  ])('%j', (settings, expected) => {
    expect(() => targetOf(settings, {})).toThrow(expected)
  })

  it('a secret that others can read', () => {
    const secretFile = join(temp.path, 'secret')
    writeFileSync(secretFile, `whsec_${SECRET.toString('base64')}\n`)
    chmodSync(secretFile, 0o644)
    const asked = { url: 'https://example.com/', secretFile }
    expect(() => targetOf(asked)).toThrow(/can be read by others/)
    chmodSync(secretFile, 0o600)
    expect(() => targetOf(asked)).not.toThrow()
  })
})

describe('a command', () => {
  it('gets the event on standard input, and nothing of ours but its type and id', async () => {
    const file = join(temp.path, 'got')
    process.env.SOME_SECRET = 'x'
    const exec = ['/bin/sh', '-c', `cat > "$0"; env >> "$0"`, file]
    await targetOf({ exec }).tell(EVENT)
    delete process.env.SOME_SECRET
    const [body = '', ...env] = readFileSync(file, 'utf8').trim().split('\n')
    expect(JSON.parse(body)).toMatchObject({ id: 'evt_1', type: 'valetkey.upload.finished' })
    expect(env).toEqual(expect.arrayContaining(['EVENT_TYPE=upload.finished', 'EVENT_ID=evt_1']))
    expect(env.join()).not.toContain('SOME_SECRET')
  })

  it.each<[string, string[], RegExp]>([
    ['fails', ['/bin/false'], /exit code 1/],
    ['is not there', ['/nowhere/at/all'], /ENOENT/],
    ['hangs', ['/bin/sleep', '60'], /SIGKILL/],
  ])('that %s has not taken it', async (_, exec, expected) => {
    await expect(targetOf({ exec }, { timeout: '1s' }).tell(EVENT)).rejects.toThrow(expected)
  })
})

it('a command that hangs is ended with what it has started', async () => {
  const file = join(temp.path, 'pid')
  const exec = ['/bin/sh', '-c', 'sleep 60 & echo $! > "$0"; wait', file]
  await expect(targetOf({ exec }, { timeout: '1s' }).tell(EVENT)).rejects.toThrow(/SIGKILL/)
  const started = Number(readFileSync(file, 'utf8'))
  await expect.poll(() => isRunning(started), { timeout: 30_000 }).toBe(false)
})

/** Dead children that nobody has waited for yet do not count. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

it('a mail says what happened', async () => {
  const lines: string[] = []
  const server = createSocketServer((socket) => {
    let isData = false
    socket.write('220 here\r\n')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').slice(0, -1)) {
        lines.push(line)
        if (isData && line !== '.') continue
        isData = line === 'DATA'
        if (line === 'QUIT') socket.end('221 bye\r\n')
        else socket.write(isData ? '354 go\r\n' : '250 ok\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = { from: 'valetkey@example.com', to: 'ops@example.com' }
  await targetOf({ mail: { server: `smtp://127.0.0.1:${portOf(server)}`, ...address } }).tell(EVENT)
  server.close()
  await once(server, 'close')
  expect(lines).toEqual(
    expect.arrayContaining([
      'MAIL FROM:<valetkey@example.com>',
      'RCPT TO:<ops@example.com>',
      'Subject: valetkey: upload.finished /docs/a.txt',
      'Message-ID: <evt_1@valetkey>',
    ]),
  )
})
