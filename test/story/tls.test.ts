/** `valetkey serve` with TLS of its own: keys do not travel in the clear, and certificates are renewed. */
import { once } from 'node:events'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { getGlobalDispatcher, setGlobalDispatcher, Agent as UndiciAgent } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { publicUrl } from '../../cli/doctor/network.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

const PEMS = join(import.meta.dirname, '../support/tls')
const ANYWHERE = ['--gateway-listen', '127.0.0.1:0', '--issuer-listen', '127.0.0.1:0']

let line: CommandLine
let agent: Agent
beforeEach(() => {
  line = new CommandLine()
  agent = new Agent({ keepAlive: true, ca: readFileSync(join(PEMS, 'ca.pem')) })
  take('first')
})
afterEach(() => {
  agent.destroy()
  line.remove()
})

const file = (name: string): string => join(line.folder, name)

/** What an ACME client does when a certificate is due. */
function take(name: string): void {
  copyFileSync(join(PEMS, `${name}.pem`), file('tls.pem'))
  copyFileSync(join(PEMS, `${name}.key`), file('tls.key'))
  chmodSync(file('tls.key'), 0o600)
}

function configure(more = ''): void {
  writeFileSync(
    file('valetkey.toml'),
    `[tls]\ncert = "${file('tls.pem')}"\nkey = "${file('tls.key')}"\n${more}`,
  )
}

async function serving(...args: string[]) {
  const shell = line.shell()
  const ended = line.runIn(shell, [
    '--config',
    file('valetkey.toml'),
    'serve',
    ...ANYWHERE,
    ...args,
  ])
  await Promise.race([shell.stdout.matching(/\n\n$/m), ended])
  const urlOf = (what: string): string =>
    new RegExp(`^${what} +(\\S+)`, 'm').exec(shell.stdout.text)?.[1] ?? ''
  const stop = (): Promise<unknown> => {
    line.signals.emit('SIGTERM', 'SIGTERM')
    return ended
  }
  return { shell, ended, stop, gateway: urlOf('gateway'), issuer: urlOf('issuer') }
}

interface Answer {
  readonly status: number | undefined
  readonly hsts: string | undefined
  /** of the certificate */
  readonly name: string
}

function ask(url: string, options: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { agent, ...options }, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate()
      response.resume().once('end', () =>
        resolve({
          status: response.statusCode,
          hsts: response.headers['strict-transport-security'],
          name: String(subject.CN),
        }),
      )
    })
      .once('error', reject)
      .end()
  })
}

