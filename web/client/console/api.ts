/**
 * The issuer's API as the console asks it. The session's cookie goes along by itself; its proof is
 * kept by this origin alone, and sent in a header that no other origin can send.
 */
import type { Claims } from './shapes.ts'

const PROOF_HEADER = 'X-Valetkey-Console'
/** Of this origin, so that a second tab needs no second sign-in; useless without the cookie. */
const KEPT_AS = 'valetkey-console'

export interface Mistake {
  readonly option: string
  readonly message: string
}

/** Why something is not done: what the issuer said. */
export class Refused extends Error {
  readonly code: string
  readonly mistakes: readonly Mistake[]

  constructor(code: string, detail: string, mistakes: readonly Mistake[] = []) {
    super(detail)
    this.code = code
    this.mistakes = mistakes
  }
}

let ended: () => void = () => {}

/** @param then called when the issuer knows the session no more */
export function whenSessionEnds(then: () => void): void {
  ended = then
}

export const isSignedIn = (): boolean => localStorage.getItem(KEPT_AS) !== null

/** @throws Refused token_invalid, rate_limited */
export async function signIn(token: string): Promise<void> {
  const response = await sent('POST', '/session', { token })
  if (!response.ok) throw await refusedBy(response)
  const { proof } = await response.json()
  localStorage.setItem(KEPT_AS, proof)
}

export async function signOut(): Promise<void> {
  localStorage.removeItem(KEPT_AS)
  await sent('DELETE', '/session')
}

export interface Asking {
  readonly body?: Claims
  readonly signal?: AbortSignal
}

/** @throws Refused; DOMException AbortError where it was aborted, or the session has ended */
export async function api<T>(method: string, path: string, asking: Asking = {}): Promise<T> {
  const response = await answered(method, path, asking)
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T)
}

async function answered(method: string, path: string, asking: Asking): Promise<Response> {
  const response = await sent(method, path, asking.body, asking.signal)
  if (response.ok) return response
  if (response.status === 401) {
    localStorage.removeItem(KEPT_AS)
    ended()
    // the door says so: whoever asked has nothing to add
    throw new DOMException('the session has ended', 'AbortError')
  }
  throw await refusedBy(response)
}

async function sent(
  method: string,
  path: string,
  body?: Claims,
  signal?: AbortSignal,
): Promise<Response> {
  const proof = localStorage.getItem(KEPT_AS)
  const headers = new Headers(proof === null ? {} : { [PROOF_HEADER]: proof })
  if (body !== undefined) headers.set('Content-Type', 'application/json')
  try {
    return await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Refused('offline', '')
  }
}

async function refusedBy(response: Response): Promise<Refused> {
  try {
    const { code, detail, errors } = await response.json()
    return new Refused(code, detail, errors)
  } catch {
    return new Refused('offline', '')
  }
}

/** Server-sent events, each parsed, until aborted. @throws as {@link api} */
export async function* events<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
  const { body } = await answered('GET', path, { signal })
  if (body === null) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith('data: ')) yield JSON.parse(block.slice('data: '.length)) as T
    }
  }
}
