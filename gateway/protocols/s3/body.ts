/** The body of a request of S3: in chunks or not, and held to everything that was stated of it. */
import { createHash } from 'node:crypto'
import type { PayloadExpectation } from '../../../key/dialects/sigv4-verify.ts'
import type { ObjectPath, Prefix } from '../../../key/object-path.ts'
import { type Bytes, bytes } from '../../../key/units.ts'
import { AwsChunkedReader, awsChunkedOptions } from '../../body/aws-chunked.ts'
import { type ChecksumAlgorithm, Checksummer, statedChecksums } from '../../body/checksums.ts'
import { Digester, statedDigests } from '../../body/digest.ts'
import { BodyReader, type ContentDigest } from '../../body/receive.ts'
import type { Headers } from '../../request.ts'
import type { Checksums, Writing } from '../../store/store.ts'
import { type OpenBody, takeIn } from '../../verbs/intake.ts'
import type { Call } from './call.ts'
import { S3Refusal } from './errors.ts'
import { wholeNumber } from './request.ts'

/** A body and what looks at it, for a verb that takes one. */
export interface S3Body {
  readonly body: OpenBody
  readonly digest: S3Digest
}

type Trailers = ReadonlyMap<string, string>

/** Computes what S3 knows content by, and checks what was stated of it. */
export class S3Digest implements ContentDigest {
  readonly #digester: Digester
  readonly #md5 = createHash('md5')
  readonly #checksummer: Checksummer
  readonly #payload: PayloadExpectation
  readonly #statedMd5: string | undefined
  readonly #trailers: () => Trailers | undefined
  #found: { readonly md5: Buffer; readonly checksums: Checksums['values'] } | undefined

  constructor(
    headers: Headers,
    payload: PayloadExpectation,
    checksummer: Checksummer,
    trailers: () => Trailers | undefined,
  ) {
    const others = new Map(headers)
    others.delete('content-md5')
    this.#digester = new Digester(statedDigests(others))
    this.#statedMd5 = md5Stated(headers)
    this.#payload = payload
    this.#checksummer = checksummer
    this.#trailers = trailers
  }

  update(chunk: Uint8Array): void {
    this.#digester.update(chunk)
    this.#md5.update(chunk)
    this.#checksummer.update(chunk)
  }

  finish(): string {
    const sha256 = this.#digester.finish()
    if (this.#payload.kind === 'sha256' && this.#payload.sha256 !== sha256) {
      throw new S3Refusal(
        'XAmzContentSHA256Mismatch',
        'what arrived does not have the SHA-256 that was signed; nothing was kept',
      )
    }
    const md5 = this.#md5.digest()
    if (this.#statedMd5 !== undefined && this.#statedMd5 !== md5.toString('base64')) {
      throw new S3Refusal('BadDigest', 'what arrived does not have the MD5 that Content-MD5 states')
    }
    const found = this.#checksummer.finish(this.#trailers())
    const named = Object.entries(found).map(([name, value]) => [name.toUpperCase(), value])
    this.#found = { md5, checksums: Object.fromEntries(named) }
    return sha256
  }

  get #known() {
    if (this.#found === undefined) throw new Error('asked before the content was whole')
    return this.#found
  }

  /** The MD5 in hex, in quotes. */
  get etag(): string {
    return `"${this.#known.md5.toString('hex')}"`
  }

  /** Of all bytes; undefined where none was asked for. */
  get checksums(): Checksums | undefined {
    const values = this.#known.checksums
    return Object.keys(values).length === 0 ? undefined : { type: 'FULL_OBJECT', values }
  }
}

/** RFC 1864. @throws S3Refusal InvalidDigest */
function md5Stated(headers: Headers): string | undefined {
  const stated = headers.get('content-md5')?.trim()
  if (stated === undefined) return undefined
  const digest = Buffer.from(stated, 'base64')
  if (digest.length === 16 && digest.toString('base64') === stated) return stated
  throw new S3Refusal('InvalidDigest', 'Content-MD5 is 16 bytes in base64')
}

/**
 * @param also checksums to compute, whether stated or not
 * @throws Refusal for what was stated and can not be read
 */
export async function bodyOf(
  { request, payload, exchange }: Call,
  also: readonly ChecksumAlgorithm[] = [],
): Promise<S3Body> {
  const { headers, hoisted } = request
  const header = (name: string) => headers.get(name)
  const options = payload.kind === 'streaming' ? awsChunkedOptions(header, payload) : undefined
  const stated = statedChecksums({ header, hoisted, trailers: options?.trailers ?? [] })
  const checksummer = await Checksummer.start(stated, hoisted, also)
  let chunked: AwsChunkedReader | undefined
  const body: OpenBody = (onBytes) => {
    const raw = new BodyReader(exchange.incoming, onBytes)
    if (options === undefined) return raw
    const reader = new AwsChunkedReader(raw, options)
    chunked = reader
    return { next: (least) => reader.next(least), fail: (why) => raw.fail(why) }
  }
  return { body, digest: new S3Digest(headers, payload, checksummer, () => chunked?.trailers) }
}

/** How many bytes of content the request says that it has. @throws S3Refusal InvalidArgument */
export function declaredSize({ request, payload }: Call): Bytes | undefined {
  const name = payload.kind === 'streaming' ? 'x-amz-decoded-content-length' : 'content-length'
  const text = request.headers.get(name)
  return text === undefined ? undefined : bytes(wholeNumber(text, name, 0))
}

/**
 * A body that is not stored, such as a list of keys, as UTF-8.
 * @param path of what it is about
 * @throws Refusal
 */
export async function smallBody(
  call: Call,
  path: ObjectPath | Prefix,
  most: Bytes,
): Promise<string> {
  const chunks: Uint8Array[] = []
  const writing: Writing = {
    write: async (batch) => void chunks.push(...batch),
    discard: async () => {},
  }
  return takeIn(
    {
      grant: call.grant,
      path,
      isContent: false,
      limits: { least: bytes(0), most, types: [], sha256: [], create: false },
      type: 'application/xml',
      ...(await bodyOf(call)),
      open: async () => writing,
      commit: async () => Buffer.concat(chunks).toString('utf8'),
    },
    call.exchange,
    call.services,
  )
}
