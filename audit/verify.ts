/** Whether the files of an audit are as they were written: nothing edited, dropped, added or moved. */
import type { Hmac, KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { isTaken } from '../database/lock.ts'
import { linesOf } from './lines.ts'
import { type AuditFile, auditFiles, parseName } from './names.ts'
import { beginMac, isGenuine, parseSeal, SEAL_START, type Seal } from './seal.ts'
import type { Begun } from './slot.ts'

export interface Finding {
  readonly file: string
  /** one sentence */
  readonly what: string
}

export interface Verdict {
  readonly files: number
  /** lines that a genuine seal is over */
  readonly records: number
  /** what somebody has done to the files; empty where they are as they were written */
  readonly problems: readonly Finding[]
  /** what a crash leaves behind */
  readonly notes: readonly Finding[]
  /** the last seal of each slot: kept elsewhere, it shows later whether the end was cut off */
  readonly heads: readonly Head[]
}

export interface Head {
  readonly file: string
  readonly seq: number
  readonly seal: string
}

/** @param earlier the heads of an earlier verdict, kept where nobody could change them */
export async function verifyAudit(
  folder: string,
  key: KeyObject,
  earlier: readonly Head[] = [],
): Promise<Verdict> {
  const files = auditFiles(folder)
  const readings: Reading[] = []
  for (const file of files) readings.push(await readFile(folder, file, key, earlier))
  const swept = new Set(readings.flatMap((reading) => reading.swept))
  const slots = new Map<number, Reading[]>()
  for (const reading of readings) {
    const { slot } = reading.file
    slots.set(slot, [...(slots.get(slot) ?? []), reading])
  }
  const links = [...slots].map(([slot, chain]) => checkChain(folder, slot, chain, swept))
  return {
    files: files.length,
    records: readings.reduce((sum, { records }) => sum + records, 0),
    problems: [
      ...readings.flatMap(({ problems }) => problems),
      ...links.flatMap((l) => l.problems),
      ...lostSince(earlier, readings, swept),
    ],
    notes: links.flatMap((link) => link.notes),
    heads: [...slots.values()].flatMap((chain) => {
      const { file, last } = chain.at(-1) as Reading
      return last === undefined ? [] : [{ file: file.name, seq: last.seq, seal: last.seal }]
    }),
  }
}

/** What one file says, and what is wrong inside of it. */
interface Reading {
  readonly file: AuditFile
  readonly problems: Finding[]
  begun: Begun | undefined
  last: Seal | undefined
  records: number
  /** bytes that no seal is over */
  torn: number
  readonly swept: string[]
  /** of earlier heads, the seals that are still there */
  readonly known: string[]
}

/** Lines since the last seal. */
interface Open {
  mac: Hmac
  lines: number
  bytes: number
  swept: string[]
}

async function readFile(
  folder: string,
  file: AuditFile,
  key: KeyObject,
  earlier: readonly Head[],
): Promise<Reading> {
  const sought = new Set(earlier.filter((head) => head.file === file.name).map(({ seal }) => seal))
  const reading: Reading = {
    file,
    problems: [],
    begun: undefined,
    last: undefined,
    records: 0,
    torn: 0,
    swept: [],
    known: [],
  }
  let open: Open | undefined
  for await (const lines of linesOf(join(folder, file.name))) {
    for (const { bytes, isEnded } of lines) {
      open ??= openAfter(reading, bytes, key)
      const text = bytes.toString('latin1', 0, SEAL_START.length)
      const seal = isEnded && text === SEAL_START ? parseSeal(bytes.toString('latin1')) : undefined
      if (seal === undefined) add(open, bytes, isEnded)
      else {
        close(reading, open, seal)
        if (sought.has(seal.seal)) reading.known.push(seal.seal)
        open = undefined
      }
    }
  }
  reading.torn = open?.bytes ?? 0
  return reading
}

/** @param first the first line behind the last seal */
function openAfter(reading: Reading, first: Buffer, key: KeyObject): Open {
  if (reading.last === undefined) {
    reading.begun = begunOf(first)
    if (reading.begun?.file !== reading.file.name) {
      problem(
        reading,
        'it does not begin with its own name: it was renamed, or its beginning cut off',
      )
    }
  }
  const before = reading.last?.seal ?? reading.begun?.after?.seal ?? ''
  return { mac: beginMac(key, before), lines: 0, bytes: 0, swept: [] }
}

function add(open: Open, bytes: Buffer, isEnded: boolean): void {
  open.mac.update(bytes)
  if (isEnded) open.mac.update('\n')
  open.lines += 1
  open.bytes += bytes.length + Number(isEnded)
  if (bytes.includes('"act":"sweep"')) open.swept.push(...sweptBy(bytes))
}

function close(reading: Reading, { mac, lines, swept }: Open, seal: Seal): void {
  const expected = (reading.last?.seq ?? reading.begun?.after?.seq ?? -1) + 1
  if (seal.seq !== expected) {
    problem(
      reading,
      `seal ${seal.seq} stands where seal ${expected} should: records were dropped, moved or added`,
    )
  } else if (!isGenuine(mac, seal)) {
    problem(
      reading,
      `what seal ${seal.seq} is over was changed: ${seal.count} records were written, ${lines} are there`,
    )
  } else {
    reading.records += lines
    reading.swept.push(...swept)
  }
  reading.last = seal
}

const problem = ({ problems, file }: Reading, what: string): void =>
  void problems.push({ file: file.name, what })

function begunOf(line: Buffer): Begun | undefined {
  const record = parsed(line)
  return record?.act === 'begin' ? (record.about as Begun | undefined) : undefined
}

function sweptBy(line: Buffer): readonly string[] {
  const record = parsed(line)
  const about = record?.act === 'sweep' ? (record.about as { files?: string[] }) : undefined
  return record?.kind === 'note' ? (about?.files ?? []) : []
}

function parsed(line: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line.toString()) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Files and ends that were there before, and are gone though nobody has said that they were old enough. */
function lostSince(
  earlier: readonly Head[],
  readings: readonly Reading[],
  swept: ReadonlySet<string>,
): readonly Finding[] {
  return earlier.flatMap(({ file, seq, seal }) => {
    const reading = readings.find((one) => one.file.name === file)
    if (reading === undefined) {
      const isSwept = [...swept].some((gone) => isUpTo(gone, file))
      return isSwept ? [] : [{ file, what: `it had seal ${seq} before, and is missing` }]
    }
    if (reading.known.includes(seal)) return []
    const what = `it had seal ${seq} before, which is not there any more: its end was cut off or changed`
    return [{ file, what }]
  })
}

/** Whether the files of a slot that went when they were old enough went as far as this one. */
function isUpTo(swept: string, file: string): boolean {
  const [gone, sought] = [parseName(swept), parseName(file)]
  if (gone === undefined || sought === undefined) return false
  return gone.slot === sought.slot && (gone.day > sought.day || gone.name === sought.name)
}

interface Links {
  readonly problems: Finding[]
  readonly notes: Finding[]
}

/** Each file names the end of the one before. */
function checkChain(
  folder: string,
  slot: number,
  chain: readonly Reading[],
  swept: ReadonlySet<string>,
): Links {
  const links: Links = { problems: [], notes: [] }
  for (const [at, reading] of chain.entries()) {
    const [before, next] = [chain[at - 1], chain[at + 1]]
    const wrong = wrongBeginning(reading, before, swept)
    if (wrong !== undefined) links.problems.push({ file: reading.file.name, what: wrong })
    // a process may be writing there, whose newest batch was half read
    if (reading.torn === 0 || (next === undefined && isTaken(folder, slot))) continue
    const what = `${reading.torn} bytes behind its last seal`
    const isNamed = next === undefined || next.begun?.after?.torn === reading.torn
    if (isNamed)
      links.notes.push({ file: reading.file.name, what: `${what}, as a crash leaves them` })
    else links.problems.push({ file: reading.file.name, what: `${what} were added` })
  }
  return links
}

function wrongBeginning(
  { begun }: Reading,
  before: Reading | undefined,
  swept: ReadonlySet<string>,
): string | undefined {
  if (begun === undefined) return undefined
  const { after } = begun
  if (after === null) {
    return before === undefined
      ? undefined
      : `it says that it is the first of its slot, but ${before.file.name} is there`
  }
  if (before?.file.name !== after.file) {
    if (before === undefined && swept.has(after.file)) return undefined
    return `the file before it, ${after.file}, is missing`
  }
  const last = before.last
  if (last?.seal === after.seal || (last === undefined && after.seal === null)) return undefined
  return `${after.file} ended with seal ${after.seq} and ends now with seal ${last?.seq ?? 'none'}: its end was cut off or changed`
}
