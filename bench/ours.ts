/** valetkey, as `serve` runs it from a build, on a data folder of its own. */
import { createReadStream, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { SIZES } from './objects.ts'
import { freePort, output, Program } from './process.ts'

export interface OursOptions {
  /** of {@link build} */
  readonly build: string
  readonly data: string
  readonly core: number | undefined
  /** more of the settings, as environment variables */
  readonly settings?: Readonly<Record<string, string>>
}

export class Ours {
  readonly program: Program
  readonly origin: string
  /** seconds from its start to its first 200 of `/-/ready` */
  readonly startedIn: number
  readonly #options: OursOptions

  private constructor(program: Program, origin: string, startedIn: number, options: OursOptions) {
    this.program = program
    this.origin = origin
    this.startedIn = startedIn
    this.#options = options
  }

  static async start(options: OursOptions): Promise<Ours> {
    const { build, data, core, settings } = options
    mkdirSync(data, { recursive: true, mode: 0o700 })
    const port = await freePort()
    const log = `${data}.log`
    // the log of the run before tells nothing of this one
    rmSync(log, { force: true })
    const program = new Program({
      program: process.execPath,
      args: [
        ...[join(build, 'cli/main.js'), '--data', data],
        ...['serve', '--only', 'gateway', '--gateway-listen', `127.0.0.1:${port}`],
      ],
      core,
      log,
      ...(settings && { env: settings }),
    })
    const origin = `http://127.0.0.1:${port}`
    const startedIn = await program.ready(`${origin}/-/ready`, (status) => status === 200)
    return new Ours(program, origin, startedIn, options)
  }

  /** A URL with a key for exactly that, such as `GET` or `PUT,DELETE`; recorded as issued, like every key that the program mints. */
  async url(methods: string, path: string, scope = path): Promise<string> {
    const overwrite = methods.includes('PUT') ? ['--overwrite'] : []
    const minted = await this.#run(
      'mint',
      scope,
      '--method',
      methods,
      '--expires',
      '7d',
      ...overwrite,
    )
    const { key } = JSON.parse(minted) as { key: string }
    return `${this.origin}/${path}?vk=${key}`
  }

  /** Uploads the plain files of that folder as `bench/NAME`. */
  async fill(objects: string): Promise<void> {
    for (const name of Object.keys(SIZES)) {
      const file = join(objects, name)
      const response = await fetch(await this.url('PUT', `bench/${name}`), {
        method: 'PUT',
        headers: { 'content-length': String(statSync(file).size) },
        body: Readable.toWeb(createReadStream(file)) as ReadableStream,
        duplex: 'half',
      } as RequestInit)
      if (!response.ok) throw new Error(`${name} was not stored: ${await response.text()}`)
    }
  }

  /** Something of each kind is revoked, so that requests are looked up, as they are anywhere else. */
  async revokeSomething(): Promise<void> {
    await this.#run('revoke', 'some-id-that-nobody-has')
    await this.#run('revoke', '--subject', 'nobody')
    await this.#run('revoke', '--path', 'elsewhere/')
  }

  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.program.stop(signal)
  }

  #run(...args: readonly string[]): Promise<string> {
    const { build, data } = this.#options
    return output({
      program: process.execPath,
      args: [join(build, 'cli/main.js'), '--data', data, '--json', ...args],
      core: undefined,
    })
  }
}
