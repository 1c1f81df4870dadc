/**
 * The content coding `aws-chunked`: a body in chunks, signed or not, with trailing checksums or not.
 * A stage between the raw body and `receive`: takes batches, gives batches without the framing.
 * What it gives has not been found good before the end: nothing may be kept until it ended well.
 *
 *     chunk   = hex-size [";chunk-signature=" 64hex] CRLF data CRLF     ; the last one has size 0
 *     trailer = *(name ":" value CRLF) ["x-amz-trailer-signature:" 64hex CRLF]
 *     body    = *chunk trailer CRLF
 *
 * Where the trailer is signed, it is taken as minio-go writes it, too; the text signed is the same:
 *
 *     trailer = 1*(name ":" value LF) CRLF "x-amz-trailer-signature:" 64hex CRLF
 */
import { createHash, type Hash } from 'node:crypto'
import { sameSignature } from '../../key/dialects/sigv4.ts'
import type { ChunkChain } from '../../key/dialects/sigv4-chunks.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Bytes, bytes } from '../../key/units.ts'
import { Chunks } from '../../listener/chunks.ts'
import type { BatchSource } from './receive.ts'

/** Of a chunk's first line, and of all trailing lines together. */
const MAX_LINE_BYTES = 4096
/** Of a signed chunk: its data is on its way before its signature is known to be good. */
const MAX_SIGNED_CHUNK_BYTES = 16 << 20

export interface AwsChunkedOptions {
  /** of signed chunks: the signatures expected, one after the other */
  readonly chain?: ChunkChain
  /** lower-case names that `X-Amz-Trailer` announced; undefined where no trailer may come */
  readonly trailers?: readonly string[]
  /** `X-Amz-Decoded-Content-Length`, where stated */
  readonly decodedLength?: Bytes
}

const malformed = (detail: string): Refusal => new Refusal('request_malformed', detail)

const tampered = (what: string): Refusal =>
  new Refusal('signature_invalid', `the signature of ${what} is not good; nothing was kept`)

/** Where in the framing the next byte stands. */
type State = 'size' | 'data' | 'data-end' | 'trailer' | 'end'

/** How a line ends. */
type LineEnd = 'CRLF' | 'LF'

export class AwsChunkedReader implements BatchSource {
  readonly #source: BatchSource
  readonly #options: AwsChunkedOptions
  readonly #trailers = new Map<string, string>()
  #state: State = 'size'
  /** of the line that is being read, its end not seen yet */
  #line = ''
  #trailerBytes = 0
  #trailerText = ''
  #trailerSigned = false
  /** how all trailing headers end; 'gap': with LF, and the empty line behind them has come */
  #layout: LineEnd | 'gap' | undefined
  /** bytes of the current chunk that are still to come */
  #left = 0
  #total = 0
  #signature = ''
  #hash: Hash | undefined

  constructor(source: BatchSource, options: AwsChunkedOptions) {
    this.#source = source
    this.#options = options
  }

  /** By lower-case name; complete when {@link next} has answered undefined. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers
  }

  /**
   * @throws Refusal request_malformed, signature_invalid, incomplete_body, too_large
   */
  async next(least: number): Promise<readonly Uint8Array[] | undefined> {
    // in chunks as small as their sender likes
    const batch = new Chunks()
    while (batch.size < Math.max(1, least)) {
      const framed = await this.#source.next(Math.max(1, least) - batch.size)
      if (framed === undefined) {
        this.#checkEnd()
        return batch.size === 0 ? undefined : batch.take()
      }
      for (const piece of framed) {
        for (const data of this.#decode(piece)) batch.add(data)
      }
    }
    return batch.take()
  }

  *#decode(piece: Uint8Array): Iterable<Uint8Array> {
    let at = 0
    while (at < piece.length) {
      if (this.#state === 'end') throw malformed('something follows the last chunk')
      if (this.#state === 'data') {
        const data = piece.subarray(at, at + this.#left)
        at += data.length
        this.#take(data)
        yield data
      } else {
        at = this.#readLine(piece, at)
      }
    }
  }

  #take(data: Uint8Array): void {
    this.#hash?.update(data)
    this.#left -= data.length
    if (this.#left > 0) return
    this.#state = 'data-end'
    this.#checkChunk()
  }

  /** Takes bytes up to the end of a line; returns where the next one stands. */
  #readLine(piece: Uint8Array, from: number): number {
    const end = piece.indexOf(0x0a, from)
    const stop = end === -1 ? piece.length : end + 1
    if (this.#line.length + stop - from > MAX_LINE_BYTES) {
      throw malformed(`a line between chunks is at most ${MAX_LINE_BYTES} bytes long`)
    }
    this.#line += Buffer.from(piece.subarray(from, stop)).toString('latin1')
    if (end === -1) return stop
    const line = this.#line
    this.#line = ''
    if (line.endsWith('\r\n')) this.#takeLine(line.slice(0, -2))
    else this.#takeBareLine(line.slice(0, -1))
    return stop
  }

  #takeLine(line: string): void {
    if (this.#state === 'size') this.#beginChunk(line)
    else if (this.#state === 'trailer') this.#takeTrailer(line, 'CRLF')
    else this.#endData(line)
  }

  #takeBareLine(line: string): void {
    const { chain, trailers } = this.#options
    const isSigned = chain !== undefined && trailers !== undefined
    if (this.#state !== 'trailer' || !isSigned || line === '') {
      throw malformed('a line between chunks ends with CR LF')
    }
    this.#takeTrailer(line, 'LF')
  }

  #endData(line: string): void {
    if (line !== '')
      throw malformed('the data of a chunk ends with CR LF, after as many bytes as stated')
    this.#state = 'size'
  }

