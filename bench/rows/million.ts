/** Whether a million objects, revocations and issued keys are felt. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { byCpu, interleaved, ratioOf, spreadBy } from '../compare.ts'
import { figure, mebibytes, range } from '../figures.ts'
import { SIZES } from '../objects.ts'
import type { Ours } from '../ours.ts'
import { output } from '../process.ts'
import type { Row, Section } from '../row.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import { read } from './read.ts'
import { verifyOn, verifyTable } from './verify.ts'

const COUNT = 1_000_000
const DATA = 'million'

export const MILLION_ROW: Row = {
  name: 'million',
  title: '10⁶ objects, revocations and issued keys',
  slow: true,
  run: async (bench) => {
    await populate(bench)
    const starts = await timesToReady(bench)
    const restarts = await timesAfterKill(bench)
    const reading = await readAndList(bench)
    return section(bench, starts, restarts, reading)
  },
}

/** Takes a minute or two, and is kept for the next time. */
async function populate(bench: Bench): Promise<void> {
  const done = join(bench.path(DATA), 'populated')
  if (existsSync(done)) return
  bench.options.tell(`making ${COUNT} of each, once`)
  bench.remove(DATA)
  await output({
    program: process.execPath,
    args: [bench.work('populate'), bench.path(DATA), String(COUNT)],
    core: undefined,
  })
  writeFileSync(done, '')
}

async function timesToReady(bench: Bench): Promise<readonly number[]> {
  const times: number[] = []
  for (let round = 0; round < bench.options.rounds; round += 1) {
    const ours = await bench.startOurs(DATA)
    times.push(ours.startedIn)
    await ours.stop()
  }
  return times
}

/** Killed in the middle of uploads, small and large. */
async function timesAfterKill(bench: Bench): Promise<readonly number[]> {
  const times: number[] = []
  for (let round = 0; round < bench.options.rounds; round += 1) {
    const ours = await bench.startOurs(DATA)
    const small = await ours.url('PUT', 'bench/killed/__N__', 'bench/killed/')
    const body = join(bench.objects, '1k')
    const load = bench.load(small, 16, { method: 'PUT', body, each: true, seconds: 2 })
    setTimeout(() => ours.program.kill(), 1000)
    // it breaks off, as it should
    await load.catch(() => {})
    await ours.stop('SIGKILL')
    const again = await bench.startOurs(DATA)
    times.push(again.startedIn)
    await again.stop()
  }
  return times
}

interface Reading {
  /** CPU of a 1 KiB GET, over that of a gateway that holds next to nothing */
  readonly get: Spread
  /** milliseconds of one request after the other, by method */
  readonly single: Readonly<Record<'GET' | 'PUT' | 'DELETE', number>>
  /** milliseconds */
  readonly list: Spread
  readonly listCpu: Spread
}

async function readAndList(bench: Bench): Promise<Reading> {
  const few = await bench.ours()
  const many = await bench.startOurs(DATA)
  try {
    await many.fill(bench.objects)
    const [small, large] = await interleaved(
      [await contender('few', few), await contender('many', many)],
      bench.options.rounds,
      (one) => read(bench, one, SIZES['1k'], 16),
    )
    const list = { ...(await contender('list', many)), url: await listUrl(many) }
    const [listing] = await interleaved([list], bench.options.rounds, (one) =>
      read(bench, one, 1, 1),
    )
    if (small === undefined || large === undefined || listing === undefined) throw new Error('none')
    return {
      get: ratioOf(large, small, byCpu),
      single: await oneByOne(bench, many),
      list: spreadBy(listing, ({ p50 }) => p50 ?? Number.NaN),
      listCpu: spreadBy(listing, ({ cpu }) => cpu / 1000),
    }
  } finally {
    await many.stop()
  }
}

async function oneByOne(bench: Bench, many: Ours): Promise<Reading['single']> {
  const url = await many.url('GET,PUT,DELETE', 'many/0500/one-__N__.bin', 'many/0500/')
  const times = await output({
    program: process.execPath,
    args: [bench.work('one-by-one'), url],
    core: bench.loadCore,
  })
  return JSON.parse(times) as Reading['single']
}

const contender = async (name: string, ours: Ours) => ({
  name,
  role: 'ours' as const,
  program: ours.program,
  url: await ours.url('GET', 'bench/1k'),
})

/** A page in the middle, across folders. */
const listUrl = async (ours: Ours): Promise<string> =>
  `${await ours.url('LIST', 'many/')}&limit=1000&after=many/0500/500500.bin`

async function section(
  bench: Bench,
  starts: readonly number[],
  restarts: readonly number[],
  { get, single, list, listCpu }: Reading,
): Promise<Section> {
  const ledgers = ['ours', DATA].map((name) => join(bench.path(name), 'ledger.db'))
  const [few = [], many = []] = await verifyOn(bench, ...ledgers)
  const more = spreadOf(
    many.map(({ first }, round) => (first / (few[round]?.first ?? Number.NaN) - 1) * 100),
  )
  const line = (words: string, spread: Spread): string[] => [
    words,
    figure(spread.median),
    range(spread),
  ]
  const sizeOf = (file: string): string => mebibytes(statSync(join(bench.path(DATA), file)).size)
  return {
    table: {
      columns: ['', '', 'min–max'],
      lines: [
        line('ready after start, s', spreadOf(starts)),
        line('ready after kill -9 during uploads, s', spreadOf(restarts)),
        line('listing 1,000, p50 ms', list),
        line('listing 1,000, CPU ms', listCpu),
        line('GET 1 KiB, CPU: many ÷ few', get),
        ...Object.entries(single).map(([method, time]) => [
          `${method} 1 KiB, one at a time, median ms`,
          figure(time),
          '',
        ]),
        line('verifying with the ledger asked: % more', more),
      ],
    },
    findings: [
      found('start', spreadOf(starts)),
      found('restart', spreadOf(restarts)),
      found('listing', list),
      found('verifyMillion', more),
    ],
    notes: [
      `index ${sizeOf('store/index.db')} MiB, ledger ${sizeOf('ledger.db')} MiB`,
      ...asNotes(
        verifyTable([
          ['few', few],
          ['many', many],
        ]),
      ),
    ],
  }
}

const found = <G extends Section['findings'][number]['goal']>(
  goal: G,
  { median: value, least, most }: Spread,
) => ({ goal, value, least, most })

const asNotes = ({ columns, lines }: Section['table']): readonly string[] =>
  lines.map(([words, ...cells]) =>
    [words, ...cells.map((cell, n) => `${columns[n + 1]} ${cell}`)].join(' · '),
  )
