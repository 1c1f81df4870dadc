/**
 * A form that uploads one file: `multipart/form-data` (RFC 7578), read as it comes. Its fields are
 * those before the file; fields that follow it are read to their end, and ignored. A second file is
 * refused, so that none is lost unnoticed.
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { BusboyInstance } from '@fastify/busboy'
import { Refusal } from '../../key/refusal.ts'
import { Chunks } from '../../listener/chunks.ts'
import { onDemand } from '../on-demand.ts'
import { type Body, BodyReader } from './receive.ts'

/** Everything but the file, before and after it. */
const MAX_FIELD_BYTES = 20 * 1024
const MAX_FIELDS = 64
/** How long the fields may take, in milliseconds: nobody is known yet whom a transfer would be of. */
const FIELDS_TIMEOUT = 30_000

const malformed = (detail: string): Refusal => new Refusal('request_malformed', detail)

const TOO_MUCH = new Refusal(
  'too_large',
  `the fields of a form have at most ${MAX_FIELD_BYTES} bytes, its file apart`,
)

const TWO_FILES = malformed('the form has more than one file: send each in a form of its own')

const NOT_WHOLE = malformed('the form is not whole multipart/form-data; nothing was kept')

export interface Form {
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** as the browser calls the file; empty where it does not say */
  readonly fileName: string
  /** media type of the file, as the browser declares it */
  readonly fileType: string
  /** The file's content; it ends only when the whole form has been found good. */
  readonly body: (onBytes: (count: number) => void) => Body
}

/**
 * Resolves when the file begins.
 * @param contentType the header, with its boundary
 * @param onField told the name of each field before the file
 * @throws Refusal request_malformed, too_large, too_slow, incomplete_body
 */
export async function readForm(
  incoming: IncomingMessage,
  contentType: string,
  onField: (name: string) => void = () => {},
): Promise<Form> {
  const reader = new FormReader(incoming, parserFor(contentType), onField)
  const timer = setTimeout(
    () => reader.fail(new Refusal('too_slow', 'the fields of a form arrive within 30 seconds')),
    FIELDS_TIMEOUT,
  )
  try {
    return await reader.untilFile()
  } finally {
    clearTimeout(timer)
  }
}

const busboy = onDemand<typeof import('@fastify/busboy')>('@fastify/busboy')

function parserFor(contentType: string): BusboyInstance {
  const { Busboy } = busboy()
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      preservePath: true,
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      limits: {
        fieldNameSize: 256,
        fieldSize: MAX_FIELD_BYTES,
        fields: MAX_FIELDS,
        files: 1,
        headerPairs: 32,
        headerSize: 8192,
      },
    })
  } catch {
    throw malformed('a form is multipart/form-data with a boundary')
  }
}

class FormReader {
  readonly #raw: BodyReader
  readonly #parser: BusboyInstance
  readonly #fields: (readonly [string, string])[] = []
  /** of all that is not the file's content, headers and boundaries of parts included */
  #besideFile = 0
  #fieldBytes = 0
  #inFile = false
  #failure: Refusal | undefined
  #onFailure: (why: Refusal) => void = () => {}
  readonly #done: Promise<void>

  constructor(incoming: IncomingMessage, parser: BusboyInstance, onField: (name: string) => void) {
    this.#raw = new BodyReader(incoming, () => {})
    this.#parser = parser
    parser.on('field', (name, value, _, isTruncated) => {
      onField(name)
      this.#fieldBytes += Buffer.byteLength(name) + Buffer.byteLength(value)
      if (isTruncated || this.#fieldBytes > MAX_FIELD_BYTES) this.fail(TOO_MUCH)
      else this.#fields.push([name, value])
    })
    parser.on('fieldsLimit', () => this.fail(TOO_MUCH))
    parser.on('filesLimit', () => this.fail(TWO_FILES))
    parser.on('error', () => this.fail(NOT_WHOLE))
    this.#done = this.#pump()
    // told of through `fail`
    this.#done.catch(() => {})
  }

  fail(why: Refusal): void {
    this.#failure ??= why
    this.#raw.fail(why)
    this.#onFailure(this.#failure)
  }

  untilFile(): Promise<Form> {
    return new Promise((resolve, reject) => {
      this.#onFailure = reject
      if (this.#failure !== undefined) reject(this.#failure)
      this.#parser.once('finish', () => reject(malformed('the form has no field "file"')))
      const onFile = (
        _: string,
        stream: Readable,
        fileName: string | undefined,
        __: string,
        fileType: string,
      ): void => {
        this.#inFile = true
        stream.once('end', () => {
          this.#inFile = false
        })
        stream.on('error', () => {})
        resolve({
          fields: [...this.#fields],
          fileName: fileName ?? '',
          fileType,
          body: (onBytes) => this.#fileBody(stream, onBytes),
        })
      }
      this.#parser.on('file', onFile)
    })
  }

  #fileBody(stream: Readable, onBytes: (count: number) => void): Body {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const broken = (): never => {
      throw this.#failure ?? NOT_WHOLE
    }
    const next = async (least: number): Promise<readonly Uint8Array[] | undefined> => {
      const batch = new Chunks()
      while (batch.size < least) {
        const { done, value } = await this.#unlessFailed(chunks.next().catch(broken))
        if (done === true) break
        batch.add(value)
        onBytes(value.length)
      }
      if (batch.size > 0) return batch.take()
      await this.#unlessFailed(this.#done)
      return undefined
    }
    return { next, fail: (why) => this.fail(why) }
  }

  /** A promise of its own for each wait: one for all of them would remember every chunk. */
  #unlessFailed<T>(waited: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onFailure = reject
      if (this.#failure !== undefined) reject(this.#failure)
      waited.then(resolve, reject)
    })
  }

  /** Hands on what arrives, as fast as it is taken. */
  async #pump(): Promise<void> {
    try {
      for (let batch = await this.#raw.next(1); batch; batch = await this.#raw.next(1)) {
        for (const chunk of batch) await this.#write(chunk)
      }
      await new Promise<void>((resolve, reject) => {
        this.#parser.once('finish', resolve)
        this.#parser.once('error', reject)
        this.#parser.end()
      })
    } catch (error) {
      this.fail(error instanceof Refusal ? error : NOT_WHOLE)
      throw this.#failure
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const wasInFile = this.#inFile
    await new Promise<void>((resolve, reject) => {
      this.#parser.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
    // a chunk with the border of the file in it is counted to neither
    if (!wasInFile && !this.#inFile) this.#besideFile += chunk.length
    if (this.#besideFile > MAX_FIELD_BYTES) throw TOO_MUCH
  }
}
