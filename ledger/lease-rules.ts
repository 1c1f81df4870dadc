/**
 * The arithmetic of a lease, free of any database: what becomes of the row of one (key id, object,
 * address) when somebody asks to use it, and when what ran under it ends.
 * See docs/decisions/0001-a-use-is-a-lease.md.
 */
import type { UnixSeconds } from '../key/units.ts'
import { LEASE_LIFE_SECONDS, type Lease, type LeaseOutcome, type LeaseRequest } from './ledger.ts'

/** Byte positions, `end` exclusive. */
export type Interval = readonly [start: number, end: number]

/** What is kept of the newest lease on an id, an object and an address. */
export interface LeaseRow {
  readonly started: UnixSeconds
  /** who runs under it; absent when nobody does */
  readonly holder?: string
  /** of a transfer: which content */
  readonly content?: { readonly etag: string; readonly size: number }
  /** bytes charged so far: a range's when it is granted, less what of it was not sent in the end */
  readonly sent: number
  /** what was sent of this content, in order, disjoint */
  readonly coverage: readonly Interval[]
  /** the object was sent whole, or the deed is done: a further request is a further use */
  readonly done: boolean
}

type Refused = Extract<LeaseOutcome, { granted: false }>['reason']

export type Decision =
  | { readonly granted: true; readonly newUse: boolean; readonly row: LeaseRow }
  | { readonly granted: false; readonly reason: Refused }

/** More pieces than this are not kept apart; the smallest are forgotten, and count as not sent. */
const MAX_PIECES = 32

/**
 * @param row the newest lease of this id, object and address, if there ever was one
 * @param usesLeft of the id
 * @param holder names the one who asks
 * @param isBroken whether the holder of a running lease is known to be gone
 */
export function decide(
  row: LeaseRow | undefined,
  { now, transfer }: Pick<LeaseRequest, 'now' | 'transfer'>,
  usesLeft: number,
  holder: string,
  isBroken: (holder: string) => boolean,
): Decision {
  if (row?.holder !== undefined && !isBroken(row.holder)) {
    return { granted: false, reason: 'running' }
  }
  if (row !== undefined && isRetry(row, now, transfer)) {
    const retried = retry(row, transfer, holder)
    if (retried !== undefined) return { granted: true, newUse: false, row: retried }
    if (usesLeft < 1) return { granted: false, reason: 'overrun' }
  }
  if (usesLeft < 1) return { granted: false, reason: 'exhausted' }
  return { granted: true, newUse: true, row: fresh(now, transfer, holder) }
}

/** Whether the lease, which nobody runs under, is still free for one of this kind. */
const isRetry = (row: LeaseRow, now: UnixSeconds, transfer: LeaseRequest['transfer']): boolean =>
  !row.done &&
  now - row.started < LEASE_LIFE_SECONDS &&
  (row.content === undefined) === (transfer === undefined)

/** Undefined where more than twice the size would be sent. */
function retry(
  row: LeaseRow,
  transfer: LeaseRequest['transfer'],
  holder: string,
): LeaseRow | undefined {
  if (transfer === undefined) return { ...row, holder }
  const { etag, size, start, end } = transfer
  const sent = row.sent + (end - start)
  if (sent > 2 * size) return undefined
  // What was sent of other content is no part of this one, but it was sent.
  const coverage = etag === row.content?.etag ? row.coverage : []
  return started({ ...row, content: { etag, size }, sent, coverage }, holder)
}

function fresh(now: UnixSeconds, transfer: LeaseRequest['transfer'], holder: string): LeaseRow {
  const row = { started: now, sent: 0, coverage: [], done: false }
  if (transfer === undefined) return { ...row, holder }
  const { etag, size, start, end } = transfer
  return started({ ...row, content: { etag, size }, sent: end - start }, holder)
}

/** An object without bytes is sent whole before anything runs. */
const started = (row: LeaseRow, holder: string): LeaseRow =>
  row.content?.size === 0 ? ended({ ...row, done: true }) : { ...row, holder }

const ended = ({ holder: _, ...row }: LeaseRow): LeaseRow => row

/**
 * The row when what ran under it ends; undefined where the use is given back.
 * @param range what the holder was granted
 * @param sent as in `Leases.settle`
 * @param handed as in `Leases.settle`
 */
