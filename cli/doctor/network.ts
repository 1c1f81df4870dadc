/** Whether a gateway answers where it should, and what the proxy in front of it lets through. */
import { describe } from '../failure.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const TIMEOUT_MILLISECONDS = 3000

/** Mints a key of ours that does nothing, restricted further. */
export type MintProbe = (claims: ProbeClaims) => string

export interface ProbeClaims {
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: true
}

/**
 * @param url where the configuration says that the gateway listens
 * @param mint absent where no key can be minted: then it is only asked whether somebody is ready
 */
export async function gateway(url: string, mint: MintProbe | undefined): Promise<Finding> {
  const answer = await get(`${url}/-/ready`)
  if (answer.status === 200 && mint !== undefined && !(await honours(url, { query: mint({}) }))) {
    const advice = 'stop the one that has this address, or set gateway.listen'
    return fail('gateway', `another one is at ${url}: it does not honour a key minted here`, advice)
  }
  if (answer.status === 200) return ok('gateway', `ready at ${url}`)
  if (answer.status !== undefined) {
    const advice = `read its log, and what ${url}/-/ready says`
    const why = reasonsIn(answer.body)
    return fail('gateway', `${url} answers with status ${answer.status}${why}`, advice)
  }
  return warn(
    'gateway',
    `nothing answers at ${url} (${answer.failure})`,
    'start it with: valetkey serve',
  )
}

/** What `/-/ready` gives as reasons, behind a colon. */
function reasonsIn(body: unknown): string {
  const { reasons } = (body ?? {}) as { readonly reasons?: unknown }
  const details = Array.isArray(reasons) ? reasons.map(({ detail }) => String(detail)) : []
  return details.length === 0 ? '' : `: ${details.join('; ')}`
}

/**
 * @param url where clients reach it, through whatever stands in front
 * @param mint absent where no key can be minted: then it is only asked whether somebody is ready
 */
export async function publicUrl(
  url: string,
  mint: MintProbe | undefined,
): Promise<readonly Finding[]> {
  const ready = await get(`${url}/-/ready`)
  if (ready.status !== 200) {
    const advice = 'check publicUrl, the proxy in front, and that this machine can reach it'
    const { status, failure } = ready
    const what = status === undefined ? `fails: ${failure}` : `answers with status ${status}`
    return [warn('public URL', `${url}/-/ready ${what}`, advice)]
  }
  if (mint === undefined) return [ok('public URL', `${url} leads to a ready gateway`)]
  const isOurs = await honours(url, { query: mint({}) })
  if (!isOurs) {
    const advice = `look what answers at ${url}, and that the proxy passes on path and query as they are`
    return [fail('public URL', `${url} does not honour a key minted here`, advice)]
  }
  return [
    ok('public URL', `${url} leads to a gateway that honours our keys`),
    await proxy(url, mint),
  ]
}

/** Harmless where no object is asked for; some proxies and caches keep such for themselves. */
const PROBED: Readonly<Record<string, string>> = {
  Range: 'bytes=0-0',
  'If-Match': '"probe"',
  'If-None-Match': '"probe"',
  'Content-Digest': 'sha-256=:cHJvYmU=:',
  'Repr-Digest': 'sha-256=:cHJvYmU=:',
  'Tus-Resumable': '1.0.0',
  'Upload-Offset': '0',
  'Valetkey-Pin': 'probe',
}

/** A key that asks for a header works only where the header arrives: so no gateway has to repeat any. */
async function proxy(url: string, mint: MintProbe): Promise<Finding> {
  const key = mint({})
  const lost = (await honours(url, { header: key })) ? [] : ['Authorization']
  for (const [name, value] of Object.entries(PROBED)) {
    const query = mint({ headers: { [name]: value } })
    if (!(await honours(url, { query, headers: { [name]: value } }))) lost.push(name)
  }
  if (lost.length > 0) {
    const advice = 'let the proxy in front pass them on as they are, and cache nothing'
    return fail('proxy', `these headers do not arrive: ${lost.join(', ')}`, advice)
  }
  const isTls = url.startsWith('https:')
  if (isTls && !(await honours(url, { query: mint({ tls: true }) }))) {
    const advice =
      'let it set X-Forwarded-Proto and X-Forwarded-For, and name its address in gateway.trustedProxies'
    return fail('proxy', 'the gateway does not learn that clients come over TLS', advice)
  }
  return ok('proxy', 'every header that was tried arrives')
}

interface Shown {
  readonly query?: string
  readonly header?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function honours(url: string, { query, header, headers = {} }: Shown): Promise<boolean> {
  const asked = query === undefined ? '' : `?vk=${query}`
  const shown = header === undefined ? headers : { ...headers, Authorization: `Bearer ${header}` }
  const { status, body } = await get(`${url}/-/key${asked}`, shown)
  return status === 200 && typeof (body as { id?: unknown } | undefined)?.id === 'string'
}

interface Answer {
  /** absent where there was none */
  readonly status?: number
  readonly body?: unknown
  readonly failure?: string
}

async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS)
    const response = await fetch(url, { signal, headers, redirect: 'manual' })
    const text = await response.text()
    return { status: response.status, body: parsed(text) }
  } catch (error) {
    const { cause } = error as Error
    return { failure: describe(cause ?? error) }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
