/** `/v1/audit`: what was asked and done, by whom; newest first, or as it comes. */

import type { AuditRecord } from '../../audit/audit.ts'
import type { AuditFilter } from '../../audit/filter.ts'
import { parseMoment } from '../../audit/moment.ts'
import { Follower, newestFirst, type Position } from '../../audit/read.ts'
import { Refusal } from '../../key/refusal.ts'
import type { UnixSeconds } from '../../key/units.ts'
import * as schemas from './audit-schemas.ts'
import { type Route, route } from './route.ts'

/** One answer looks at so many bytes of records at most: then it says where to go on. */
const MOST_LOOKED_AT = 64 << 20

/** How often a live stream looks for records, and how often it says that it is there, in ms. */
const LOOK_INTERVAL = 250
const PING_INTERVAL = 15_000

const listAudit = route({
  name: 'listAudit',
  method: 'get',
  path: '/v1/audit',
  summary: 'What was asked and done, newest first',
  access: 'admin',
  query: schemas.AuditQuery,
  success: { status: 200, description: 'a page of records', schema: schemas.AuditPage },
  refusals: [],
  async answer({ query: { limit, cursor, ...asked }, issuer, now }) {
    const filter = filterOf(asked, now)
    const from = cursor === undefined ? {} : { from: positionIn(cursor) }
    const found: AuditRecord[] = []
    let position: Position | undefined
    const reading = newestFirst(issuer.auditFolder, filter, { ...from, most: MOST_LOOKED_AT })
    for await (const one of reading) {
      position = one.record === undefined || found.length === limit - 1 ? one.position() : undefined
      if (one.record !== undefined) found.push(one.record)
      if (found.length === limit) break
    }
    const next = position === undefined ? null : cursorOf(position)
    return { status: 200, body: { records: found, next } }
  },
})

const followAudit = route({
  name: 'followAudit',
  method: 'get',
  path: '/v1/audit/live',
  summary: 'Records from now on, as server-sent events: one JSON object in each `data`',
  access: 'admin',
  query: schemas.LiveAuditQuery,
  success: { status: 200, description: 'text/event-stream, until either side ends it' },
  refusals: [],
  async answer({ query, issuer, now }) {
    const follower = new Follower(issuer.auditFolder, filterOf(query, now))
    return { status: 200, events: eventsOf(follower, issuer.closing) }
  },
})

export const auditRoutes: readonly Route[] = [listAudit, followAudit]

type Asked = Omit<AuditFilter, 'since' | 'until' | 'refused'> & {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly refused?: boolean | undefined
}

function filterOf(
  { since, until, ...stated }: { [K in keyof Asked]: Asked[K] | undefined },
  now: UnixSeconds,
): AuditFilter {
  const filter = Object.fromEntries(
    Object.entries({ ...stated, since: momentOf(since, now), until: momentOf(until, now) }).filter(
      ([, value]) => value !== undefined,
    ),
  )
  return filter as AuditFilter
}

function momentOf(text: string | undefined, now: UnixSeconds): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseMoment(text, now)
  } catch (error) {
    throw new Refusal('request_malformed', (error as Error).message)
  }
}

const cursorOf = (position: Position): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

/** It comes from outside: names that are no audit files, and places that are none, find nothing. */
function positionIn(cursor: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const entries = Object.entries(position as Position)
    const isGood = ([, at]: readonly [string, number]) => Number.isSafeInteger(at) && at >= 0
    if (entries.length > 0 && entries.every(isGood)) return Object.fromEntries(entries)
  } catch {
    // told below
  }
  throw new Refusal('request_malformed', 'the cursor is not one that an answer has given as "next"')
}

async function* eventsOf(follower: Follower, closing: AbortSignal): AsyncGenerator<string> {
  yield ': records from now on\n\n'
  let quiet = 0
  while (!closing.aborted) {
    const records = await follower.next()
    quiet = records.length > 0 ? 0 : quiet + LOOK_INTERVAL
    if (records.length > 0) {
      yield records.map((record) => `data: ${JSON.stringify(record)}\n\n`).join('')
    } else if (quiet >= PING_INTERVAL) {
      quiet = 0
      yield ': still here\n\n'
    }
    await pause(LOOK_INTERVAL, closing)
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
