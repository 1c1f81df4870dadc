/** A gateway of a few lines behind a Wire: direct uploads and tus, with faults on demand. */
import { createHash } from 'node:crypto'
import {
  Trouble,
  type Wire,
  type WireAnswer,
  type WireRequest,
} from '../../../web/client/drop/wire.ts'

interface Held {
  readonly path: string
  readonly length: number
  data: Buffer
}

export class FakeGateway {
  readonly objects = new Map<string, Buffer>()
  readonly held = new Map<string, Held>()
  readonly requests: WireRequest[] = []
  /** what happens to a request instead of, or before, its usual answer */
  fault: (request: WireRequest, body: Buffer) => WireAnswer | undefined | 'cut' = () => undefined

  readonly wire: Wire = async (request) => {
    request.signal.throwIfAborted()
    this.requests.push(request)
    const body = Buffer.from((await request.body?.arrayBuffer()) ?? new ArrayBuffer(0))
    const fault = this.fault(request, body)
    if (fault === 'cut') throw new Trouble('network')
    if (fault !== undefined) return fault
    request.onSent?.(body.length)
    const path = decodeURIComponent(new URL(request.url).pathname)
    return path.startsWith('/-/tus/')
      ? this.#tus(request, path.slice('/-/tus/'.length), body)
      : this.#put(path.slice(1), body)
  }

  get methods(): readonly string[] {
    return this.requests.map(({ method }) => method)
  }

  #put(path: string, body: Buffer): WireAnswer {
    if (this.objects.has(path)) return refusal(412, 'object_exists')
    this.objects.set(path, body)
    return answer(201, {}, JSON.stringify({ path, sha256: sha256(body).toString('hex') }))
  }

  #tus({ method, headers }: WireRequest, id: string, body: Buffer): WireAnswer {
    if (method === 'POST') return this.#create(headers)
    const held = this.held.get(id)
    if (held === undefined) return answer(404)
    if (method === 'DELETE') this.held.delete(id)
    if (method === 'PATCH') {
      if (headers['Upload-Offset'] !== String(held.data.length)) return answer(409)
      held.data = Buffer.concat([held.data, body])
    }
    const isWhole = held.data.length === held.length
    if (isWhole) this.objects.set(held.path, held.data)
    return answer(204, {
      'upload-offset': String(held.data.length),
      ...(isWhole && { 'repr-digest': `sha-256=:${sha256(held.data).toString('base64')}:` }),
    })
  }

  #create(headers: WireRequest['headers']): WireAnswer {
    const [, path = ''] = /^path (\S+),/.exec(headers['Upload-Metadata'] ?? '') ?? []
    const decoded = Buffer.from(path, 'base64').toString()
    if (this.objects.has(decoded)) return refusal(412, 'object_exists')
    const id = `u${this.held.size + 1}/${encodeURIComponent(decoded)}`
    const length = Number(headers['Upload-Length'])
    this.held.set(decodeURIComponent(id), { path: decoded, length, data: Buffer.alloc(0) })
    return answer(201, { location: `http://elsewhere.example/base/-/tus/${id}` })
  }
}

export const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest()

export const answer = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
  text = '',
): WireAnswer => ({ status, text, header: (name) => headers[name.toLowerCase()] ?? null })

export const refusal = (status: number, code: string, headers = {}): WireAnswer =>
  answer(status, headers, JSON.stringify({ code, detail: `because of ${code}` }))