  #beginChunk(line: string): void {
    const signed = this.#options.chain !== undefined
    const pattern = signed
      ? /^([0-9a-fA-F]{1,13});chunk-signature=([0-9a-f]{64})$/
      : /^([0-9a-fA-F]{1,13})$/
    const [, hex, signature = ''] = pattern.exec(line) ?? []
    if (hex === undefined) {
      throw malformed(`a chunk begins with its size in hex${signed ? ';chunk-signature=…' : ''}`)
    }
    this.#left = Number.parseInt(hex, 16)
    this.#signature = signature
    this.#hash = signed ? createHash('sha256') : undefined
    this.#checkSize(signed)
    if (this.#left > 0) {
      this.#state = 'data'
      return
    }
    this.#checkChunk()
    this.#state = 'trailer'
  }

  #checkSize(signed: boolean): void {
    if (signed && this.#left > MAX_SIGNED_CHUNK_BYTES) {
      throw new Refusal('too_large', `a signed chunk has at most ${MAX_SIGNED_CHUNK_BYTES} bytes`)
    }
    this.#total += this.#left
    const { decodedLength } = this.#options
    if (decodedLength !== undefined && this.#total > decodedLength) {
      throw malformed('the chunks hold more bytes than X-Amz-Decoded-Content-Length states')
    }
  }

  #checkChunk(): void {
    const expected = this.#hash && this.#options.chain?.chunk(this.#hash.digest('hex'))
    if (expected !== undefined && !sameSignature(expected, this.#signature)) {
      throw tampered('a chunk')
    }
  }

  #takeTrailer(line: string, end: LineEnd): void {
    this.#trailerBytes += line.length
    if (this.#trailerBytes > MAX_LINE_BYTES) {
      throw malformed(`trailing headers are at most ${MAX_LINE_BYTES} bytes long`)
    }
    if (line === '') {
      if (this.#layout === 'LF') this.#layout = 'gap'
      else this.#endTrailer()
      return
    }
    const [, name = '', stated = ''] = /^([A-Za-z0-9-]{1,64}):([\t -~]*)$/.exec(line) ?? []
    // left to the expression, white space could be divided in ways by the cube of its length
    const value = stated.trim()
    const lower = value.includes('\t') ? '' : name.toLowerCase()
    if (lower === 'x-amz-trailer-signature') this.#checkTrailer(value, end)
    else this.#keepTrailer(lower, value, end)
  }

  #keepTrailer(lower: string, value: string, end: LineEnd): void {
    const { trailers = [] } = this.#options
    this.#layout ??= end
    if (this.#layout !== end) throw malformed('trailing headers all end in the same way')
    if (!trailers.includes(lower) || this.#trailers.has(lower) || this.#trailerSigned) {
      throw malformed('trailing headers are those that X-Amz-Trailer announces, each once')
    }
    this.#trailers.set(lower, value)
    this.#trailerText += `${lower}:${value}\n`
  }

  #checkTrailer(signature: string, end: LineEnd): void {
    const { chain, trailers } = this.#options
    if (end === 'LF' || this.#layout === 'LF') {
      throw malformed(
        'a trailer signature ends with CR LF, behind an empty line if headers end with LF',
      )
    }
    if (chain === undefined || trailers === undefined || this.#trailerSigned) {
      throw malformed('a trailer signature is sent once, where chunks and trailer are signed')
    }
    const expected = chain.trailer(createHash('sha256').update(this.#trailerText).digest('hex'))
    if (!sameSignature(expected, signature)) throw tampered('the trailer')
    this.#trailerSigned = true
  }

  #endTrailer(): void {
    const { chain, trailers } = this.#options
    const missing = trailers?.find((name) => !this.#trailers.has(name))
    if (missing !== undefined) {
      throw malformed(`the trailing header "${missing}", which X-Amz-Trailer announces, is missing`)
    }
    if (chain !== undefined && trailers !== undefined && !this.#trailerSigned) {
      throw tampered('the trailer')
    }
    this.#state = 'end'
  }

  #checkEnd(): void {
    const { decodedLength } = this.#options
    const isWhole = decodedLength === undefined || this.#total === decodedLength
    if (this.#state === 'end' && isWhole) return
    throw new Refusal(
      'incomplete_body',
      'the upload ended before its last chunk, or fell short of X-Amz-Decoded-Content-Length; nothing was kept',
    )
  }
}

/**
 * What a request says of its own aws-chunked body.
 * @throws Refusal request_malformed
 */
export function awsChunkedOptions(
  header: (name: string) => string | undefined,
  { trailer, chain }: { readonly trailer: boolean; readonly chain?: () => ChunkChain },
): AwsChunkedOptions {
  const length = header('x-amz-decoded-content-length')
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    throw malformed('X-Amz-Decoded-Content-Length is a whole number of bytes')
  }
  const names = (header('x-amz-trailer') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const announced = names.filter((name) => name !== '')
  if (!trailer && announced.length > 0) {
    throw malformed('X-Amz-Trailer belongs to a payload with a trailer: see X-Amz-Content-Sha256')
  }
  return {
    ...(chain && { chain: chain() }),
    ...(trailer && { trailers: announced }),
    ...(length !== undefined && { decodedLength: bytes(Number(length)) }),
  }
}
