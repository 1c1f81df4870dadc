/** Looks at what was uploaded, before it becomes an object. */
import type { Logger } from 'pino'
import { bucketOf, type ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes } from '../../key/units.ts'
import { Gate } from '../store/lanes.ts'
import { clamd } from './clamd.ts'
import { command } from './command.ts'
import type { ScanSettings } from './config.ts'
import type { Scanned, Scanner } from './scanner.ts'

/** What is to be looked at: nobody sees it yet. */
export interface Staged extends Scanned {
  readonly path: ObjectPath
  /** each scanner reads it from its beginning */
  readonly read: () => AsyncIterable<Uint8Array>
}

export class Inspection {
  readonly #settings: ScanSettings
  readonly #scanners: readonly Scanner[]
  readonly #gate: Gate
  readonly #log: Logger

  /** Undefined where nothing is configured that would look. */
  static of(settings: ScanSettings, log: Logger): Inspection | undefined {
    const scanners = [
      ...(settings.clamd === undefined ? [] : [clamd(settings.clamd)]),
      ...(settings.command.length === 0 ? [] : [command(settings.command)]),
    ]
    return scanners.length === 0 ? undefined : new Inspection(settings, scanners, log)
  }

  private constructor(settings: ScanSettings, scanners: readonly Scanner[], log: Logger) {
    this.#settings = settings
    this.#scanners = scanners
    this.#gate = new Gate(settings.atOnce)
    this.#log = log
  }

  appliesTo(path: ObjectPath): boolean {
    const { buckets } = this.#settings
    return buckets.length === 0 || buckets.includes(bucketOf(path))
  }

  /** @throws Refusal too_large, also before a byte has come */
  checkSize(path: ObjectPath, size: Bytes): void {
    const { maxSize, tooLarge } = this.#settings
    if (size <= maxSize || tooLarge === 'accept' || !this.appliesTo(path)) return
    throw new Refusal(
      'too_large',
      `uploads to this bucket are checked, which takes at most ${maxSize} bytes; this one has ${size}`,
    )
  }

  /**
   * @returns why it may pass though nobody has looked at it; undefined where it was looked at
   * @throws Refusal content_refused, too_large, unavailable; or what reading the content threw
   */
  async check(staged: Staged): Promise<string | undefined> {
    this.checkSize(staged.path, staged.size)
    if (staged.size > this.#settings.maxSize) return 'it is larger than scan.maxSize'
    let unchecked: string | undefined
    for (const scanner of this.#scanners) unchecked ??= await this.#ask(scanner, staged)
    return unchecked
  }

  async #ask(scanner: Scanner, staged: Staged): Promise<string | undefined> {
    const { timeout } = this.#settings
    const signal = AbortSignal.timeout(timeout * 1000)
    const content = new Watched(staged.read())
    try {
      const verdict = await this.#gate.through(() => scanner.scan(content, staged, signal))
      if (verdict.passed) return undefined
      throw this.#refused(scanner, staged, verdict.found)
    } catch (error) {
      // whatever else may pass unchecked: not what can't be read back
      if (content.failure !== undefined) throw content.failure
      if (error instanceof Refusal) throw error
      return this.#undecided(scanner, staged, error as Error)
    }
  }

  #refused({ name }: Scanner, { path, key }: Staged, found: string | undefined): Refusal {
    this.#log.warn({ scanner: name, found, path, key }, 'an upload was refused for its content')
    const what = found === undefined ? '' : ` (${found})`
    return new Refusal(
      'content_refused',
      `the check of uploads does not let this content pass${what}; nothing was kept`,
    )
  }

  #undecided({ name }: Scanner, { path, key }: Staged, error: Error): string {
    const accepts = this.#settings.onFailure === 'accept'
    this.#log.error({ err: error, scanner: name, path, key, accepted: accepts }, 'no verdict')
    if (accepts) return `${name} came to no verdict`
    throw new Refusal(
      'unavailable',
      'the content could not be checked, and goes nowhere unchecked; send it again in a while',
      { cause: error },
    )
  }
}

/** Content that tells whether reading it has failed. */
class Watched implements AsyncIterable<Uint8Array> {
  failure: unknown
  readonly #content: AsyncIterable<Uint8Array>

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#content = content
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#content
    } catch (error) {
      this.failure = error
      throw error
    }
  }
}