describe('serve with a certificate', () => {
  it('speaks TLS on both listeners, says so in its links, and tells browsers to stay with it', async () => {
    configure()
    const { shell, stop, gateway, issuer } = await serving()
    expect([gateway, issuer].every((url) => url.startsWith('https://127.0.0.1:'))).toBe(true)
    expect(shell.stdout.text).toMatch(/curl --fail-with-body 'https:/)
    const ready = { status: 200, hsts: 'max-age=31536000', name: 'first' }
    expect(await ask(`${gateway}/-/ready`)).toEqual(ready)
    expect(await ask(`${gateway}/bucket/object`)).toEqual({ ...ready, status: 401 })
    expect(await ask(`${issuer}/v1/keys`)).toEqual({ ...ready, status: 401 })
    await expect(fetch(gateway.replace('https', 'http'))).rejects.toThrow()
    await stop()
  })

  it('refuses versions before TLS 1.2', async () => {
    configure()
    const { stop, gateway } = await serving()
    const socket = connect({
      port: Number(new URL(gateway).port),
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
      rejectUnauthorized: false,
    })
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toMatch(/protocol version|unsupported/i)
    await stop()
  })

  it('takes a new certificate on SIGHUP without dropping a connection', async () => {
    configure()
    const { shell, stop, gateway, issuer } = await serving()
    expect((await ask(`${gateway}/-/ready`)).name).toBe('first')
    take('second')
    line.signals.emit('SIGHUP', 'SIGHUP')
    await shell.stderr.matching(/"reread"/)
    // the connection that was there goes on under what it began with
    expect((await ask(`${gateway}/-/ready`)).name).toBe('first')
    const fresh = { agent: new Agent({ ca: readFileSync(join(PEMS, 'ca.pem')) }) }
    expect((await ask(`${gateway}/-/ready`, fresh)).name).toBe('second')
    expect((await ask(`${issuer}/v1/keys`, fresh)).name).toBe('second')
    await stop()
  })

  it('keeps what it has when the new files do not belong together', async () => {
    configure()
    const { shell, stop, gateway } = await serving()
    copyFileSync(join(PEMS, 'second.pem'), file('tls.pem'))
    line.signals.emit('SIGHUP', 'SIGHUP')
    await shell.stderr.matching(/not reread/)
    expect(shell.stderr.text).toContain('no certificate with its key')
    const fresh = { agent: new Agent({ ca: readFileSync(join(PEMS, 'ca.pem')) }) }
    expect((await ask(`${gateway}/-/ready`, fresh)).name).toBe('first')
    await stop()
  })

  it('lets the issuer answer only clients with a certificate, where that is configured', async () => {
    configure(`issuerClientCa = "${join(PEMS, 'ca.pem')}"\n`)
    const { stop, gateway, issuer } = await serving()
    await expect(ask(`${issuer}/v1/keys`)).rejects.toThrow()
    const operator = {
      agent: new Agent({
        ca: readFileSync(join(PEMS, 'ca.pem')),
        cert: readFileSync(join(PEMS, 'client.pem')),
        key: readFileSync(join(PEMS, 'client.key')),
      }),
    }
    expect((await ask(`${issuer}/v1/keys`, operator)).status).toBe(401)
    expect((await ask(`${gateway}/-/ready`)).status).toBe(200)
    await stop()
  })

  it('may listen beyond this machine', async () => {
    configure()
    const { stop, gateway } = await serving('--gateway-listen', '0.0.0.0:0')
    expect((await ask(`${gateway}/-/ready`)).status).toBe(200)
    await stop()
  })
})

describe('doctor', () => {
  const findings = async (env: Record<string, string>) => {
    const { stdout } = await line.run(['--config', file('valetkey.toml'), 'doctor', '--json'], {
      env,
    })
    return JSON.parse(stdout).findings as readonly {
      check: string
      status: string
      detail: string
    }[]
  }

  it('asks the gateway at its address, whatever name its certificate has', async () => {
    configure()
    const { stop, gateway } = await serving()
    const found = await findings({ VALETKEY_GATEWAY_LISTEN: new URL(gateway).host })
    expect(found.find(({ check }) => check === 'gateway')).toEqual({
      check: 'gateway',
      status: 'ok',
      detail: `ready at ${gateway}`,
    })
    await stop()
  })

  it('finds that the certificate of a proxy has expired', async () => {
    const [cert, key] = ['pem', 'key'].map((end) => readFileSync(join(PEMS, `expired.${end}`)))
    const before = getGlobalDispatcher()
    const proxy = createServer({ cert, key }, (_, answer) => answer.end()).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const trusting = new UndiciAgent({ connect: { ca: cert } })
    setGlobalDispatcher(trusting)
    const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    expect(await publicUrl(url, undefined, true)).toEqual([
      expect.objectContaining({ status: 'fail', detail: `the certificate at ${url} has expired` }),
    ])
    setGlobalDispatcher(before)
    await trusting.close()
    proxy.close()
  })
})

describe('serve does not start', () => {
  it.each([
    ['with half a pair', '[tls]\ncert = "CERT"\n', /tls\.cert and tls\.key belong together/],
    ['with files that are not there', '[tls]\ncert = "CERT.not"\nkey = "KEY"\n', /can not be read/],
    [
      'with a pair that is none',
      '[tls]\ncert = "KEY"\nkey = "KEY"\n',
      /no certificate with its key/,
    ],
    ['with clients to check and no TLS', '[tls]\nissuerClientCa = "CERT"\n', /needs tls\.cert/],
  ])('%s', async (_, toml, expected) => {
    const text = toml.replaceAll('CERT', file('tls.pem')).replaceAll('KEY', file('tls.key'))
    writeFileSync(file('valetkey.toml'), text)
    const { shell, ended } = await serving()
    await ended
    expect(shell.stderr.text).toMatch(expected)
  })

  it('with a key that everybody can read', async () => {
    configure()
    chmodSync(file('tls.key'), 0o644)
    const { shell, ended } = await serving()
    await ended
    expect(shell.stderr.text).toMatch(
      /tls\.key\) can be read by everybody on this machine: chmod o-r/,
    )
  })
})
