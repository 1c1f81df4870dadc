/** Reads records back, over the files of all processes: newest first, oldest first, or as they come. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditRecord } from './audit.ts'
import { type AuditFilter, matcherOf } from './filter.ts'
import { type Line, linesBackwards, linesOf } from './lines.ts'
import { type AuditFile, auditFiles, dayOf } from './names.ts'
import { SEAL_START } from './seal.ts'
import { tailOf } from './tail.ts'

/** Where a reading stopped, by file: up to where, in bytes, there is still something to read. */
export type Position = Readonly<Record<string, number>>

/** A record, and where a reading that stops behind it goes on. */
export interface Found {
  readonly record: AuditRecord
  readonly position: () => Position
}

/** How much the clock of a machine may be set back and forth without records being missed. */
const SLACK = 300_000

/**
 * Newest first.
 * @param from where an earlier reading stopped; from the newest unless stated
 * @param most bytes to look at; when they are read, it ends with an empty `record`
 */
export async function* newestFirst(
  folder: string,
  filter: AuditFilter,
  { from, most = Number.POSITIVE_INFINITY }: { from?: Position; most?: number } = {},
): AsyncGenerator<Found | { readonly record: undefined; readonly position: () => Position }> {
  const matches = matcherOf(filter)
  const files = within(auditFiles(folder), filter).reverse()
  const isLeft = ({ name, day }: AuditFile): boolean =>
    from === undefined || name in from || day < oldestIn(from)
  let left = most
  for (const day of new Set(files.map((file) => file.day))) {
    const sources = files
      .filter((file) => file.day === day && isLeft(file))
      .map((file) => new Backwards(folder, file, from?.[file.name]))
    const position = () => Object.fromEntries(sources.map((source) => [source.name, source.at]))
    try {
      for (;;) {
        const newest = await newestOf(sources)
        const record = newest?.head
        if (newest === undefined || record === undefined) break
        left -= newest.next()
        const isOlder = filter.since !== undefined && Date.parse(record.time) < filter.since - SLACK
        if (isOlder) await newest.end()
        else if (matches(record)) yield { record, position }
        if (left < 0) {
          yield { record: undefined, position }
          return
        }
      }
    } finally {
      for (const source of sources) await source.end()
    }
  }
}

/** The one whose next record is the newest; undefined when none has any more. */
async function newestOf(sources: readonly Backwards[]): Promise<Backwards | undefined> {
  let newest: Backwards | undefined
  for (const source of sources) {
    if (source.head === undefined) await source.fill()
    const { head } = source
    if (head !== undefined && (newest?.head === undefined || head.time > newest.head.time)) {
      newest = source
    }
  }
  return newest
}

const oldestIn = (position: Position): string =>
  Object.keys(position)
    .reduce((oldest, name) => (name < oldest ? name : oldest), '~')
    .slice(0, 10)

/** One file, from its last sealed record back to its first. */
class Backwards {
  readonly name: string
  /** what is before here has not been read */
  at: number
  head: AuditRecord | undefined
  /** that of the head */
  #line: Line | undefined
  #lines: Line[] = []
  #pieces: AsyncGenerator<readonly Line[]>
  #isDone = false

  constructor(folder: string, { name }: AuditFile, end?: number) {
    this.name = name
    const path = join(folder, name)
    this.at = end ?? sealedLength(path)
    this.#pieces = linesBackwards(path, this.at)
  }

  /** Makes the next record the head, unless there is one. */
  async fill(): Promise<void> {
    while (this.head === undefined && !this.#isDone) {
      const line = this.#lines.shift()
      if (line !== undefined) {
        this.#line = line
        this.head = recordOf(line)
        if (this.head === undefined) this.at = line.at
        continue
      }
      const piece = await this.#pieces.next()
      if (piece.done === true) this.#isDone = true
      else this.#lines = [...piece.value]
    }
  }

  /** Takes the head away; returns how many bytes it had. */
  next(): number {
    this.head = undefined
    this.at = this.#line?.at ?? 0
    return this.#line?.bytes.length ?? 0
  }

  /** Nothing more is read of it. */
  async end(): Promise<void> {
    this.#isDone = true
    this.#lines = []
    await this.#pieces.return(undefined)
  }
}

/** What no seal is over is not shown: it may be half a batch. */
function sealedLength(path: string): number {
  const { length, torn } = tailOf(path)
  return length - torn
}

