/** Caddy's file_server, with no check of anything: what comfort costs elsewhere. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, Program } from '../process.ts'

export interface Caddy {
  readonly program: Program
  readonly origin: string
}

export async function startCaddy(
  objects: string,
  folder: string,
  core: number | undefined,
): Promise<Caddy> {
  mkdirSync(folder, { recursive: true })
  const origin = `http://127.0.0.1:${await freePort()}`
  const config = join(folder, 'Caddyfile')
  writeFileSync(
    config,
    `{
\tadmin off
\tauto_https off
\tlog {
\t\tlevel ERROR
\t}
}
${origin} {
\troot * ${objects}
\tfile_server
}
`,
  )
  const program = new Program({
    program: 'caddy',
    args: ['run', '--config', config, '--adapter', 'caddyfile'],
    // it would keep state beneath these
    env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    core,
    log: join(folder, 'caddy.log'),
  })
  await program.ready(origin)
  return { program, origin }
}
