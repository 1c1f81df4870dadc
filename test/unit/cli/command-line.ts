/** The program, run in this process: what it wrote, and its exit code. */
import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { run } from '../../../cli/program.ts'
import type { Shell } from '../../../cli/shell.ts'
import { secondsOf, type UnixSeconds } from '../../../key/units.ts'
import { tempFolder } from '../../support/temp-folder.ts'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Conditions {
  readonly env?: Record<string, string>
  readonly stdin?: string
  readonly isTTY?: boolean
}

/** Text that a stream was given. */
export class Sink extends Writable {
  text = ''
  readonly columns = 80
  readonly isTTY: boolean
  readonly #watchers: (() => void)[] = []

  constructor(isTTY = false) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write(chunk: string | Buffer, _: string, done: (error?: Error) => void): void {
    this.text += chunk.toString()
    for (const look of this.#watchers) look()
    done()
  }

  /** Resolves when what was written matches. */
  matching(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = () => {
        const match = pattern.exec(this.text)
        if (match !== null) resolve(match)
      }
      this.#watchers.push(look)
      look()
    })
  }
}

/** A terminal in a fresh folder, whose data folder is `data`. */
export class CommandLine {
  readonly #temp = tempFolder()
  readonly folder = this.#temp.path
  readonly signals = new EventEmitter()
  now: UnixSeconds = secondsOf(Date.now())

  shell({ env = {}, stdin = '', isTTY = false }: Conditions = {}): Shell & {
    readonly stdout: Sink
    readonly stderr: Sink
  } {
    return {
      stdin: Object.assign(Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]), { isTTY }),
      stdout: new Sink(isTTY),
      stderr: new Sink(isTTY),
      env: { VALETKEY_DATA: 'data', ...env },
      cwd: this.folder,
      now: () => this.now,
      signals: this.signals,
      exit: (code) => {
        throw new Error(`exit ${code}`)
      },
    }
  }

  async run(args: readonly string[], conditions?: Conditions): Promise<Outcome> {
    const shell = this.shell(conditions)
    const code = await run(args, shell)
    return { code, stdout: shell.stdout.text, stderr: shell.stderr.text }
  }

  /** What a command line that must do its work prints, without the last line's end. */
  async done(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args)
    if (code !== 0) throw new Error(`valetkey ${args.join(' ')}: exit ${code}: ${stderr}`)
    return stdout.replace(/\n$/, '')
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.done(...args, '--json')) as T
  }

  remove(): void {
    this.#temp.remove()
  }
}
