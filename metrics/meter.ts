/** What one process counts: numbers in cells that are there from the start, named when they are read. */
import { REFUSALS, type RefusalCode } from '../key/refusal.ts'
import type { Counts } from './metrics.ts'

const VERBS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const
type Verb = (typeof VERBS)[number]

/** Upper bounds in seconds; what is above all of them is in none. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600,
]
const BOUNDS = LATENCY_BOUNDS.length
/** A status is the number of its cell; 0 where none was sent. */
const STATUSES = 600

const CODES = Object.keys(REFUSALS) as readonly RefusalCode[]

/** What is looked at of one request when it has ended. */
export interface Ended {
  readonly incoming: { readonly method?: string | undefined }
  readonly outgoing: { readonly headersSent: boolean; readonly statusCode: number }
  /** monotonic milliseconds */
  readonly began: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly refusal: { readonly code: RefusalCode } | undefined
}

export class Meter {
  readonly #requests = new Float64Array(VERBS.length * STATUSES)
  /** for each verb, how many took at most each bound, and more than the one before */
  readonly #took = new Float64Array(VERBS.length * (BOUNDS + 1))
  readonly #seconds = new Float64Array(VERBS.length)
  readonly #refusals = new Float64Array(CODES.length)
  #bytesIn = 0
  #bytesOut = 0
  #uses = 0

  /** Of a key that has a limited number of them. */
  usedOnce(): void {
    this.#uses += 1
  }

  /** @param now monotonic milliseconds */
  ended({ incoming, outgoing, began, bytesIn, bytesOut, refusal }: Ended, now: number): void {
    const verb = verbOf(incoming.method)
    const status = outgoing.headersSent ? outgoing.statusCode : 0
    bump(this.#requests, verb * STATUSES + (status < STATUSES ? status : 0), 1)
    const seconds = Math.max(0, now - began) / 1000
    let bound = 0
    while (bound < BOUNDS && seconds > (LATENCY_BOUNDS[bound] as number)) bound += 1
    bump(this.#took, verb * (BOUNDS + 1) + bound, 1)
    bump(this.#seconds, verb, seconds)
    this.#bytesIn += bytesIn
    this.#bytesOut += bytesOut
    if (refusal !== undefined) bump(this.#refusals, CODES.indexOf(refusal.code), 1)
  }

  /** What never became a request that could be read. */
  unreadable({ status, code }: { readonly status: number; readonly code: RefusalCode }): void {
    bump(this.#requests, verbOf('other') * STATUSES + status, 1)
    bump(this.#refusals, CODES.indexOf(code), 1)
  }

  counts(): Counts {
    const requests: Record<string, number> = {}
    for (const [at, count] of this.#requests.entries()) {
      const verb = VERBS[Math.floor(at / STATUSES)] as Verb
      if (count > 0) requests[`${verb} ${at % STATUSES}`] = count
    }
    return {
      requests,
      took: Object.fromEntries(VERBS.map((verb, at) => [verb, this.#tookBy(at)])),
      refusals: Object.fromEntries(CODES.map((code, at) => [code, this.#refusals[at] ?? 0])),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      uses: this.#uses,
    }
  }

  /** Goes on from what a process before has counted. */
  restore({ requests, took, refusals, bytesIn, bytesOut, uses }: Counts): void {
    for (const [name, count] of Object.entries(requests)) {
      const [verb, status = '0'] = name.split(' ')
      bump(this.#requests, verbOf(verb) * STATUSES + Number(status), count)
    }
    for (const [verb, { seconds, counts }] of Object.entries(took)) {
      bump(this.#seconds, verbOf(verb), seconds)
      for (const [bound, count] of counts.slice(0, BOUNDS + 1).entries()) {
        bump(this.#took, verbOf(verb) * (BOUNDS + 1) + bound, count)
      }
    }
    for (const [code, count] of Object.entries(refusals)) {
      const at = CODES.indexOf(code as RefusalCode)
      if (at >= 0) bump(this.#refusals, at, count)
    }
    this.#bytesIn += bytesIn
    this.#bytesOut += bytesOut
    this.#uses += uses
  }

  #tookBy(verb: number): Counts['took'][string] {
    const from = verb * (BOUNDS + 1)
    const counts = [...this.#took.subarray(from, from + BOUNDS + 1)]
    return { seconds: this.#seconds[verb] ?? 0, counts }
  }
}

function bump(cells: Float64Array, at: number, by: number): void {
  cells[at] = (cells[at] ?? 0) + by
}

/** The cell of a verb; nearly all of them are the first. */
function verbOf(method: string | undefined): number {
  if (method === 'GET') return 0
  const at = VERBS.indexOf(method as Verb)
  return at < 0 ? VERBS.length - 1 : at
}
