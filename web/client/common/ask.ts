/** Requests with the page's key, and refusals as sentences. */
import type { RefusalCode } from '../../../key/refusal.ts'
import { ours } from './key.ts'
import { problems } from './texts.ts'

/** A refusal of the gateway, or one of ours: nothing came back, or nothing that we understand. */
export type ProblemCode = RefusalCode | 'offline' | 'not_understood' | 'fragment_missing'

/** Why something is not done. */
export class Problem extends Error {
  readonly code: ProblemCode
  /** seconds to wait, where the gateway said so */
  readonly wait: number | undefined

  constructor(code: ProblemCode, detail = '', wait?: number) {
    super(detail)
    this.code = code
    this.wait = wait
  }

  /** For people, in their language. */
  get sentence(): string {
    const known: Readonly<Record<string, string | undefined>> = problems
    return known[this.code] ?? problems.not_understood
  }
}

/** What `GET /-/key` says: what the key allows, taken over all its blocks. */
export interface KeyFacts {
  readonly id: string
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly match?: readonly string[]
  /** Unix seconds, as all times */
  readonly notBefore?: number
  readonly expires: number
  readonly now: number
  /** of an upload, in bytes */
  readonly size?: { readonly min: number; readonly max: number }
  readonly types?: readonly string[]
  readonly create?: boolean
  readonly sha256?: string
  /** seconds after which an uploaded file is deleted */
  readonly ttl?: number
  readonly uses?: Allowance
  readonly bytes?: Allowance
  readonly files?: Allowance
  readonly maxObjectSize: number
  /** what the sender wrote */
  readonly message?: string
  readonly attachment?: boolean
}

export interface Allowance {
  readonly most: number
  readonly left: number
}

/**
 * A response that is a success.
 * @throws Problem
 */
export async function ask(url: URL, key: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('Authorization', `Bearer ${key}`)
  let response: Response
  try {
    response = await fetch(url, { cache: 'no-store', ...init, headers })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Problem('offline')
  }
  if (response.ok) return response
  throw init.method === 'HEAD' ? await problemOfHead(response, key) : await problemIn(response)
}

/** A response to HEAD has no body that would say why: what the key itself is told says most of it. */
async function problemOfHead({ status }: Response, key: string): Promise<Problem> {
  if (status === 404) return new Problem('object_not_found')
  try {
    await askKey(key)
  } catch (error) {
    return error as Problem
  }
  if (status === 403) return new Problem('method_not_granted')
  return new Problem(status >= 500 ? 'unavailable' : 'not_understood')
}

/** What a refusal says. */
export async function problemIn(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('Retry-After') ?? Number.NaN)
  const rest = Number.isFinite(wait) ? wait : undefined
  try {
    const { code, detail } = await response.json()
    return new Problem(code, detail, rest)
  } catch {
    return new Problem(response.status >= 500 ? 'unavailable' : 'not_understood', '', rest)
  }
}

/** What the key allows; spends nothing of it. @throws Problem */
export const askKey = async (key: string): Promise<KeyFacts> => (await ask(ours('key'), key)).json()

/** Shows the PIN once: the gateway remembers it in a cookie that no script reads. @throws Problem */
export async function showPin(key: string, pin: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await ask(ours('pin'), key, { method: 'POST', headers, body: JSON.stringify({ pin }) })
}
