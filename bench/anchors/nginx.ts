/** nginx, one worker, keep-alive, no access log: what a user would pick instead. */
import { spawnSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, Program } from '../process.ts'

const NJS_SCRIPT = fileURLToPath(new URL('hmac.js', import.meta.url))
const SECRET = 'a secret for the benchmark alone'
const LIFE = 7 * 86_400

/** How it is set up; each listens on a port of its own, and only one is asked at a time. */
const VARIANTS = ['nopush', 'cached', 'chunked', 'njs', 'dav'] as const
export type Variant = (typeof VARIANTS)[number]

/** secure_link, as its documentation shows it. */
const SECURE_LINK = `
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri ${SECRET}";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }`

const DIRECTIVES: Readonly<Record<Variant, string>> = {
  nopush: `tcp_nopush on; location / {${SECURE_LINK} }`,
  cached: `tcp_nopush on; open_file_cache max=1000; location / {${SECURE_LINK} }`,
  chunked: `tcp_nopush off; sendfile_max_chunk 512k; location / {${SECURE_LINK} }`,
  njs: 'tcp_nopush on; location / { if ($signed = "0") { return 403; } }',
  dav: 'client_max_body_size 0; location / { dav_methods PUT; create_full_put_path on; }',
}

interface Options {
  /** what it reads */
  readonly objects: string
  /** configuration, temporary files and what is uploaded; made anew */
  readonly folder: string
  readonly core: number | undefined
}

export class Nginx {
  readonly program: Program
  readonly hasNjs: boolean
  readonly #ports: Readonly<Record<Variant, number>>

  private constructor(program: Program, hasNjs: boolean, ports: Readonly<Record<Variant, number>>) {
    this.program = program
    this.hasNjs = hasNjs
    this.#ports = ports
  }

  static async start({ objects, folder, core }: Options): Promise<Nginx> {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, 'dav'), { recursive: true })
    const ports: Record<Variant, number> = { nopush: 0, cached: 0, chunked: 0, njs: 0, dav: 0 }
    for (const variant of VARIANTS) ports[variant] = await freePort()
    const njs = njsModule()
    const config = join(folder, 'nginx.conf')
    writeFileSync(config, configuration({ objects, folder }, ports, njs))
    const log = join(folder, 'error.log')
    const args = ['-p', folder, '-c', config, '-e', log]
    const program = new Program({ program: 'nginx', args, core, log })
    await program.ready(`http://127.0.0.1:${ports.nopush}/`)
    return new Nginx(program, njs !== undefined, ports)
  }

  /** A URL that is allowed, signed as the variant wants it. */
  url(variant: Variant, path: string): string {
    const expires = String(Math.floor(Date.now() / 1000) + LIFE)
    const base = `http://127.0.0.1:${this.#ports[variant]}/${path}`
    if (variant === 'dav') return base
    if (variant === 'njs') {
      const mac = createHmac('sha256', SECRET).update(`/${path}\n${expires}`)
      return `${base}?signature=${mac.digest('base64url')}&expires=${expires}`
    }
    const md5 = createHash('md5').update(`${expires}/${path} ${SECRET}`)
    return `${base}?md5=${md5.digest('base64url')}&expires=${expires}`
  }
}

/** The module's file, where this nginx has it. */
function njsModule(): string | undefined {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' })
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1]
  const file = folder && join(folder, 'ngx_http_js_module.so')
  return file && existsSync(file) ? file : undefined
}

function configuration(
  { objects, folder }: Pick<Options, 'objects' | 'folder'>,
  ports: Readonly<Record<Variant, number>>,
  njs: string | undefined,
): string {
  const server = (variant: Variant): string => `
  server {
    listen 127.0.0.1:${ports[variant]};
    root ${variant === 'dav' ? join(folder, 'dav') : objects};
    ${DIRECTIVES[variant]}
  }`
  const offered = VARIANTS.filter((variant) => variant !== 'njs' || njs !== undefined)
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
${njs === undefined ? '' : `load_module ${njs};`}
events { worker_connections 2048; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  ${njs === undefined ? '' : `js_import hmac from ${njsScript(folder)}; js_set $signed hmac.verify;`}
  ${offered.map(server).join('')}
}
`
}

/** njs imports from beside its configuration only. */
function njsScript(folder: string): string {
  const copy = join(folder, 'hmac.js')
  writeFileSync(copy, readFileSync(NJS_SCRIPT))
  return copy
}
