/** Programs of `tasks/` that serve and do nothing else: what stands between them and us is what else we do. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, Program } from '../process.ts'

interface Options {
  /** `bench/tasks/bare-….js`, compiled; told its port first */
  readonly script: string
  readonly args: readonly string[]
  /** made anew */
  readonly folder: string
  readonly core: number | undefined
}

export interface Bare {
  readonly program: Program
  readonly origin: string
}

export async function startBare({ script, args, folder, core }: Options): Promise<Bare> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const origin = `http://127.0.0.1:${await freePort()}`
  const program = new Program({
    program: process.execPath,
    args: [script, new URL(origin).port, ...args],
    core,
    log: join(folder, 'bare.log'),
  })
  await program.ready(`${origin}/`)
  return { program, origin }
}
