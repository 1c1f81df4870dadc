/** Results go to stdout, for programs too; everything said to a person goes to stderr. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { Failure, OutputClosed } from './failure.ts'
import type { Shell } from './shell.ts'
import { type Column, formatTable } from './table.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export class Terminal {
  readonly #shell: Shell
  readonly #json: boolean

  constructor(shell: Shell, json: boolean) {
    this.#shell = shell
    this.#json = json
  }

  /**
   * The result of a command: the value itself with `--json`, else what a person reads.
   * @throws OutputClosed
   */
  async result(value: unknown, human: () => string): Promise<void> {
    await this.write(this.#json ? `${JSON.stringify(value, null, 2)}\n` : human())
  }

  /** Resolves when stdout has taken it. @throws OutputClosed */
  async write(data: string | Uint8Array): Promise<void> {
    if (data.length === 0) return
    await new Promise<void>((resolve, reject) => {
      this.#shell.stdout.write(data, (error) => {
        if (error === null || error === undefined) resolve()
        else if (isClosedPipe(error)) reject(new OutputClosed('stdout is closed'))
        else reject(error)
      })
    })
  }

  /** An explanation: to a person only, so that scripts see nothing they did not ask for. */
  note(text: string): void {
    if (this.isWatched) this.warn(text)
  }

  /** What must be known, whoever reads. */
  warn(text: string): void {
    this.#shell.stderr.write(`${text}\n`)
  }

  /** Whether a person sees stderr. */
  get isWatched(): boolean {
    return this.#shell.stderr.isTTY === true
  }

  /** Paints a result, where stdout is a terminal that wants colours. */
  readonly paint = (style: Style, text: string): string =>
    this.#shell.stdout.isTTY === true && !this.#shell.env.NO_COLOR
      ? styleText(style, text, { validateStream: false })
      : text

  /** Aligned columns for stdout; where that is a terminal, no wider than it is, if they can be. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
    const { isTTY, columns: width = 0 } = this.#shell.stdout
    const paintTitle = (text: string): string => this.paint('bold', text)
    return formatTable(columns, rows, {
      paintTitle,
      ...(isTTY === true && width > 0 && { width }),
    })
  }

  /**
   * Asks before something that can't be undone.
   * @throws Failure where nobody can be asked, or the answer is not yes
   */
  async confirm(question: string): Promise<void> {
    const { stdin, stderr } = this.#shell
    if (stdin.isTTY !== true || !this.isWatched) {
      throw new Failure(`${question} Nobody can be asked here: repeat with --yes`)
    }
    const prompt = createInterface({ input: stdin, output: stderr })
    try {
      const closed = once(prompt, 'close').then(() => '')
      const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed])
      if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('nothing was done: not confirmed')
    } finally {
      prompt.close()
    }
  }
}

/**
 * What a person types and nobody else may read; without a terminal, the first line of stdin.
 * @throws Failure where nothing comes
 */
export async function askSecret({ stdin, stderr }: Shell, question: string): Promise<string> {
  const isTyped = stdin.isTTY === true
  if (isTyped) stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  // a terminal of readline's own echoes to where it writes: to nowhere
  const prompt = createInterface({ input: stdin, output: nowhere, terminal: isTyped })
  try {
    const [line] = await Promise.race([once(prompt, 'line'), once(prompt, 'close')])
    if (typeof line === 'string' && line !== '') return line
    throw new Failure('nothing was entered')
  } finally {
    prompt.close()
    if (isTyped) stderr.write('\n')
  }
}

const isClosedPipe = (error: Error): boolean =>
  ['EPIPE', 'ERR_STREAM_DESTROYED'].includes(String((error as NodeJS.ErrnoException).code))
