/** The contract of whoever looks at content before it becomes an object. Documented, no logic. */
import type { Bytes } from '../../key/units.ts'

export interface Scanner {
  /** how it is named in the log */
  readonly name: string
  /**
   * Reads the content, to its end unless it has seen enough.
   * @param signal aborted when the time is up
   * @throws Error where it came to no verdict; never a verdict
   */
  scan(
    content: AsyncIterable<Uint8Array>,
    about: Scanned,
    signal: AbortSignal,
  ): Promise<ScanVerdict>
}

/** What is known of the content. */
export interface Scanned {
  /** bucket and key */
  readonly path: string
  /** media type, as declared */
  readonly type: string
  readonly size: Bytes
  /** id of the key that brought it */
  readonly key: string
}

export interface ScanVerdict {
  readonly passed: boolean
  /** what was found, for the uploader and the log: printable, short; absent where nobody says */
  readonly found?: string
}
