/** Uploads: ours are hashed and durable when they are acknowledged, nginx's are neither. */
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import {
  byCpu,
  byRate,
  type Contender,
  interleaved,
  type Measure,
  ours,
  ratioOf,
  type Sample,
  type Series,
  spreadBy,
} from '../compare.ts'
import { comparison, figure, floorNote, range } from '../figures.ts'
import { SIZES } from '../objects.ts'
import { output } from '../process.ts'
import type { Row, Section } from '../row.ts'
import { spreadOf } from '../statistics.ts'

/** What takes a PUT at its URL. */
export type Writer = Pick<Contender, 'program'> & { readonly url: string }
type WritingContender = Contender & Writer

const PARALLEL = 32
const LARGE_AT_ONCE = 4
/** A file system takes a burst of new files into memory; only a longer run meets the disk. */
const LONGER = 5

export const WRITE_ROWS: readonly Row[] = [
  {
    name: 'put-1k',
    title: `durable PUT of 1 KiB, ${PARALLEL} at once, each a new object`,
    run: (bench) => compareSmall(bench),
  },
  {
    name: 'put-100m',
    title: `PUT of 100 MiB, one at a time, ${LARGE_AT_ONCE} in a run`,
    run: compareLarge,
  },
]

const compareSmall = (bench: Bench): Promise<Section> =>
  bench.withBare('bare-put', [bench.path('bare/bare.db')], async ({ program, origin }) => {
    const floor: WritingContender = {
      name: 'node:http and SQLite, no key, no audit',
      role: 'floor',
      program,
      url: `${origin}/put/__N__`,
    }
    const all = await interleaved(
      [...(await writers(bench, 'put/', 'put/__N__')), floor],
      bench.options.rounds,
      (writer) => writeSmall(bench, writer),
    )
    return sectionOfSmall(all)
  })

async function writeSmall(bench: Bench, { program, url }: WritingContender): Promise<Written> {
  const seconds = bench.options.seconds * LONGER
  await toDisk()
  const before = program.cpu()
  const body = join(bench.objects, '1k')
  const load = await bench.load(url, PARALLEL, { method: 'PUT', body, each: true, seconds })
  const cpu = ((program.cpu() - before) * 1e6) / load.requests
  const rate = load.requests / load.seconds
  const rateToDisk = load.requests / (load.seconds + (await toDisk()))
  return { cpu, rate, rateToDisk, p50: load.p50, p99: load.p99 }
}

function sectionOfSmall(all: readonly Series[]): Section {
  const table = comparison(all, byRate)
  const ratio = ratioToDav(all, byRate)
  if (ratio === undefined) return { table, findings: [], notes: NO_DAV }
  const { median: value, least, most } = ratio
  return {
    table,
    findings: [{ goal: 'put1k', value, least, most }],
    notes: [untilOnDisk(all), ...floorNote(all, davOf(all), byRate)],
  }
}

interface Written extends Sample {
  /** requests a second, counted until the disk has all of them */
  readonly rateToDisk: number
}

/** nginx has only promised so far: this is the rate at which it keeps its promise. */
function untilOnDisk(all: readonly Series[]): string {
  const byDisk: Measure = (sample) => (sample as Written).rateToDisk
  const rates = all.map((series) => {
    const { median, least, most } = spreadBy(series, byDisk)
    return `${series.contender.name} ${figure(median)}/s (${range({ least, most })})`
  })
  return `counted until sync(1) is through: ${rates.join('; ')}`
}

/** Waits until the disk has everything, so that nobody pays for who came before; returns seconds. */
async function toDisk(): Promise<number> {
  const began = performance.now()
  await output({ program: 'sync', args: [], core: undefined })
  return (performance.now() - began) / 1000
}

async function compareLarge(bench: Bench): Promise<Section> {
  const hashing: number[] = []
  const all = await interleaved(
    await writers(bench, 'put-large'),
    bench.options.rounds,
    async (writer) => {
      if (writer.role === 'ours') hashing.push(await hash(bench))
      await toDisk()
      return upload(bench, writer)
    },
  )
  // the first was the unrecorded run's
  const sha256 = hashing.slice(1)
  const table = comparison(all, byCpu, 'ms')
  const notes = [`a bare SHA-256 of 100 MiB: ${figure(spreadOf(sha256).median / 1000)} ms of CPU`]
  const [own, dav] = [ours(all), davOf(all)]
  if (own === undefined || dav === undefined) return { table, findings: [], notes: NO_DAV }
  const {
    median: value,
    least,
    most,
  } = spreadOf(
    own.samples.map(({ cpu }, n) => cpu / ((dav.samples[n]?.cpu ?? 0) + (sha256[n] ?? 0))),
  )
  return { table, findings: [{ goal: 'put100m', value, least, most }], notes }
}

const NO_DAV = ['no nginx: nothing to hold us to']

const davOf = (all: readonly Series[]): Series | undefined =>
  all.find(({ contender }) => contender.role === 'anchor')

function ratioToDav(all: readonly Series[], measure: typeof byRate) {
  const [own, dav] = [ours(all), davOf(all)]
  return own && dav && ratioOf(own, dav, measure)
}

async function writers(
  bench: Bench,
  scope: string,
  path = scope,
): Promise<readonly WritingContender[]> {
  const nginx = await bench.nginx()
  const gateway = await bench.ours()
  const url = await gateway.url('PUT', `bench/${path}`, `bench/${scope}`)
  return [
    ...(nginx
      ? [
          {
            name: 'nginx dav, no hash, no fsync',
            role: 'anchor' as const,
            program: nginx.program,
            url: nginx.url('dav', path),
          },
        ]
      : []),
    { name: 'valetkey', role: 'ours', program: gateway.program, url },
  ]
}

/** By uploads and not by time: one that was cut off half-way would have cost CPU for nothing. */
export async function upload(bench: Bench, { program, url }: Writer): Promise<Sample> {
  const before = program.cpu()
  const began = performance.now()
  await output({
    program: process.execPath,
    args: [bench.work('upload'), url, join(bench.objects, '100m'), String(LARGE_AT_ONCE)],
    core: bench.loadCore,
  })
  const seconds = (performance.now() - began) / 1000
  return {
    cpu: ((program.cpu() - before) * 1e6) / LARGE_AT_ONCE,
    rate: LARGE_AT_ONCE / seconds,
  }
}

/** Microseconds of CPU that hashing the same bytes takes, and nothing else. */
async function hash(bench: Bench): Promise<number> {
  const out = await output({
    program: process.execPath,
    args: [bench.work('sha256'), String(SIZES['100m'])],
    core: bench.serverCore,
  })
  return Number(out)
}
