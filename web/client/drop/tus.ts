/** A client of tus 1.0: <https://tus.io/protocols/resumable-upload>. Speaks of one upload at a time. */
import { Trouble, troubleOf, type Wire, type WireAnswer } from './wire.ts'

/** The first piece; the next ones follow how long pieces take. */
export const FIRST_PIECE = 4 << 20
/** As much as a proxy lets through that nobody has told otherwise. */
export const SMALLEST_PIECE = 1 << 20
const LARGEST_PIECE = 64 << 20

/**
 * How many bytes to send at once: so many that few requests are needed, and so few that little is
 * lost where a server keeps whole requests only.
 * @param took milliseconds that the last piece took
 */
export function nextPiece(bytes: number, took: number): number {
  if (took < 4_000) return Math.min(LARGEST_PIECE, bytes * 2)
  return took > 16_000 ? Math.max(SMALLEST_PIECE, bytes / 2) : bytes
}

export interface TusUpload {
  /** what of the file is there, in bytes */
  readonly offset: number
  /** of an upload that is whole: SHA-256 of the object, lower-case hex */
  readonly sha256: string | undefined
}

export class Tus {
  readonly #wire: Wire
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>

  /**
   * @param base where uploads are created, with a slash at its end
   * @param authorization the header that goes with every request
   */
  constructor(wire: Wire, base: string, authorization: Readonly<Record<string, string>>) {
    this.#wire = wire
    this.#base = base
    this.#headers = { ...authorization, 'Tus-Resumable': '1.0.0' }
  }

  /** The id of a new upload: the rest of its URL, as it is. @throws Trouble */
  async create(path: string, size: number, type: string, signal: AbortSignal): Promise<string> {
    const answer = await this.#wire({
      method: 'POST',
      url: this.#base,
      headers: {
        ...this.#headers,
        'Upload-Length': String(size),
        'Upload-Metadata': `path ${base64(path)},filetype ${base64(type)}`,
      },
      signal,
    })
    if (answer.status !== 201) throw troubleOf(answer)
    return idOf(answer.header('Location') ?? '')
  }

  /** Undefined where the server does not have the upload, or no longer. @throws Trouble */
  async find(id: string, signal: AbortSignal): Promise<TusUpload | undefined> {
    const url = this.#urlOf(id)
    const answer = await this.#wire({ method: 'HEAD', url, headers: this.#headers, signal })
    if (answer.status === 404 || answer.status === 410) return undefined
    if (answer.status >= 300) throw troubleOf(answer)
    return stateOf(answer)
  }

  /** Sends what follows at an offset. @throws Trouble */
  async append(
    id: string,
    offset: number,
    body: Blob,
    onSent: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<TusUpload> {
    const answer = await this.#wire({
      method: 'PATCH',
      url: this.#urlOf(id),
      headers: {
        ...this.#headers,
        'Upload-Offset': String(offset),
        'Content-Type': 'application/offset+octet-stream',
      },
      body,
      onSent,
      signal,
    })
    // gone since it was found: looked for again, it will not be, and is created anew
    if (answer.status === 404 || answer.status === 410) throw new Trouble('network')
    if (answer.status >= 300) throw troubleOf(answer)
    return stateOf(answer)
  }

  /** Tells the server to forget an upload. @throws Trouble */
  async drop(id: string, signal: AbortSignal): Promise<void> {
    const url = this.#urlOf(id)
    const answer = await this.#wire({ method: 'DELETE', url, headers: this.#headers, signal })
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 410) {
      throw troubleOf(answer)
    }
  }

  readonly #urlOf = (id: string): string => `${this.#base}${id}`
}

/**
 * Of a `Location`, what follows the place where uploads are created: the key goes nowhere but to
 * where the page is from, however a proxy in between spells host and path.
 * @throws Trouble unavailable
 */
function idOf(location: string): string {
  const id = /\/-\/tus\/([^?#]+)/.exec(location)?.[1]
  if (id === undefined) {
    throw new Trouble('unavailable', { detail: 'the upload was given no address' })
  }
  return id
}

/** @throws Trouble unavailable where it is no answer of a tus server */
function stateOf(answer: WireAnswer): TusUpload {
  const stated = answer.header('Upload-Offset') ?? ''
  if (!/^\d{1,16}$/.test(stated)) {
    throw new Trouble('unavailable', { detail: 'the server did not say how much it has' })
  }
  return { offset: Number(stated), sha256: sha256Of(answer.header('Repr-Digest')) }
}

/** RFC 9530: `sha-256=:BASE64:`, perhaps among others. */
export function sha256Of(digest: string | null): string | undefined {
  const found = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(digest ?? '')
  if (found?.[1] === undefined) return undefined
  return Array.from(atob(found[1]), (byte) =>
    byte.charCodeAt(0).toString(16).padStart(2, '0'),
  ).join('')
}

const base64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
