/** Reverse proxies in front of a gateway: a plain one of Node, and nginx where it is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
export async function startNginx(to: number, location: string): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-nginx-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const conf = (port: number): string =>
    // as root, nginx would let its workers be somebody who can't write to the folder
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events {}
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port};
    ${location.replaceAll('PORT', String(to))}
  }
}
`
  const { port, child, exited } = await onFreePort((free) => {
    writeFileSync(join(folder, 'nginx.conf'), conf(free))
    return spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Listening {
  readonly port: number
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
}

/**
 * Starts a server that can't take any port that is free and say which. Where another process has
 * taken it in between, the server ends by itself, and starts on another one.
 */
export async function onFreePort(start: (port: number) => ChildProcess): Promise<Listening> {
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
