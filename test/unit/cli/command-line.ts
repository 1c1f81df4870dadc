/** The program, run in this process: what it wrote, and its exit code. */
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { run } from '../../../cli/program.ts'
import type { Shell } from '../../../cli/shell.ts'
import type { Block } from '../../../key/claims.ts'
import { inspectKey } from '../../../key/inspect.ts'
import { keyOf } from '../../../key/link.ts'
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

/** A signing key of the environment: of another issuer, or of one without a data folder. */
export const SIGNING_KEY = `vk1sk.offline.${createHash('sha256').update('of the tests').digest('base64url')}`

/** Text that a stream was given. */
export class Sink extends Writable {
  text = ''
  readonly columns = 80
  readonly isTTY: boolean
  readonly #watchers: (() => void)[] = []
  #closed = false

  constructor(isTTY = false) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write(chunk: string | Buffer, _: string, done: (error?: Error) => void): void {
    if (this.#closed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      return
    }
    this.text += chunk.toString()
    for (const look of this.#watchers) look()
    done()
  }

  /** Nobody reads on: from now on, writing fails as on a pipe whose reader has gone. */
  close(): void {
    this.#closed = true
    this.on('error', () => {})
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

  runIn(shell: Shell, args: readonly string[]): Promise<number> {
    return run(args, shell)
  }

  async run(args: readonly string[], conditions?: Conditions): Promise<Outcome> {
    const shell = this.shell(conditions)
    const code = await this.runIn(shell, args)
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

  /** A link that somebody else signed. */
  async foreignLink(...mint: readonly string[]): Promise<string> {
    const env = { VALETKEY_SIGNING_KEY: SIGNING_KEY, VALETKEY_DATA: 'nowhere' }
    return (await this.run(['mint', ...mint], { env })).stdout.trim()
  }

  /** The claims of each block. */
  claimsOf(link: string): readonly Block[] {
    return inspectKey(keyOf(link).key, this.now).blocks.map(({ claims }) => claims)
  }

  remove(): void {
    this.#temp.remove()
  }
}
