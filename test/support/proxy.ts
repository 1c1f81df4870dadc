/** Reverse proxies in front of a gateway: a plain one of Node, and nginx where it is installed. */
import { spawn, spawnSync } from 'node:child_process'
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
  const port = await freePort()
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(folder, 'nginx.conf'),
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
`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  await answering(port)
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** nginx can't take any port that is free and say which; another process may take it in between. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('nginx does not answer')
}
