/** Requests of tus, as a program would write them that has read the protocol. */
import type { House } from './house.ts'
import { type Answer, ask, type Question } from './http.ts'

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Upload-Metadata. */
export const metadata = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',')

const CHUNK = { 'content-type': 'application/offset+octet-stream' }

type Headers = Readonly<Record<string, string>>

export interface Creating {
  readonly path?: string
  readonly type?: string
  /** absent: deferred */
  readonly length?: number
  readonly headers?: Headers
  readonly body?: Question['body']
}

/** One client of one gateway with one key. */
export class Tus {
  readonly #base: string
  readonly #key: string

  constructor({ gateway }: Pick<House, 'gateway'>, key: string, base = gateway.url) {
    this.#base = base
    this.#key = key
  }

  ask(method: string, location: string, headers: Headers = {}, body?: Question['body']) {
    return ask(new URL(location, this.#base).href, {
      method,
      headers: { 'tus-resumable': '1.0.0', authorization: `Bearer ${this.#key}`, ...headers },
      ...(body !== undefined && { body }),
    })
  }

  create({ path, type, length, headers = {}, body }: Creating): Promise<Answer> {
    const told = metadata({ ...(path && { path }), ...(type && { filetype: type }) })
    const all = {
      ...(told !== '' && { 'upload-metadata': told }),
      ...(length === undefined
        ? { 'upload-defer-length': '1' }
        : { 'upload-length': String(length) }),
      ...(body !== undefined && CHUNK),
      ...headers,
    }
    return this.ask('POST', '/-/tus/', all, body)
  }

  /** The URL of a new upload. */
  async begun(creating: Creating): Promise<string> {
    const { status, headers, text } = await this.create(creating)
    if (status !== 201 || headers.location === undefined) throw new Error(`${status} ${text()}`)
    return headers.location
  }

  patch(location: string, offset: number, body: Question['body'], headers: Headers = {}) {
    const all = { ...CHUNK, 'upload-offset': String(offset), ...headers }
    return this.ask('PATCH', location, all, body)
  }

  head(location: string): Promise<Answer> {
    return this.ask('HEAD', location)
  }

  /** How far the upload is. */
  async offset(location: string): Promise<number> {
    const { status, headers } = await this.head(location)
    return status === 200 ? Number(headers['upload-offset']) : Number.NaN
  }
}
