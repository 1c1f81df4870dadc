/** Whether a gateway answers where it should, and what the proxy in front of it lets through. */
import { Agent, fetch } from 'undici'
import { describe } from '../failure.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const TIMEOUT_MILLISECONDS = 3000

/** Mints a key of ours that does nothing, restricted further. */
export type MintProbe = (claims: ProbeClaims) => string

export interface ProbeClaims {
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: true
}

/** Our own listener is asked by its address, which its certificate need not name. */
const UNNAMED = new Agent({ connect: { rejectUnauthorized: false } })

/**
 * @param url where the configuration says that the gateway listens
 * @param mint absent where no key can be minted: then it is only asked whether somebody is ready
 */
export async function gateway(url: string, mint: MintProbe | undefined): Promise<Finding> {
  const answer = await get(`${url}/-/ready`, {}, UNNAMED)
  const isOurs = async () => mint === undefined || honours(url, { query: mint({}) }, UNNAMED)
  if (answer.status === 200 && !(await isOurs())) {
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
 * @param isServing whether the gateway itself is ready, so that an answer of another kind is not its
 */
export async function publicUrl(
  url: string,
  mint: MintProbe | undefined,
  isServing: boolean,
): Promise<readonly Finding[]> {
  const ready = await get(`${url}/-/ready`)
  if (ready.status !== 200) return [unready(url, ready, isServing)]
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

/** That nothing answers may be this machine's view of a network; a wrong answer is everybody's. */
function unready(url: string, { status, failure, cause }: Answer, isServing: boolean): Finding {
  if (cause === 'CERT_HAS_EXPIRED') {
    const advice = 'renew it, where TLS ends, and let that program take the new one'
    return fail('public URL', `the certificate at ${url} has expired`, advice)
  }
  const what = status === undefined ? `fails: ${failure}` : `answers with status ${status}`
  const say = status !== undefined && isServing ? fail : warn
  const advice = 'check publicUrl, the proxy in front, and that this machine can reach it'
  return say('public URL', `${url}/-/ready ${what}`, advice)
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

async function honours(
  url: string,
  { query, header, headers = {} }: Shown,
  agent?: Agent,
): Promise<boolean> {
  const asked = query === undefined ? '' : `?vk=${query}`
  const shown = header === undefined ? headers : { ...headers, Authorization: `Bearer ${header}` }
  const { status, body } = await get(`${url}/-/key${asked}`, shown, agent)
  return status === 200 && typeof (body as { id?: unknown } | undefined)?.id === 'string'
}

interface Answer {
  /** absent where there was none */
  readonly status?: number
  readonly body?: unknown
  readonly failure?: string
  /** the code of the failure */
  readonly cause?: string
}

async function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  dispatcher?: Agent,
): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS)
    const how = { signal, headers, redirect: 'manual', ...(dispatcher && { dispatcher }) } as const
    const response = await fetch(url, how)
    const text = await response.text()
    return { status: response.status, body: parsed(text) }
  } catch (error) {
    const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    return { failure: describe(cause), ...(cause.code !== undefined && { cause: cause.code }) }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
