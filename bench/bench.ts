/** What the rows share: the options, the folder, and servers that are started when first asked for. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Bare, startBare } from './anchors/bare.ts'
import { type Caddy, startCaddy } from './anchors/caddy.ts'
import { Nginx } from './anchors/nginx.ts'
import { type LoadResult, wrk } from './load/wrk.ts'
import type { Machine, ProgramName } from './machine.ts'
import { makeObjects } from './objects.ts'
import { Ours } from './ours.ts'
import type { Program } from './process.ts'

export interface BenchOptions {
  readonly machine: Machine
  /** the compiled program */
  readonly build: string
  /** where data of all sorts lies; on a real disk, or durability costs nothing */
  readonly folder: string
  readonly rounds: number
  /** of load in each run */
  readonly seconds: number
  /** tells how far it is */
  readonly tell: (text: string) => void
}

export class Bench {
  readonly options: BenchOptions
  /** servers on one core, load on another; undefined where there is one core only */
  readonly serverCore: number | undefined
  readonly loadCore: number | undefined
  #objects: string | undefined
  #ours: Promise<Ours> | undefined
  #nginx: Promise<Nginx | undefined> | undefined
  #caddy: Promise<Caddy | undefined> | undefined

  constructor(options: BenchOptions) {
    this.options = options
    const pins = options.machine.cores >= 2 && this.has('taskset')
    this.serverCore = pins ? 0 : undefined
    this.loadCore = pins ? 1 : undefined
    mkdirSync(options.folder, { recursive: true })
  }

  has(program: ProgramName): boolean {
    return !this.options.machine.missing.includes(program)
  }

  path(name: string): string {
    return join(this.options.folder, name)
  }

  /** A program of `bench/tasks/`, compiled. */
  work(name: string): string {
    return join(this.options.build, 'bench/tasks', `${name}.js`)
  }

  /** The folder of plain files. */
  get objects(): string {
    this.#objects ??= makeObjects(this.path('objects'))
    return this.#objects
  }

  /** A gateway that holds the objects, has issued keys, and has something to look up in its revocations. */
  ours(): Promise<Ours> {
    this.#ours ??= this.#startOurs()
    return this.#ours
  }

  nginx(): Promise<Nginx | undefined> {
    this.#nginx ??= this.#anchor('nginx', (folder) =>
      Nginx.start({ objects: this.objects, folder, core: this.serverCore }),
    )
    return this.#nginx
  }

  caddy(): Promise<Caddy | undefined> {
    this.#caddy ??= this.#anchor('caddy', (folder) =>
      startCaddy(this.objects, folder, this.serverCore),
    )
    return this.#caddy
  }

  /** @throws Error where there is nothing to make load with */
  async load(
    url: string,
    connections: number,
    more: { method?: 'PUT'; body?: string; each?: boolean; seconds?: number } = {},
  ): Promise<LoadResult> {
    if (!this.has('wrk')) throw new Error('wrk is not here: install it (Debian: apt install wrk)')
    const { seconds } = this.options
    return wrk({ url, connections, seconds, core: this.loadCore, ...more })
  }

  /** Starts a gateway on a data folder that the caller looks after. */
  startOurs(name: string, settings?: Readonly<Record<string, string>>): Promise<Ours> {
    return Ours.start({
      build: this.options.build,
      data: this.path(name),
      core: this.serverCore,
      ...(settings && { settings }),
    })
  }

  /** With a program of `bench/tasks/` that serves, for as long as that takes. @param name such as `bare-get` */
  async withBare<T>(
    name: string,
    args: readonly string[],
    use: (bare: Bare) => Promise<T>,
  ): Promise<T> {
    const folder = this.path('bare')
    const bare = await startBare({ script: this.work(name), args, folder, core: this.serverCore })
    try {
      return await use(bare)
    } finally {
      await bare.program.stop()
      this.remove('bare')
    }
  }

  async close(): Promise<void> {
    const started = await Promise.allSettled([this.#ours, this.#nginx, this.#caddy])
    const programs = started.flatMap((server): readonly Program[] =>
      server.status === 'fulfilled' && server.value ? [server.value.program] : [],
    )
    await Promise.all(programs.map((program) => program.stop()))
    for (const name of ['ours', 'nginx', 'caddy']) this.remove(name)
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true })
    rmSync(`${this.path(name)}.log`, { force: true })
  }

  /** One that is here but does not start is told of, and left out like one that is not here. */
  async #anchor<T>(
    name: 'nginx' | 'caddy',
    start: (folder: string) => Promise<T>,
  ): Promise<T | undefined> {
    if (!this.has(name)) return undefined
    try {
      return await start(this.path(name))
    } catch (error) {
      this.options.tell(`left out: ${(error as Error).message}`)
      return undefined
    }
  }

  async #startOurs(): Promise<Ours> {
    this.remove('ours')
    const ours = await this.startOurs('ours')
    await ours.fill(this.objects)
    await ours.revokeSomething()
    return ours
  }
}
