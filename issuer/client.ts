/**
 * The issuer's API for programs: typed from the schemas that its documentation is made of. Needs
 * nothing but `fetch`, so it runs in Node, in browsers that the issuer is open to, and elsewhere.
 *
 *     import { createClient } from 'valetkey/client'
 *     const issuer = createClient({ url: 'http://127.0.0.1:8081', token })
 *     const { url } = await issuer.keys.mint({ path: 'photos/cat.jpg', expiresIn: '1h' })
 */
import type { z } from '@hono/zod-openapi'
import type { RefusalCode } from '../key/refusal.ts'
import type * as auditSchemas from './api/audit-schemas.ts'
import type * as rules from './api/rule-schemas.ts'
import type * as schemas from './api/schemas.ts'

export type KeyRequest = z.input<typeof schemas.KeyRequest>
export type NewKey = Exclude<z.output<typeof schemas.NewKeys>, readonly unknown[]>
export type IssuedKey = z.output<typeof schemas.IssuedKey>
export type IssuedKeys = z.output<typeof schemas.IssuedKeys>
export type KeyChange = z.input<typeof rules.KeyChange>
export type KeyRule = z.output<typeof rules.KeyRule>
export type ReplaceRequest = z.input<typeof rules.ReplaceRequest>
export type PolicyRequest = z.input<typeof rules.PolicyRequest>
export type Policy = z.output<typeof rules.Policy>
export type PlanRequest = z.input<typeof rules.PlanRequest>
export type Plan = z.output<typeof rules.Plan>
export type RevocationRequest = z.input<typeof schemas.RevocationRequest>
export type Revocation = z.output<typeof schemas.Revocation>
export type SigningKey = z.output<typeof schemas.SigningKey>
export type GraceRequest = z.input<typeof schemas.GraceRequest>
export type AuditPage = z.output<typeof auditSchemas.AuditPage>
export type AuditRecord = AuditPage['records'][number]
export type Storage = z.output<typeof schemas.Storage>
export type Status = z.output<typeof schemas.Status>

type Mistake = NonNullable<z.output<typeof schemas.Problem>['errors']>[number]

/** A query as a program states it: numbers and switches are no texts. */
type Stated<Q, As> = Omit<Q, keyof As> & As
export type KeyFilter = Stated<z.input<typeof schemas.IssuedQuery>, { limit?: number }>
export type AuditFilter = Stated<
  z.input<typeof auditSchemas.AuditQuery>,
  { limit?: number; refused?: boolean }
>
export type LiveAuditFilter = Stated<
  z.input<typeof auditSchemas.LiveAuditQuery>,
  { refused?: boolean }
>

export interface ClientOptions {
  /** where the issuer is reached: `http://127.0.0.1:8081` */
  readonly url: string
  /** the admin token; a valet key, which can be narrowed alone */
  readonly token: string
  /** in place of the global one */
  readonly fetch?: typeof fetch
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

interface Asked extends CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
}

/** What the issuer refused, or failed to do. Where nothing was answered, `fetch` says so itself. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError'
  readonly status: number
  /** see docs/refusals.md; undefined where somebody else answered, such as a proxy */
  readonly code: RefusalCode | undefined
  /** one sentence: what was wrong, what was expected, what to do */
  readonly detail: string
  /** as in the log and the audit */
  readonly requestId: string | undefined
  /** everything to correct in the request, where that is what is wrong */
  readonly mistakes: readonly Mistake[]
  /** seconds, where the issuer said so */
  readonly retryAfter: number | undefined

  constructor(response: Response, problem: Partial<z.output<typeof schemas.Problem>>) {
    const { code, detail = `the answer was ${response.status}`, requestId, errors = [] } = problem
    super(code === undefined ? detail : `${code}: ${detail}`)
    this.status = response.status
    this.code = code
    this.detail = detail
    this.requestId = requestId
    this.mistakes = errors
    const wait = response.headers.get('Retry-After')
    this.retryAfter = wait !== null && /^\d+$/.test(wait) ? Number(wait) : undefined
  }
}

export type Client = ReturnType<typeof createClient>

/**
 * Every call rejects with {@link IssuerError} where it is refused.
 * @throws TypeError for a URL that is none
 */
