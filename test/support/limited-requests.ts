/** Requests under keys that allow only so much, with what each of them must cost. */
import { ask, type Question } from './http.ts'
import { headOf, RawConnection, type RawResponse } from './raw.ts'
import type { Serve } from './serve-process.ts'
import { pattern } from './store.ts'

export type Limits = { readonly [Name in keyof Spent]?: number }

export interface Spent {
  readonly uses: number
  readonly bytes: number
  readonly files: number
}

/** One way to use a key, in the folder `limits/`. */
export interface Doing {
  readonly name: string
  /** what it costs at most, and takes while it runs */
  readonly most: Spent
  /** whether it moves much, and nobody knows to the byte how much */
  readonly isLarge?: boolean
  /** bytes that may have been charged when the key did not allow it: it was refused on the way */
  readonly onTheWay?: number
  readonly run: (asking: Asking) => Promise<Done>
}

export interface Outcome {
  readonly doing: Doing
  readonly spent: Spent
  /** so many bytes less may have been charged: they went into a connection that was closed too soon */
  readonly unsure: number
  /** the code, where the key did not allow it */
  readonly refusal?: string
  /** what must not be */
  readonly mistake?: string
}

interface Asking {
  readonly serve: Serve
  readonly key: string
  /** another one for each request */
  readonly number: number
  readonly address: string
}

interface Done {
  readonly status: number
  readonly code: string | undefined
  /** what it has cost, unless it was refused for what the key allows */
  readonly spent: Spent
  readonly unsure?: number
  readonly expected: number
}

/** Bytes of a small object. */
export const SMALL = 1000
/** More than fits into the buffers of a connection that nobody reads. */
const LARGE = 24 << 20
/** Bytes that an upload sends before it breaks off. */
const BEGUN = 700

const BODY = pattern(SMALL)
const NOTHING: Spent = { uses: 0, bytes: 0, files: 0 }
const REFUSED = new Set(['uses_exhausted', 'bytes_exhausted', 'files_exhausted'])

/** What all of them are about. */
export async function prepare(serve: Serve, key: string): Promise<void> {
  const objects = { small: BODY, replaced: BODY, large: pattern(LARGE) }
  for (const [name, body] of Object.entries(objects)) {
    const { status } = await ask(serve.url(`limits/${name}`, key), { method: 'PUT', body })
    if (status !== 201) throw new Error(`limits/${name} was answered ${status}`)
  }
}

/** @param number makes its object and its address its own */
export async function outcomeOf(
  doing: Doing,
  serve: Serve,
  key: string,
  number: number,
): Promise<Outcome> {
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
  const done = await doing.run({ serve, key, number, address })
  const { status, code, spent, unsure = 0, expected } = done
  if (code !== undefined && REFUSED.has(code)) {
    const unsure = code === 'bytes_exhausted' ? (doing.onTheWay ?? 0) : 0
    return { doing, spent: { ...NOTHING, bytes: unsure }, unsure, refusal: code }
  }
  if (status === expected) return { doing, spent, unsure }
  return { doing, spent, unsure, mistake: `answered ${status} ${code ?? ''}` }
}

const asked =
  (path: string, question: Question, expected: number, spent: Spent): Doing['run'] =>
  async ({ serve, key, number, address }) => {
    const url = serve.url(path.replace('#', String(number)), key)
    const headers = { 'x-forwarded-for': address, ...question.headers }
    const { status, code } = await ask(url, { ...question, headers })
    return { status, code, spent, expected }
  }

const one = (bytes = 0, files = 0, uses = 1): Spent => ({ uses, bytes, files })

const way = (
  name: string,
  path: string,
  question: Question,
  expected: number,
  spent: Spent,
  most: Spent = spent,
): Doing => ({ name, most, run: asked(path, question, expected, spent) })

/**
 * An upload that ends before its end: what arrived is charged, and neither a use nor a file. What
 * nobody had read when the connection was closed has not arrived.
 */
async function brokenUpload({ serve, key, number, address }: Asking): Promise<Done> {
  const headers = [`Content-Length: ${SMALL}`, `X-Forwarded-For: ${address}`]
  const connection = await RawConnection.open(portOf(serve))
  connection.send(headOf('PUT', `/limits/broken-${number}?vk=${key}`, headers))
  connection.send(BODY.subarray(0, BEGUN))
  connection.socket.end()
  const answer = await connection.response()
  connection.destroy()
  return { ...answered(answer), spent: one(BEGUN, 0, 0), unsure: BEGUN, expected: 400 }
}

/** A download that breaks off is a use, under which the rest may be had. */
async function brokenDownload({ serve, key, address }: Asking): Promise<Done> {
  const forwarded = `X-Forwarded-For: ${address}`
  const connection = await RawConnection.open(portOf(serve))
  connection.send(headOf('GET', `/limits/large?vk=${key}`, [forwarded]))
  await connection.until(() => connection.size > 4096)
  connection.socket.pause()
  const { received } = connection
  connection.destroy()
  const spent = one(LARGE)
  if (!received.toString('latin1', 0, 12).endsWith('200')) {
    const code = /"code":"(\w+)"/.exec(received.toString('latin1'))?.[1]
    return { status: 0, code, spent, expected: 200 }
  }
  const url = serve.url('limits/large', key)
  const headers = { 'x-forwarded-for': address, range: `bytes=${LARGE - SMALL}-` }
  for (;;) {
    const { status, code, text } = await ask(url, { headers })
    // it may take a moment until the gateway knows that nobody reads any more
    if (status === 403 && /still running/.test(text())) continue
    // the rest is no further use: whoever says that there is none is wrong
    return { status: code === undefined ? status : 0, code: undefined, spent, expected: 206 }
  }
}

function answered(answer: RawResponse | undefined): Pick<Done, 'status' | 'code'> {
  if (answer === undefined) return { status: 0, code: undefined }
  const isProblem = answer.headers.get('content-type') === 'application/problem+json'
  return { status: answer.status, code: isProblem ? String(answer.json().code) : undefined }
}

const portOf = ({ gateway }: Serve): number => Number(new URL(gateway).port)

const chunks = function* () {
  yield BODY.subarray(0, 300)
  yield BODY.subarray(300)
}

const put = (over: Question = {}): Question => ({ method: 'PUT', body: BODY, ...over })
const wrongDigest = { 'content-md5': Buffer.alloc(16).toString('base64') }

export const WAYS: readonly Doing[] = [
  way('download', 'limits/small', {}, 200, one(SMALL)),
  way('range', 'limits/small', { headers: { range: 'bytes=0-99' } }, 206, one(100)),
  way('create', 'limits/new-#', put(), 201, one(SMALL, 1)),
  {
    ...way('create in chunks', 'limits/chunked-#', {}, 201, one(SMALL, 1)),
    onTheWay: SMALL,
    // a body that is sent once
    run: (asking) => asked('limits/chunked-#', put({ body: chunks() }), 201, one(SMALL, 1))(asking),
  },
  way('replace', 'limits/replaced', put(), 200, one(SMALL)),
  way(
    'upload with a wrong digest',
    'limits/wrong-#',
    put({ headers: wrongDigest }),
    400,
    one(SMALL, 0, 0),
    one(SMALL, 1),
  ),
  way('delete', 'limits/absent-#', { method: 'DELETE' }, 204, one()),
  way('list', 'limits/', {}, 200, one()),
  { name: 'upload that breaks off', most: one(SMALL, 1), run: brokenUpload },
  { name: 'download that breaks off', most: one(LARGE), isLarge: true, run: brokenDownload },
]
