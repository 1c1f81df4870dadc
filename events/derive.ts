/** What of the audit is an event. */
import { createHash } from 'node:crypto'
import type { AuditRecord } from '../audit/audit.ts'
import type { Event, EventType } from './events.ts'

/** Survives the process: kept with the place in the audit up to which it was read. */
export interface DeriverState {
  /** changes whose outcome has not been read yet, by the request */
  readonly open: Readonly<Record<string, readonly AuditRecord[]>>
}

/** In milliseconds: by then the outcome of a change is on record, unless the process died. */
const OUTCOME_WITHIN = 60_000
/** So many refusals of one key within so many milliseconds are told of, once in that time. */
export const REPEATEDLY = 10
const WITHIN = 300_000
/** Keys whose refusals are counted; beyond, those that were refused longest ago are forgotten. */
const MOST_COUNTED = 10_000

const TYPES: Readonly<Record<string, EventType>> = {
  PUT: 'upload.finished',
  complete: 'upload.finished',
  copy: 'upload.finished',
  DELETE: 'object.deleted',
}

export class Deriver {
  readonly #open: Map<string, AuditRecord[]>
  readonly #refusals = new Map<string, { since: number; count: number }>()

  constructor(state: DeriverState = { open: {} }) {
    this.#open = new Map(Object.entries(state.open).map(([id, changes]) => [id, [...changes]]))
  }

  get state(): DeriverState {
    return { open: Object.fromEntries(this.#open) }
  }

  /**
   * @param records by their time
   * @param now milliseconds since 1970
   */
  take(records: readonly AuditRecord[], now: number): readonly Event[] {
    const events = records.flatMap((record) => this.#eventsOf(record))
    // who is behind has the outcome still to read: it is missed once later records were read, or all
    const newest = records.at(-1)
    const upTo = newest === undefined ? now : Math.min(now, Date.parse(newest.time))
    return [...events, ...this.#unconfirmed(upTo)]
  }

  #eventsOf(record: AuditRecord): readonly Event[] {
    if (record.kind === 'change') return this.#changed(record)
    if (record.kind === 'request') return [...this.#ended(record), ...this.#refused(record)]
    if (record.kind === 'act' && record.act === 'used-up') return [usedUp(record)]
    return []
  }

  #changed(record: AuditRecord): readonly Event[] {
    const { id, act, path } = record
    // the command line of before did not say what came of it
    if (id === undefined) return changeEvent(record, true)
    // that of now does: no request ends there
    if (act === 'done') return this.#ended({ ...record, status: 200 })
    const open = this.#open.get(id) ?? []
    const at = act === 'undone' ? open.findLastIndex((change) => change.path === path) : -1
    this.#open.set(id, act === 'undone' ? open.toSpliced(at, at < 0 ? 0 : 1) : [...open, record])
    return []
  }

  #ended({ id = '', status = 0 }: AuditRecord): readonly Event[] {
    const changes = this.#open.get(id)
    if (changes === undefined) return []
    this.#open.delete(id)
    return status >= 200 && status < 300
      ? changes.flatMap((change) => changeEvent(change, true))
      : []
  }

  /** Of a process that died before it could say what became of a change. */
  #unconfirmed(now: number): readonly Event[] {
    const events: Event[] = []
    for (const [id, changes] of this.#open) {
      const [first] = changes
      if (first !== undefined && now - Date.parse(first.time) < OUTCOME_WITHIN) continue
      this.#open.delete(id)
      events.push(...changes.flatMap((change) => changeEvent(change, false)))
    }
    return events
  }

  #refused({ code, keys, time, address, path }: AuditRecord): readonly Event[] {
    // the others may be anybody's: whoever narrows a key chooses them
    const [key] = keys ?? []
    if (code === undefined || key === undefined) return []
    const at = Date.parse(time)
    const before = this.#refusals.get(key)
    const isRecent = before !== undefined && at - before.since < WITHIN
    const counted = isRecent
      ? { since: before.since, count: before.count + 1 }
      : { since: at, count: 1 }
    this.#refusals.delete(key)
    this.#refusals.set(key, counted)
    this.#forget()
    if (counted.count !== REPEATEDLY) return []
    const data = { key, code, address, path, times: counted.count }
    return [
      { id: idOf('refused', key, time), type: 'key.refused_repeatedly', time, subject: key, data },
    ]
  }

  #forget(): void {
    if (this.#refusals.size <= MOST_COUNTED) return
    const [oldest = ''] = this.#refusals.keys()
    this.#refusals.delete(oldest)
  }
}

function changeEvent(change: AuditRecord, isConfirmed: boolean): readonly Event[] {
  const { id = '', act, path = '', time, keys, subjects, narrowedFor, who, address } = change
  const type = TYPES[act]
  if (type === undefined) return []
  const requestId = id === '' ? undefined : id
  const by = { keys, subjects, narrowedFor, who, address, requestId }
  const data = { path, ...change.about, ...by, ...(isConfirmed ? {} : { confirmed: false }) }
  return [{ id: idOf(time, id, act, path), type, time, subject: path, data }]
}

/**
 * A key is used up once: told under one id, it is one event. One that was narrowed is known by all its
 * ids, as it is counted: by its first alone it would pass for the key that it was made of.
 */
function usedUp({ time, keys = [], address }: AuditRecord): Event {
  const key = keys.join('/')
  return {
    id: idOf('used-up', key),
    type: 'key.used_up',
    time,
    subject: key,
    data: { key, address },
  }
}

/** The same for the same thing, so that it is told once, also where it is read twice. */
const idOf = (...facts: readonly string[]): string =>
  `evt_${createHash('sha256').update(facts.join('\n')).digest('base64url').slice(0, 22)}`
