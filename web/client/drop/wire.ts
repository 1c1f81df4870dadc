/** One request and its answer, as the uploads need them: with progress on what is being sent. */

export interface WireRequest {
  readonly method: 'POST' | 'HEAD' | 'PATCH' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Blob
  /** told how many bytes of the body were handed to the network */
  readonly onSent?: (bytes: number) => void
  readonly signal: AbortSignal
}

export interface WireAnswer {
  readonly status: number
  header(name: string): string | null
  readonly text: string
}

/**
 * Rejects with a Trouble `network` where no answer came, and with the signal's reason where it was
 * called off. Any answer resolves.
 */
export type Wire = (request: WireRequest) => Promise<WireAnswer>

/** Why something was not done: a code of the gateway's refusals, or one of ours. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
  readonly code: string
  readonly detail: string | undefined
  /** of the answer; undefined where none came */
  readonly status: number | undefined
  /** seconds that the server asked to wait */
  readonly retryAfter: number | undefined

  constructor(
    code: string,
    told: { detail?: string | undefined; status?: number; retryAfter?: number | undefined } = {},
  ) {
    super(told.detail === undefined ? code : `${code}: ${told.detail}`)
    this.code = code
    this.detail = told.detail
    this.status = told.status
    this.retryAfter = told.retryAfter
  }

  /** Whether the same may go well in a while, without anybody doing anything. */
  get mayPass(): boolean {
    return this.code === 'network' || (this.status !== undefined && PASSING.has(this.status))
  }
}

/** 409 and 460 are those of tus: what was sent does not continue, or did not arrive as it was. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425, 429, 460, 500, 502, 503, 504])

/** An answer that is not 2xx, as problem JSON or as whatever a proxy in between has to say. */
export function troubleOf(answer: WireAnswer): Trouble {
  const { status } = answer
  const { code, detail } = problemOf(answer.text)
  const seconds = Number(answer.header('Retry-After') ?? Number.NaN)
  return new Trouble(code ?? `http_${status}`, {
    status,
    detail,
    retryAfter: Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined,
  })
}

function problemOf(text: string): { code?: string | undefined; detail?: string | undefined } {
  try {
    const { code, detail } = JSON.parse(text) as Record<string, unknown>
    return {
      code: typeof code === 'string' ? code : undefined,
      detail: typeof detail === 'string' ? detail : undefined,
    }
  } catch {
    return {}
  }
}
