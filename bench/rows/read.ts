/** Signed GETs. Servers that are asked for the same bytes, each with its own way of signing. */
import type { Variant } from '../anchors/nginx.ts'
import type { Bench } from '../bench.ts'
import {
  bestAnchor,
  byCpu,
  type Contender,
  interleaved,
  ours,
  ratioOf,
  type Sample,
  type Series,
} from '../compare.ts'
import { comparison, floorNote } from '../figures.ts'
import type { GoalName } from '../goals.ts'
import { SIZES, type SizeName, sizeInWords } from '../objects.ts'
import type { Row, Section } from '../row.ts'

export interface Reader extends Contender {
  readonly url: string
}

const READS: readonly { size: SizeName; goal: GoalName; connections: number }[] = [
  { size: '1k', goal: 'get1k', connections: 16 },
  { size: '64k', goal: 'get64k', connections: 16 },
  { size: '1m', goal: 'get1m', connections: 8 },
  { size: '100m', goal: 'get100m', connections: 2 },
]

export const READ_ROWS: readonly Row[] = READS.map(({ size, goal, connections }) => ({
  name: `get-${size}`,
  title: `signed GET of ${sizeInWords(size)}, ${connections} connections`,
  run: (bench) => compareReads(bench, size, goal, connections),
}))

async function compareReads(
  bench: Bench,
  size: SizeName,
  goal: GoalName,
  connections: number,
): Promise<Section> {
  const isLarge = SIZES[size] >= SIZES['1m']
  const all = isLarge
    ? await compared(bench, await readers(bench, size), size, connections)
    : await besideBare(bench, size, connections)
  const own = ours(all)
  const best = bestAnchor(all)
  if (own === undefined || best === undefined) {
    return {
      table: comparison(all, byCpu),
      findings: [],
      notes: ['no nginx: nothing to hold us to'],
    }
  }
  const { median: value, least, most } = ratioOf(own, best, byCpu)
  return {
    table: comparison(all, byCpu, isLarge ? 'ms' : 'µs'),
    findings: [{ goal, value, least, most }],
    notes: [`best nginx: ${best.contender.name}`, ...floorNote(all, best, byCpu)],
  }
}

/** What is small costs what a request does, much of which Node does for any. */
const besideBare = (
  bench: Bench,
  size: SizeName,
  connections: number,
): Promise<readonly Series<Reader>[]> =>
  bench.withBare('bare-get', [String(SIZES[size])], async ({ program, origin }) => {
    const floor: Reader = {
      name: 'node:http, a constant',
      role: 'floor',
      program,
      url: `${origin}/`,
    }
    return compared(bench, [...(await readers(bench, size)), floor], size, connections)
  })

/** All of them asked for an object of that size, in turn. */
export const compared = (
  bench: Bench,
  all: readonly Reader[],
  size: SizeName,
  connections: number,
): Promise<readonly Series<Reader>[]> =>
  interleaved(all, bench.options.rounds, (reader) => read(bench, reader, SIZES[size], connections))

async function readers(bench: Bench, size: SizeName): Promise<readonly Reader[]> {
  const nginx = await bench.nginx()
  const caddy = await bench.caddy()
  const gateway = await bench.ours()
  const isLarge = SIZES[size] >= SIZES['1m']
  // which of them is best differs by size: the others would only cost time
  const variants: readonly Variant[] = isLarge ? ['chunked'] : ['nopush', 'cached']
  const all: Reader[] = []
  if (nginx !== undefined) {
    const { program } = nginx
    for (const variant of variants) {
      const name = `nginx secure_link, ${variant}`
      all.push({ name, role: 'anchor', program, url: nginx.url(variant, size) })
    }
    if (nginx.hasNjs && !isLarge) {
      const name = 'nginx + njs, HMAC-SHA256'
      all.push({ name, role: 'other', program, url: nginx.url('njs', size) })
    }
  }
  if (caddy !== undefined) {
    const { program, origin } = caddy
    all.push({ name: 'Caddy, no signature', role: 'other', program, url: `${origin}/${size}` })
  }
  const url = await gateway.url('GET', `bench/${size}`)
  return [...all, { name: 'valetkey', role: 'ours', program: gateway.program, url }]
}

/**
 * A large object that was half sent when the time was up has cost half its CPU: it counts as half,
 * by its bytes.
 */
export async function read(
  bench: Bench,
  { program, url }: Pick<Reader, 'program' | 'url'>,
  size: number,
  connections: number,
): Promise<Sample> {
  const before = program.cpu()
  const { requests, bytes, seconds, p50, p99 } = await bench.load(url, connections)
  const done = size >= SIZES['1m'] ? bytes / size : requests
  return { cpu: ((program.cpu() - before) * 1e6) / done, rate: done / seconds, p50, p99 }
}
