/** Reverse proxies in front of a gateway: a plain one of Node; nginx and Caddy where they are installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Front {
  readonly url: string
  readonly close: () => Promise<void>
}

export interface ProxyOptions {
  readonly to: number
  /** what the proxy takes off the path before it passes the request on */
  readonly strip?: string
  /** headers it sets, and those it drops by undefined */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export async function startProxy({ to, strip = '', headers = {} }: ProxyOptions): Promise<Front> {
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const path = (incoming.url ?? '').slice(strip.length)
    const stated = Object.entries({ ...incoming.headers, ...headers })
    const upstream = request({
      host: '127.0.0.1',
      port: to,
      path,
      method: incoming.method ?? 'GET',
      headers: Object.fromEntries(stated.filter(([, value]) => value !== undefined)),
    })
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    incoming.pipe(upstream)
  }
  const server = createServer(pass).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const hasNginx = (): boolean => spawnSync('nginx', ['-v']).error === undefined

/** @param location the directives of `location`, with PORT for the gateway's */
export const startNginx = (to: number, location: string): Promise<Front> =>
  startNginxWith(
    (port) =>
      `client_max_body_size 0; server { listen 127.0.0.1:${port}; ${location.replaceAll('PORT', String(to))} }`,
  )

/** @param http what stands in its block `http` when it listens on a port */
async function startNginxWith(http: (port: number) => string): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-nginx-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const conf = (port: number): string =>
    // as root, nginx would let its workers be somebody who can't write to the folder
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events {}
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${http(port)}
}
`
  const { port, child, exited } = await onFreePort((free) => {
    writeFileSync(join(folder, 'nginx.conf'), conf(free))
    return spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  })
  return ended(port, folder, child, exited)
}

const ended = (
  port: number,
  folder: string,
  child: ChildProcess,
  exited: Promise<unknown>,
): Front => ({
  url: `http://127.0.0.1:${port}`,
  close: async () => {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  },
})

export const hasCaddy = (): boolean => spawnSync('caddy', ['version']).error === undefined

async function startCaddyWith(sites: (port: number) => string): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-caddy-'))
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const file = join(folder, 'Caddyfile')
  const { port, child, exited } = await onFreePort((free) => {
    writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${sites(free)}`)
    return spawn('caddy', ['run', '--config', file], { stdio: 'ignore', env })
  })
  return ended(port, folder, child, exited)
}

/** What the examples are for, where it is in a test. */
export interface Behind {
  readonly gateway: number
  /** the data folder */
  readonly data: string
  /** of the service that a key is put in front of */
  readonly service?: number
}

export const FILES = 'files.example.com'
export const REPORTS = 'reports.example.com'

const example = (name: string): string =>
  readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')

const moved = (text: string, { gateway, data, service = 9 }: Behind): string =>
  text
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${gateway}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${service}`)
    .replaceAll('/srv/valetkey', data)

/** `examples/nginx/nginx.conf` as it stands, but for addresses, folders and TLS. */
export const startNginxExample = (behind: Behind): Promise<Front> =>
  startNginxWith((port) =>
    moved(example('nginx/nginx.conf'), behind)
      .replaceAll('listen 443 ssl;', `listen 127.0.0.1:${port};`)
      .replace(/^ *ssl_certificate.*$/gm, ''),
  )

/** `examples/caddy/Caddyfile` as it stands, but for addresses, folders and TLS. */
export const startCaddyExample = (behind: Behind): Promise<Front> =>
  startCaddyWith((port) =>
    moved(example('caddy/Caddyfile'), behind).replace(
      /^(\w+\.example\.com) \{$/gm,
      `http://$1:${port} {\n\tbind 127.0.0.1`,
    ),
  )

interface Listening {
  readonly port: number
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
}

/**
 * Starts a server that can't take any port that is free and say which. Where another process has
 * taken it in between, the server ends by itself, and starts on another one.
 */
async function onFreePort(start: (port: number) => ChildProcess): Promise<Listening> {
  for (let tries = 0; tries < 5; tries += 1) {
    const port = await freePort()
    const child = start(port)
    const exited = once(child, 'exit')
    if (await isServing(port, child)) return { port, child, exited }
    await exited
  }
  throw new Error('the server does not start')
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Whether it answers; false where it has ended, since somebody else has the port, who may answer too. */
async function isServing(port: number, child: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + 60_000
  while (child.exitCode === null && child.signalCode === null) {
    if (performance.now() > deadline) throw new Error('the server does not answer')
    const name = await fetch(`http://127.0.0.1:${port}/`).then(
      ({ headers }) => headers.get('server') ?? '',
      () => '',
    )
    if (/^(nginx|Caddy)/.test(name)) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}
