/** The order in which an upload reaches the disk: file, folder, index, and only then the answer. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  type Event,
  eventsOfPreload,
  eventsOfStrace,
  orderOf,
  straceOptions,
} from '../support/disk-trace.ts'
import { eventually } from '../support/eventually.ts'
import { ask } from '../support/http.ts'
import { type Serve, ServeFolder, type ServeOptions } from '../support/serve-process.ts'
import { pattern } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'

interface Tracer {
  readonly name: string
  readonly options: (to: string) => ServeOptions
  readonly events: (trace: string) => readonly Event[]
  /** whether the trace is whole */
  readonly isWhole: (trace: string) => boolean
}

const FROM_INSIDE: Tracer = {
  name: 'from inside',
  options: (to) => ({
    preload: [new URL('../support/preload-disk.mjs', import.meta.url).href],
    env: { TRACE_TO: to },
  }),
  events: eventsOfPreload,
  isWhole: () => true,
}

const STRACE: Tracer = {
  name: 'by strace',
  options: (to) => ({
    under: ['strace', ...straceOptions(to)],
    // else libuv may hand calls to the kernel that no tracer sees
    env: { UV_USE_IO_URING: '0' },
  }),
  events: eventsOfStrace,
  isWhole: (trace) => /\+\+\+ exited with 0 \+\+\+\s*$/.test(trace),
}

const mayTrace = spawnSync('strace', [...straceOptions('/dev/null'), 'true']).status === 0
const tracers = mayTrace ? [FROM_INSIDE, STRACE] : [FROM_INSIDE]

const SMALL = 500
const LARGE = 1_500_000

it.each(tracers)('is kept, seen $name', async ({ options, events, isWhole }) => {
  const folder = new ServeFolder()
  const { path, remove } = tempFolder()
  const trace = join(path, 'trace')
  try {
    const serve = await folder.start(options(trace))
    await upload(serve, folder)
    expect(await serve.stop()).toBe(0)
    const text = await eventually(() => whole(trace, isWhole))
    const order = orderOf(events(text), (request) => request.startsWith('PUT /large/'))
    expect(order).toEqual({ mistakes: [], blobs: 12, answers: { PUT: 36, DELETE: 4, POST: 4 } })
  } finally {
    remove()
    folder.remove()
  }
})

function whole(trace: string, isWhole: (text: string) => boolean): string {
  const text = readFileSync(trace, 'utf8')
  expect(isWhole(text)).toBe(true)
  return text
}

/** One by one, then many at once; new ones and replaced ones. */
async function upload(serve: Serve, folder: ServeFolder): Promise<void> {
  const key = folder.mint()
  const put = async (path: string, size: number): Promise<void> => {
    const answer = await ask(serve.url(path, key), { method: 'PUT', body: pattern(size) })
    expect([200, 201]).toContain(answer.status)
  }
  const each = async (n: number): Promise<void> => {
    await put(`small/${n}`, SMALL)
    await put(`large/${n}`, LARGE)
  }
  for (const n of [0, 0, 1, 2]) await each(n)
  const numbers = Array.from({ length: 8 }, (_, n) => n)
  await Promise.all([
    ...numbers.map(each),
    ...numbers.map((n) => put(`small/again-${n}`, SMALL)),
    ...numbers.slice(0, 4).map((n) => put(`small/more-${n}`, SMALL)),
  ])
  await Promise.all(
    numbers.slice(0, 4).map(async (n) => {
      const gone = await ask(serve.url(`large/${n}`, key), { method: 'DELETE' })
      expect(gone.status).toBe(204)
      expect((await serve.revoke(`key-${n}`)).status).toBe(201)
    }),
  )
}

const LINES = [
  '7 receive PUT',
  '8 write blob',
  '8 link',
  '8 sync blob',
  '8 sync folder',
  '9 sync index',
  '7 respond',
] as const

/** As strace prints it. */
const printed: Readonly<Record<(typeof LINES)[number], string>> = {
  '7 receive PUT':
    '7 read(30<TCP:[1.1.1.1:1->1.1.1.1:2]>, "PUT /large/1 HTTP/1.1\\r\\nHost"..., 65536) = 90',
  '8 write blob': '8 writev(31</d/staging/i/ab1>, [{iov_base="x"..., iov_len=9}], 1) = 9',
  '8 link': '8 link("/d/staging/i/ab1", "/d/blobs/ab/ab1") = 0',
  '8 sync blob': '8 fsync(31</d/staging/i/ab1> <unfinished ...>\n8 <... fsync resumed>) = 0',
  '8 sync folder': '8 fsync(32</d/blobs/ab>) = 0',
  '9 sync index': '9 fdatasync(20</d/index.db-wal>) = 0',
  '7 respond':
    '7 writev(30<TCP:[1.1.1.1:1->1.1.1.1:2]>, [{iov_base="HTTP/1.1 201 Created"..., iov_len=9}], 1) = 9',
}

const mistakesOf = (lines: readonly (typeof LINES)[number][]): number =>
  orderOf(eventsOfStrace(lines.map((line) => printed[line]).join('\n')), () => true).mistakes.length

it('is found to be broken where anything is missing or too late', () => {
  expect(mistakesOf(LINES)).toBe(0)
  for (const line of LINES.slice(3, 6)) {
    const without = LINES.filter((other) => other !== line)
    expect(mistakesOf(without)).toBeGreaterThan(0)
    expect(mistakesOf([...without, line])).toBeGreaterThan(0)
  }
  const [receive, write, link, blob, folder, index, respond] = LINES
  expect(mistakesOf([receive, blob, write, link, folder, index, respond])).toBeGreaterThan(0)
  expect(mistakesOf([receive, write, link, folder, blob, index, respond])).toBeGreaterThan(0)
  expect(mistakesOf([receive, write, link, index, blob, folder, respond])).toBeGreaterThan(0)
})
