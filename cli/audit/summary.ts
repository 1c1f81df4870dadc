/** What was refused, by the reason: how often, whose keys, from where. */
import type { AuditRecord } from '../../audit/audit.ts'

export interface Refused {
  readonly code: string
  times: number
  readonly keys: Record<string, number>
  readonly addresses: Record<string, number>
  readonly paths: Record<string, number>
  first: string
  last: string
}

/** Of each kind, so many are told apart; further ones are counted together. */
const MOST_NAMES = 1000
const OTHERS = 'others'

/** The most frequent first. */
export async function summaryOf(records: AsyncIterable<AuditRecord>): Promise<readonly Refused[]> {
  const groups = new Map<string, Refused>()
  for await (const { code, time, keys, address, path } of records) {
    if (code === undefined) continue
    const group = groups.get(code) ?? groupOf(code, time)
    groups.set(code, group)
    group.times += 1
    group.last = time
    count(group.keys, keys?.[0])
    count(group.addresses, address)
    count(group.paths, path)
  }
  return [...groups.values()].sort((a, b) => b.times - a.times)
}

/** Names come from outside: none of them is a member that every object has. */
const counter = (): Record<string, number> => Object.create(null) as Record<string, number>

const groupOf = (code: string, time: string): Refused => ({
  code,
  times: 0,
  keys: counter(),
  addresses: counter(),
  paths: counter(),
  first: time,
  last: time,
})

function count(counts: Record<string, number>, name: string | undefined): void {
  if (name === undefined || name === '') return
  const isNew = counts[name] === undefined
  const counted = isNew && Object.keys(counts).length >= MOST_NAMES ? OTHERS : name
  counts[counted] = (counts[counted] ?? 0) + 1
}
