/** nginx in front of the gateway, which decides and has nginx send the file (X-Accel-Redirect). */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKOUT } from '../build.ts'
import { freePort, Program } from '../process.ts'

export interface Front {
  readonly program: Program
  readonly origin: string
}

interface Options {
  /** origin of the gateway, which has `offload = "x-accel-redirect"` and trusts 127.0.0.1 */
  readonly gateway: string
  /** the gateway's data folder: absolute */
  readonly data: string
  /** configuration and temporary files; made anew */
  readonly folder: string
  readonly core: number | undefined
}

export async function startFront({ gateway, data, folder, core }: Options): Promise<Front> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, configuration(gateway, data, folder, port))
  const log = join(folder, 'error.log')
  const args = ['-p', folder, '-c', config, '-e', log]
  const program = new Program({ program: 'nginx', args, core, log })
  const origin = `http://127.0.0.1:${port}`
  await program.ready(`${origin}/-/health`, (status) => status === 200)
  return { program, origin }
}

/** How nginx sends files, as everybody has it from our example, for another data folder. */
function sending(data: string): string {
  const example = readFileSync(join(CHECKOUT, 'examples/nginx/nginx.conf'), 'utf8')
  const block = /^ *location \/valetkey-files[^}]*\}/m.exec(example)?.[0]
  if (block === undefined) throw new Error('examples/nginx/nginx.conf sends no files any more')
  return block.replaceAll('/srv/valetkey/', `${data}/`)
}

const configuration = (gateway: string, data: string, folder: string, port: number): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 2048; }
http {
  access_log off;
  sendfile on;
  tcp_nopush off;
  sendfile_max_chunk 512k;
  keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream gateway { server ${new URL(gateway).host}; keepalive 32; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
${sending(data)}
  }
}
`