export function settled(
  row: LeaseRow,
  range: { readonly start: number; readonly end: number },
  sent: number,
  handed: number = sent,
): LeaseRow | undefined {
  if (row.content === undefined) return sent === 0 ? undefined : ended({ ...row, done: true })
  const { start, end } = range
  const counted = Math.min(sent, end - start)
  const charged = Math.min(Math.max(sent, handed), end - start)
  const coverage = cover(row.coverage, [start, start + counted])
  const [[from, to] = [0, 0]] = coverage
  return ended({
    ...row,
    sent: row.sent - (end - start - charged),
    coverage,
    done: from === 0 && to >= row.content.size,
  })
}

/** Where the rows of one object and address are kept; whoever calls makes it all one transaction. */
export interface LeaseTable {
  /** uses of an id counted so far */
  readonly count: (id: string) => number
  readonly row: (id: string) => LeaseRow | undefined
  readonly put: (id: string, row: LeaseRow) => void
  readonly remove: (id: string) => void
  readonly addUses: (id: string, by: 1 | -1) => void
}

export type LeaseAnswer =
  | { readonly granted: true; readonly ids: readonly string[] }
  | {
      readonly granted: false
      readonly reason: Refused
      readonly id: string
      /** of `running`: who */
      readonly holder?: string
    }

/** Leases every id that is counted, or none. */
export function leaseAll(
  table: LeaseTable,
  request: LeaseRequest,
  holder: string,
  isBroken: (holder: string) => boolean,
): LeaseAnswer {
  const granted: [id: string, decision: Extract<Decision, { granted: true }>][] = []
  for (const [id, most] of tightest(request.counted)) {
    const row = table.row(id)
    const decision = decide(row, request, most - table.count(id), holder, isBroken)
    if (!decision.granted) {
      const running = decision.reason === 'running' && row?.holder !== undefined
      return { ...decision, id, ...(running && { holder: row.holder }) }
    }
    granted.push([id, decision])
  }
  for (const [id, { newUse, row }] of granted) {
    table.put(id, row)
    if (newUse) table.addUses(id, 1)
  }
  return { granted: true, ids: granted.map(([id]) => id) }
}

/** An id that is counted twice must not exceed either limit. */
function tightest(counted: LeaseRequest['counted']): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const { id, most } of counted) limits.set(id, Math.min(most, limits.get(id) ?? most))
  return limits
}

/** Ends what runs under the lease; where somebody else holds it by now, nothing changes. */
export function settleAll(table: LeaseTable, lease: Lease, sent: number, handed?: number): void {
  for (const id of lease.ids) {
    const row = table.row(id)
    if (row?.holder !== lease.holder) continue
    const next = settled(row, lease, sent, handed)
    if (next !== undefined) table.put(id, next)
    else {
      table.remove(id)
      table.addUses(id, -1)
    }
  }
}

/** @throws RangeError for a range that is not one of the object's */
export function checkRequest({ transfer }: LeaseRequest): void {
  if (transfer === undefined) return
  const { start, end, size } = transfer
  const whole = [start, end, size].every(Number.isSafeInteger)
  if (!whole || start < 0 || start > end || end > size) {
    throw new RangeError(`bytes ${start} to ${end} are not a range of an object of ${size} bytes`)
  }
}

/** The union, in order, disjoint, in a bounded number of pieces. */
export function cover(coverage: readonly Interval[], piece: Interval): readonly Interval[] {
  const [start, end] = piece
  if (start >= end) return coverage
  const apart = coverage.filter(([from, to]) => to < start || from > end)
  const touching = coverage.filter(([from, to]) => to >= start && from <= end)
  const merged: Interval = [
    Math.min(start, ...touching.map(([from]) => from)),
    Math.max(end, ...touching.map(([, to]) => to)),
  ]
  const pieces = [...apart, merged].sort(([a], [b]) => a - b)
  if (pieces.length <= MAX_PIECES) return pieces
  const smallest = pieces.reduce((least, each) => (lengthOf(each) < lengthOf(least) ? each : least))
  return pieces.filter((each) => each !== smallest)
}

const lengthOf = ([start, end]: Interval): number => end - start
