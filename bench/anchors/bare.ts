/** `tasks/bare-put.ts`: what stands between us and it is what we do beside storing. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, Program } from '../process.ts'

interface Options {
  /** `bench/tasks/bare-put.js`, compiled */
  readonly script: string
  /** made anew */
  readonly folder: string
  readonly core: number | undefined
}

export interface Bare {
  readonly program: Program
  readonly origin: string
}

export async function startBare({ script, folder, core }: Options): Promise<Bare> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const origin = `http://127.0.0.1:${await freePort()}`
  const args = [script, new URL(origin).port, join(folder, 'bare.db')]
  const log = join(folder, 'bare.log')
  const program = new Program({ program: process.execPath, args, core, log })
  await program.ready(`${origin}/`)
  return { program, origin }
}