export function createClient({ url, token, fetch: ask = fetch }: ClientOptions) {
  const base = new URL(url.endsWith('/') ? url : `${url}/`)
  const send = async (method: string, path: string, asked: Asked = {}): Promise<Response> => {
    const response = await ask(targetOf(base, path, asked), {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(asked.body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(asked.body !== undefined && { body: JSON.stringify(asked.body) }),
      ...(asked.signal && { signal: asked.signal }),
      redirect: 'error',
    })
    if (response.ok) return response
    throw new IssuerError(response, await problemIn(response))
  }
  /** What has no method here: the body of the answer; undefined where there is none. */
  const request = async <T = unknown>(method: string, path: string, asked?: Asked): Promise<T> => {
    const response = await send(method, path, asked)
    const text = await response.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
  return {
    request,
    keys: keysOf(request),
    revocations: revocationsOf(request),
    signingKeys: signingKeysOf(request),
    policies: storedOf<PolicyRequest, Policy>(request, '/v1/policies', 'policies'),
    plans: storedOf<PlanRequest, Plan>(request, '/v1/plans', 'plans'),
    audit: auditOf(request, send),
    storage: (prefix = '', options?: CallOptions) =>
      request<Storage>('GET', '/v1/storage', { query: { prefix }, ...options }),
    status: (options?: CallOptions) => request<Status>('GET', '/v1/status', options),
  }
}

type Request = <T>(method: string, path: string, asked?: Asked) => Promise<T>
type Send = (method: string, path: string, asked?: Asked) => Promise<Response>

function keysOf(request: Request) {
  const list = (filter: KeyFilter = {}, options?: CallOptions): Promise<IssuedKeys> =>
    request('GET', '/v1/keys', { query: filter, ...options })
  function mint(options: KeyRequest, call?: CallOptions): Promise<NewKey>
  function mint(options: readonly KeyRequest[], call?: CallOptions): Promise<readonly NewKey[]>
  function mint(body: KeyRequest | readonly KeyRequest[], call?: CallOptions) {
    return request<never>('POST', '/v1/keys', { body, ...call })
  }
  return {
    /** One, or up to a thousand at once, all or none. With a valet key as token: narrows that. */
    mint,
    /** A page of keys, newest first. */
    list,
    /** All of them, page by page. */
    async *each(filter: KeyFilter = {}, options?: CallOptions): AsyncGenerator<IssuedKey> {
      let after = filter.after
      do {
        const page = await list({ ...filter, ...(after !== undefined && { after }) }, options)
        yield* page.keys
        after = page.next ?? undefined
      } while (after !== undefined)
    },
    show: (id: string, options?: CallOptions) =>
      request<IssuedKey>('GET', `/v1/keys/${encodeURIComponent(id)}`, options),
    /** When it ends, whether it rests, what it is narrowed to: its URL stays. */
    change: (id: string, body: KeyChange, options?: CallOptions) =>
      request<KeyRule>('PATCH', `/v1/keys/${encodeURIComponent(id)}`, { body, ...options }),
    /** Revokes it, and answers with another one of the same claims. */
    replace: (id: string, body: ReplaceRequest = {}, options?: CallOptions) =>
      request<NewKey>('POST', `/v1/keys/${encodeURIComponent(id)}/replace`, { body, ...options }),
    /** In force when the promise resolves. */
    revoke: (id: string, options?: CallOptions) =>
      request<void>('DELETE', `/v1/keys/${encodeURIComponent(id)}`, options),
  }
}

const revocationsOf = (request: Request) => ({
  /** In force when the promise resolves. */
  add: (body: RevocationRequest, options?: CallOptions) =>
    request<Revocation>('POST', '/v1/revocations', { body, ...options }),
  /** Those in force, newest first. */
  list: async (query: { limit?: number } = {}, options?: CallOptions) => {
    type Answer = z.output<typeof schemas.Revocations>
    return (await request<Answer>('GET', '/v1/revocations', { query, ...options })).revocations
  },
})

const signingKeysOf = (request: Request) => ({
  /** Oldest first; revoked ones stay. */
  list: async (options?: CallOptions) => {
    type Answer = z.output<typeof schemas.SigningKeys>
    return (await request<Answer>('GET', '/v1/signing-keys', options)).signingKeys
  },
  rotate: (body: GraceRequest = {}, options?: CallOptions) =>
    request<SigningKey>('POST', '/v1/signing-keys', { body, ...options }),
  retire: (kid: string, body: GraceRequest = {}, options?: CallOptions) =>
    request<SigningKey>('POST', `/v1/signing-keys/${encodeURIComponent(kid)}/retire`, {
      body,
      ...options,
    }),
  revoke: (kid: string, options?: CallOptions) =>
    request<SigningKey>('POST', `/v1/signing-keys/${encodeURIComponent(kid)}/revoke`, options),
})

/** @param under the member of the answer that lists them */
const storedOf = <Stated, Stored>(request: Request, path: string, under: string) => ({
  /** By name. */
  list: async (options?: CallOptions) =>
    (await request<Readonly<Record<string, readonly Stored[]>>>('GET', path, options))[under] ?? [],
  show: (name: string, options?: CallOptions) =>
    request<Stored>('GET', `${path}/${encodeURIComponent(name)}`, options),
  /** Puts another in the place of one that is there. */
  set: (name: string, body: Stated, options?: CallOptions) =>
    request<Stored>('PUT', `${path}/${encodeURIComponent(name)}`, { body, ...options }),
  /** Keys that name it are refused from then on. */
  remove: (name: string, options?: CallOptions) =>
    request<void>('DELETE', `${path}/${encodeURIComponent(name)}`, options),
})

const auditOf = (request: Request, send: Send) => ({
  /** A page of records, newest first. */
  list: (filter: AuditFilter = {}, options?: CallOptions) =>
    request<AuditPage>('GET', '/v1/audit', { query: filter, ...options }),
  /** Records as they are written, until the issuer closes or the signal aborts. */
  async *follow(filter: LiveAuditFilter = {}, options?: CallOptions): AsyncGenerator<AuditRecord> {
    const { body } = await send('GET', '/v1/audit/live', { query: filter, ...options })
    if (body === null) return
    for await (const data of eventsIn(body)) yield JSON.parse(data) as AuditRecord
  },
})

/** Below a path of the URL as well, where a proxy has put the issuer there. */
function targetOf(base: URL, path: string, { query = {} }: Asked): URL {
  const url = new URL(path.replace(/^\//, ''), base)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

async function problemIn(response: Response): Promise<Partial<z.output<typeof schemas.Problem>>> {
  const type = response.headers.get('Content-Type') ?? ''
  const text = await response.text()
  return type.startsWith('application/problem+json') ? JSON.parse(text) : {}
}

/** The `data` of server-sent events, each of one line, as the issuer sends them. */
async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) if (block.startsWith('data: ')) yield block.slice(6)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
