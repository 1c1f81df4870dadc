/** Refusals as problem JSON (RFC 9457), rendered in one place. */
import { Refusal, type RefusalCode } from '../../key/refusal.ts'
import { IdTaken } from '../../ledger/ledger.ts'
import { TooManyTries } from '../console/tries.ts'
import { type Mistake, OptionsError } from '../options.ts'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: RefusalCode
  readonly detail: string
  readonly requestId: string
  /** everything to correct in the request, where that is what is wrong */
  readonly errors?: readonly Mistake[]
}

/** What went wrong, in the one vocabulary of refusals; anything unforeseen is ours. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof IdTaken) return new Refusal('conflict', error.message, { cause: error })
  if (error instanceof OptionsError) {
    return new Refusal('request_malformed', error.message, { cause: error })
  }
  return new Refusal('internal', 'this was not foreseen; the log says more under the request id', {
    cause: error,
  })
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { code, title, status, detail, cause } = refusal
  return {
    type: `urn:valetkey:refusal:${code}`,
    title,
    status,
    code,
    detail,
    requestId,
    ...(cause instanceof OptionsError && { errors: cause.mistakes }),
  }
}

/** The field that belongs beside a status: RFC 9110, 11.6.1 (401), 15.6.4 (503); RFC 6585, 4 (429). */
export function headersOf(refusal: Refusal): Record<string, string> {
  const { status } = refusal
  if (refusal instanceof TooManyTries) return { 'Retry-After': String(refusal.wait) }
  if (status === 401) return { 'WWW-Authenticate': 'Bearer realm="valetkey"' }
  return status === 503 ? { 'Retry-After': '5' } : {}
}

/**
 * Asks the ledger. One that can't answer has to be treated as a refusal, never as an answer.
 * @throws Refusal unavailable; IdTaken and refusals pass
 */
export async function asking<T>(question: () => T | Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    const isAnswer =
      error instanceof Refusal || error instanceof IdTaken || error instanceof OptionsError
    if (isAnswer) throw error
    throw new Refusal('unavailable', 'the ledger can not be asked now: try again in a moment', {
      cause: error,
    })
  }
}
