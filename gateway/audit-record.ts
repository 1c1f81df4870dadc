/**
 * What the audit keeps of a request, and of a change of an object: members of a record, put together
 * by hand from an allowlist. Never a query, a token, a cookie, a policy or a form's field.
 */
import type { AuditSink } from '../audit/audit.ts'
import { asJson, quoted, quotedAll, withoutKeys } from '../audit/text.ts'
import { traceIdOf } from '../audit/trace.ts'
import { targetOf } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { Admitted } from './admit.ts'
import type { Exchange } from './exchange.ts'
import type { Unreadable } from './server.ts'
import type { Services } from './services.ts'

/** What a key is known by: the same for all its requests, so it is put together once. */
const known = new WeakMap<Grant, string>()

/** The members of a record that name the key, each with a comma before it. */
export function holderOf(grant: Grant): string {
  const there = known.get(grant)
  if (there !== undefined) return there
  const { ids, kid, subjects, grantedTo } = grant
  const narrowed = subjects.filter((subject) => subject !== grantedTo)
  let text = `,"keys":${quotedAll(ids)},"kid":${quoted(kid)}`
  if (grantedTo !== undefined) text += `,"subjects":${quotedAll([grantedTo])}`
  if (narrowed.length > 0) text += `,"narrowedFor":${quotedAll(narrowed)}`
  known.set(grant, text)
  return text
}

/** @param now monotonic milliseconds */
export function requestRecord(exchange: Exchange, now: number): string {
  const { request, grant, refusal, outgoing, client, bytesIn, bytesOut } = exchange
  let text = `"kind":"request","by":"gateway","id":"${exchange.id}","act":${quoted(exchange.incoming.method ?? '')}`
  if (request !== undefined) text += `,"path":${quoted(withoutKeys(request.path))}`
  if (grant !== undefined) text += holderOf(grant)
  text += `,"address":${quoted(client.address)}`
  if (outgoing.headersSent) text += `,"status":${outgoing.statusCode}`
  if (refusal !== undefined) text += `,"code":"${refusal.code}"`
  if (bytesIn > 0) text += `,"in":${bytesIn}`
  if (bytesOut > 0) text += `,"out":${bytesOut}`
  if (!outgoing.writableFinished) text += ',"broken":true'
  text += traceMember(request?.headers.get('traceparent'))
  return `${text},"ms":${Math.round((now - exchange.began) * 10) / 10}`
}

/** The member of a record that names the trace, with a comma before it; nothing where there is none. */
export function traceMember(traceparent: string | undefined): string {
  const id = traceIdOf(traceparent)
  return id === undefined ? '' : `,"trace":"${id}"`
}

/** Of what node:http could make no request of. */
export const unreadableRecord = ({ id, status, code, address }: Unreadable): string =>
  `"kind":"request","by":"gateway","id":"${id}","act":"unreadable","address":${quoted(address)},"status":${status},"code":"${code}"`

/** Of a key whose last use was taken. @param id that of its block, after those of the blocks above */
export const usedUpRecord = (id: string, address: string): string =>
  `"kind":"act","by":"gateway","act":"used-up","keys":${quotedAll(id.split('/'))},"address":${quoted(address)}`

/** What is being done to an object. */
export interface Change {
  readonly act: 'PUT' | 'DELETE' | 'copy' | 'complete' | 'set-metadata' | 'undone' | 'unchecked'
  readonly about?: Readonly<Record<string, unknown>>
}

function changeRecord({ grant, attempt, requestId }: Admitted, change: Change): string {
  const path = withoutKeys(targetOf(attempt.path))
  const about = change.about === undefined ? '' : `,"about":${asJson(change.about)}`
  return `"kind":"change","by":"gateway","id":"${requestId}","act":"${change.act}","path":${quoted(path)}${holderOf(grant)},"address":${quoted(attempt.address)}${about}`
}

/** That an upload goes on which was to be checked, and was not. */
export const noteUnchecked = (admitted: Admitted, audit: AuditSink, why: string): void =>
  audit.note(changeRecord(admitted, { act: 'unchecked', about: { why } }))

/** No upload begins that could not be written down. @throws Refusal */
export function checkAudit(audit: AuditSink): void {
  const trouble = audit.trouble()
  if (trouble !== undefined) throw trouble
}

/**
 * Changes an object while its record goes to the disk: both begin at once, and both have ended when
 * this resolves, so that nothing is acknowledged that is not on record. What could not be written
 * down refuses the request: with 503 where the change was made, since a 507 says that it was not. A
 * deletion is acknowledged all the same, since it is what frees a full disk: its record follows when
 * there is room.
 */
export async function changing<T>(
  admitted: Admitted,
  { audit }: Pick<Services, 'audit'>,
  change: Change,
  make: () => Promise<T>,
): Promise<T> {
  const keeping = audit.keep(changeRecord(admitted, change)).then(nothing, asRefusal)
  let outcome: T
  try {
    outcome = await make()
  } catch (error) {
    await keeping
    audit.note(changeRecord(admitted, { act: 'undone' }))
    throw error
  }
  const unkept = await keeping
  const isMade = isDone(outcome)
  if (!isMade) audit.note(changeRecord(admitted, { act: 'undone' }))
  if (unkept === undefined || change.act === 'DELETE') return outcome
  throw isMade ? offRecord(unkept) : unkept
}

const offRecord = (cause: Refusal): Refusal =>
  new Refusal('unavailable', `the object was changed, but ${cause.detail}`, { cause })

const nothing = (): undefined => undefined

/** What stores answer: what a condition kept from being done says so; `false`: nothing to delete. */
const isDone = (outcome: unknown): boolean =>
  outcome !== false &&
  (typeof outcome !== 'object' || outcome === null || !('done' in outcome) || outcome.done === true)

const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal('internal', 'the audit failed', { cause: error })