function recordOf({ bytes }: Line): AuditRecord | undefined {
  if (bytes.toString('latin1', 0, SEAL_START.length) === SEAL_START) return undefined
  try {
    return JSON.parse(bytes.toString()) as AuditRecord
  } catch {
    // somebody has changed it: `audit verify` says so
    return undefined
  }
}

const within = (files: readonly AuditFile[], { since, until }: AuditFilter): AuditFile[] =>
  files.filter(
    ({ day }) =>
      (since === undefined || day >= dayOf(since - SLACK)) &&
      (until === undefined || day <= dayOf(until + SLACK)),
  )

/** Oldest first, day by day, and within a day process by process in the order of their times. */
export async function* oldestFirst(
  folder: string,
  filter: AuditFilter,
): AsyncGenerator<AuditRecord> {
  const matches = matcherOf(filter)
  const files = within(auditFiles(folder), filter)
  for (const day of new Set(files.map((file) => file.day))) {
    const sources = files
      .filter((file) => file.day === day)
      .map((file) => recordsOf(join(folder, file.name)))
    yield* merged(sources, matches)
  }
}

async function* merged(
  sources: readonly AsyncGenerator<AuditRecord>[],
  matches: (record: AuditRecord) => boolean,
): AsyncGenerator<AuditRecord> {
  try {
    const heads = await Promise.all(sources.map(async (source) => (await source.next()).value))
    for (;;) {
      let oldest = -1
      for (const [at, head] of heads.entries()) {
        const best = heads[oldest]
        if (head !== undefined && (best === undefined || head.time < best.time)) oldest = at
      }
      const record = heads[oldest]
      if (record === undefined) return
      if (matches(record)) yield record
      heads[oldest] = (await sources[oldest]?.next())?.value
    }
  } finally {
    for (const source of sources) await source.return(undefined)
  }
}

async function* recordsOf(path: string): AsyncGenerator<AuditRecord, undefined> {
  const end = sealedLength(path)
  for await (const lines of linesOf(path)) {
    for (const line of lines) {
      if (line.at >= end) return undefined
      const record = recordOf(line)
      if (record !== undefined) yield record
    }
  }
  return undefined
}

/** Of one file at a time: a reader that comes late has a lot to read. */
const MOST_AT_ONCE = 8 << 20

/** What is written from now on, or from where another reader stopped; asked for again and again. */
export class Follower {
  readonly #folder: string
  readonly #matches: (record: AuditRecord) => boolean
  readonly #ends = new Map<string, number>()
  /** of files as they were when they were read to their end */
  readonly #sizes = new Map<string, number>()

  constructor(folder: string, filter: AuditFilter, from?: Position) {
    this.#folder = folder
    this.#matches = matcherOf(filter)
    if (from !== undefined) this.#ends = new Map(Object.entries(from))
    else {
      for (const { name } of auditFiles(folder)) {
        this.#ends.set(name, sealedLength(join(folder, name)))
      }
    }
  }

  /** Up to where the files that are there have been read. */
  get position(): Position {
    const names = new Set(auditFiles(this.#folder).map(({ name }) => name))
    return Object.fromEntries([...this.#ends].filter(([name]) => names.has(name)))
  }

  /** The records that were sealed since the last time, or some of them where they are very many. */
  async next(): Promise<readonly AuditRecord[]> {
    const found: AuditRecord[] = []
    for (const { name } of auditFiles(this.#folder)) found.push(...(await this.#since(name)))
    return found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  }

  async #since(name: string): Promise<readonly AuditRecord[]> {
    const path = join(this.#folder, name)
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined || size === this.#sizes.get(name)) return []
    const start = this.#ends.get(name) ?? 0
    const end = sealedLength(path)
    const found: AuditRecord[] = []
    for await (const lines of linesOf(path, start)) {
      for (const line of lines) {
        if (line.at >= end || line.at - start > MOST_AT_ONCE) {
          this.#ends.set(name, line.at)
          if (line.at >= end) this.#sizes.set(name, size)
          return found
        }
        const record = recordOf(line)
        if (record !== undefined && this.#matches(record)) found.push(record)
      }
    }
    this.#ends.set(name, Math.max(start, end))
    this.#sizes.set(name, size)
    return found
  }
}
