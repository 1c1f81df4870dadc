/**
 * What a program asked of the disk and what it answered, in order: from strace, or from
 * `preload-disk.mjs` where there is none. And what must hold of that order.
 */
import { dirname } from 'node:path'

export interface Event {
  readonly what: 'write' | 'sync' | 'link' | 'receive' | 'respond'
  /** path of a file, or what names a connection */
  readonly on: string
  /** of a link the new name; of a connection the first characters */
  readonly text: string
  /** lines of the trace */
  readonly began: number
  ended: number
}

// ── strace ────────────────────────────────────────────────────────────────────

const CALLS = 'fsync,fdatasync,link,linkat,write,writev,pwrite64,sendto,sendmsg,read,recvfrom'

/** @param to the file that takes the trace */
export const straceOptions = (to: string): readonly string[] => [
  // the tracer is a process aside: the program is the one that was started
  ...['-D', '-f', '-q', '-yy', '-s', '40', '-o', to],
  ...['-e', `trace=${CALLS}`, '-e', 'signal=none'],
]

/** `PID call(arguments) = result`, cut in two where another thread came in between. */
export function eventsOfStrace(trace: string): readonly Event[] {
  const events: Event[] = []
  const open = new Map<string, string>()
  const begun = new Map<string, number>()
  for (const [at, line] of trace.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^\[?(?:pid +)?(\d+)\]? +(.*)$/.exec(line) ?? []
    const unfinished = /^(.*?) *<unfinished \.\.\.>$/.exec(rest)
    if (unfinished !== null) {
      open.set(pid, unfinished[1] ?? '')
      begun.set(pid, at)
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const text = resumed === null ? rest : (open.get(pid) ?? '') + resumed[1]
    const event = eventOf(text)
    if (event === undefined) continue
    const began = resumed === null ? at : (begun.get(pid) ?? at)
    events.push({ ...event, began, ended: at })
  }
  return events
}

function eventOf(text: string): Pick<Event, 'what' | 'on' | 'text'> | undefined {
  const [, call = '', given = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? []
  if (call === '' || result.startsWith('-')) return undefined
  if (/^link/.test(call)) {
    const [from = '', to = ''] = [...given.matchAll(/"([^"]+)"/g)].map(([, name]) => name)
    return { what: 'link', on: from, text: to }
  }
  const [, on = ''] = /^\d+<(.*?)>[,)]?/.exec(`${given})`) ?? []
  const [, data = ''] = /"((?:[^"\\]|\\.)*)"/.exec(given) ?? []
  if (/sync$/.test(call)) return { what: 'sync', on, text: '' }
  if (on.startsWith('TCP')) return onConnection(call, nameOf(given), data, result)
  return /write/.test(call) ? { what: 'write', on, text: '' } : undefined
}

function onConnection(call: string, on: string, text: string, result: string) {
  if (!/^(read|recvfrom)$/.test(call)) {
    return text.startsWith('HTTP/1.1 ') ? ({ what: 'respond', on, text } as const) : undefined
  }
  return result === '0' ? undefined : ({ what: 'receive', on, text } as const)
}

/** Of `30<TCP:[127.0.0.1:1->127.0.0.1:2]>`: what is in brackets, arrow and all. */
const nameOf = (given: string): string => /<(TCP[^\]]*\])>/.exec(given)?.[1] ?? ''

// ── from inside ───────────────────────────────────────────────────────────────

export function eventsOfPreload(trace: string): readonly Event[] {
  const events = new Map<string, Event>()
  const ended: Event[] = []
  for (const [at, line] of trace.trimEnd().split('\n').entries()) {
    const { id, ...event } = JSON.parse(line) as Event & { readonly id: string }
    const begun = events.get(id)
    if (begun === undefined) events.set(id, { ...event, began: at, ended: at })
    else {
      begun.ended = at
      ended.push(begun)
    }
  }
  return ended
}

// ── what must hold ────────────────────────────────────────────────────────────

export interface Order {
  /** answers that something is done, by the first word of the request */
  readonly answers: Readonly<Record<string, number>>
  /** blobs that got their place */
  readonly blobs: number
  /** whatever was out of order */
  readonly mistakes: readonly string[]
}

/**
 * Bytes, then fsync of the file, then of its folder, then a commit of the index, then the answer.
 * Each request must have been on a connection of its own.
 * @param isLarge whether an upload, by its request line, has a file
 */
export function orderOf(events: readonly Event[], isLarge: (request: string) => boolean): Order {
  const mistakes: string[] = []
  const blobs = events.filter(({ what, text }) => what === 'link' && /\/blobs\//.test(text))
  const committed = blobs.map((link) => committedAt(events, link, mistakes))
  const answers: Record<string, number> = {}
  let large = 0
  for (const response of events.filter(({ what, text }) => isDone(what, text))) {
    const received = events.filter((event) => isBefore(event, 'receive', response))
    const [request = '', last] = [received[0]?.text, received.at(-1)]
    const [method = ''] = request.split(' ')
    answers[method] = (answers[method] ?? 0) + 1
    if (method === 'GET' || last === undefined) continue
    const isCommitted = events.some(
      (sync) => isCommit(sync) && sync.began > last.ended && sync.ended < response.began,
    )
    if (!isCommitted) mistakes.push(`answered before any commit: ${request}`)
    if (!isLarge(request)) continue
    large += 1
    const durable = committed.filter((at) => at < response.began).length
    if (durable < large) mistakes.push(`answered with ${durable} files committed: ${request}`)
  }
  return { answers, blobs: blobs.length, mistakes }
}

const isDone = (what: string, text: string): boolean =>
  what === 'respond' && /^HTTP\/1\.1 2/.test(text)

const isBefore = (event: Event, what: Event['what'], response: Event): boolean =>
  event.what === what && event.on === response.on && event.ended < response.began

const isCommit = ({ what, on }: Event): boolean => what === 'sync' && on.endsWith('.db-wal')

/** When the index first named a blob for good; infinite, with the reason told, where something is missing. */
function committedAt(events: readonly Event[], link: Event, mistakes: string[]): number {
  const missing = (what: string): number => {
    mistakes.push(`${what}: ${link.on}`)
    return Number.POSITIVE_INFINITY
  }
  const isOfFile = ({ on }: Event): boolean => on === link.on || on === link.text
  const written = events.filter((event) => event.what === 'write' && isOfFile(event))
  const last = Math.max(...written.map(({ ended }) => ended))
  if (written.length === 0) return missing('nothing was written')
  const file = events.find(
    (event) => event.what === 'sync' && isOfFile(event) && event.began > last,
  )
  if (file === undefined) return missing('no fsync after the last write')
  const folder = events.find(
    ({ what, on, began }) =>
      what === 'sync' && on === dirname(link.text) && began > Math.max(file.ended, link.ended),
  )
  if (folder === undefined) return missing('no fsync of the folder after the file')
  const commit = events.find(
    (event) => isCommit(event) && /index\.db/.test(event.on) && event.began > folder.ended,
  )
  return commit?.ended ?? missing('no commit after the fsync of the folder')
}
