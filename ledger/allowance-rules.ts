/** The arithmetic of allowances, free of any database. */
import type { UnixSeconds } from '../key/units.ts'
import type { Allowance, AllowanceOutcome, AllowanceRequest } from './ledger.ts'

/** What is kept of an allowance. */
export interface AllowanceRow {
  readonly taken: number
  /** when that was */
  readonly at: UnixSeconds
  readonly until?: UnixSeconds
}

/** Where the rows are kept; whoever calls makes it all one transaction. */
export interface AllowanceTable {
  readonly row: (id: string) => AllowanceRow | undefined
  readonly put: (id: string, row: AllowanceRow) => void
}

/** Takes the same of each, or nothing of any. */
export function takeAll(
  table: AllowanceTable,
  { of, least, want, now }: AllowanceRequest,
): AllowanceOutcome {
  const asked = of.map((allowance) => ({ ...allowance, taken: takenBy(table, allowance, now) }))
  let [granted, left] = [want, Number.POSITIVE_INFINITY]
  for (const { id, most, taken } of asked) {
    const room = Math.max(0, Math.floor(most - taken))
    if (room < least) return { granted: 0, short: id, left: room }
    granted = Math.min(granted, room)
    left = Math.min(left, room)
  }
  for (const { id, taken, until } of asked) {
    table.put(id, { taken: taken + granted, at: now, ...(until !== undefined && { until }) })
  }
  return { granted, left: left - granted }
}

/** What is taken now: of one that fills up again, less than what was. */
function takenBy(table: AllowanceTable, { id, refill = 0 }: Allowance, now: UnixSeconds): number {
  const row = table.row(id)
  if (row === undefined) return 0
  return Math.max(0, row.taken - refill * Math.max(0, now - row.at))
}

/** Of an allowance that was forgotten meanwhile nothing is left to give back. */
export function giveBackAll(table: AllowanceTable, ids: readonly string[], amount: number): void {
  for (const id of new Set(ids)) {
    const row = table.row(id)
    if (row !== undefined) table.put(id, { ...row, taken: Math.max(0, row.taken - amount) })
  }
}

/** @throws RangeError for amounts that nobody could take */
export function checkAmounts({ least, want }: Pick<AllowanceRequest, 'least' | 'want'>): void {
  if (Number.isSafeInteger(least) && Number.isSafeInteger(want) && 1 <= least && least <= want)
    return
  throw new RangeError(`at least ${least} and at most ${want} are no amounts to take`)
}
