/** Beside whole S3 engines: the same objects in and out, each engine with its own signatures. */
import { join } from 'node:path'
import { ENGINES, Engine } from '../anchors/engines.ts'
import type { Bench } from '../bench.ts'
import {
  byCpu,
  byRate,
  type Contender,
  interleaved,
  ours,
  ratioOf,
  type Sample,
  type Series,
} from '../compare.ts'
import { figure, range } from '../figures.ts'
import { SIZES, type SizeName, sizeInWords } from '../objects.ts'
import type { Row, Section } from '../row.ts'
import { read } from './read.ts'
import { upload, type Writer } from './write.ts'

interface Server extends Contender {
  readonly url: (method: 'GET' | 'PUT', name: SizeName) => Promise<string>
}

const CONNECTIONS: Readonly<Record<SizeName, number>> = { '1k': 16, '64k': 16, '1m': 8, '100m': 2 }

export const ENGINE_ROW: Row = {
  name: 'engines',
  title: 'GET and PUT of every size beside the S3 engines found',
  run: async (bench) => {
    const found = ENGINES.filter((name) => bench.has(name))
    if (found.length === 0) {
      const table = { columns: [''], lines: [] }
      return { table, findings: [], notes: [`none of ${ENGINES.join(', ')} is on the PATH`] }
    }
    const engines: Engine[] = []
    const notes: string[] = []
    try {
      for (const name of found) {
        try {
          engines.push(await Engine.start(name, bench.path(name), bench.serverCore))
        } catch (error) {
          notes.push(`${name} is left out, it did not start: ${(error as Error).message}`)
        }
      }
      return { ...(await compare(bench, engines)), notes }
    } finally {
      for (const { name, program } of engines) {
        await program.stop()
        bench.remove(name)
      }
    }
  },
}

async function compare(bench: Bench, engines: readonly Engine[]): Promise<Section> {
  const gateway = await bench.ours()
  const servers: readonly Server[] = [
    ...engines.map(
      (engine): Server => ({
        name: engine.name,
        role: 'anchor',
        program: engine.program,
        url: async (method, name) => engine.url(method, name),
      }),
    ),
    {
      name: 'valetkey',
      role: 'ours',
      program: gateway.program,
      url: (method, name) => gateway.url(method, `bench/engine-${name}`),
    },
  ]
  const lines: string[][] = []
  const isAhead: boolean[] = []
  for (const size of Object.keys(SIZES) as SizeName[]) {
    // what is uploaded first is downloaded then
    for (const method of ['PUT', 'GET'] as const) {
      const all = await measure(bench, servers, method, size)
      for (const series of all) {
        lines.push(lineOf(`${method} ${sizeInWords(size)}`, series, ours(all)))
        if (series.contender.role === 'anchor') isAhead.push(...aheadOf(series, ours(all)))
      }
    }
  }
  const columns = ['', '', 'CPU µs', 'requests/s', 'ours ÷ this, CPU', '', 'rate', '']
  const value = (isAhead.filter(Boolean).length / isAhead.length) * 100
  return {
    table: { columns, lines },
    findings: [{ goal: 'engines', value, beside: engines.map(({ name }) => name) }],
  }
}

async function measure(
  bench: Bench,
  servers: readonly Server[],
  method: 'GET' | 'PUT',
  size: SizeName,
): Promise<readonly Series[]> {
  const urls = new Map<Contender, string>()
  for (const server of servers) urls.set(server, await server.url(method, size))
  return interleaved<Contender>(servers, bench.options.rounds, (server) => {
    const url = urls.get(server) ?? ''
    return method === 'GET'
      ? read(bench, { program: server.program, url }, SIZES[size], CONNECTIONS[size])
      : put(bench, { program: server.program, url }, size)
  })
}

async function put(bench: Bench, writer: Writer, size: SizeName): Promise<Sample> {
  if (size === '100m') return upload(bench, writer)
  const { program, url } = writer
  const before = program.cpu()
  const body = join(bench.objects, size)
  const load = await bench.load(url, CONNECTIONS[size], { method: 'PUT', body })
  const cpu = ((program.cpu() - before) * 1e6) / load.requests
  return { cpu, rate: load.requests / load.seconds, p50: load.p50, p99: load.p99 }
}

/** Ahead in CPU, ahead in rate. */
const aheadOf = (series: Series, own: Series | undefined): readonly boolean[] =>
  own === undefined
    ? []
    : [ratioOf(own, series, byCpu).median < 1, ratioOf(own, series, byRate).median > 1]

function lineOf(what: string, series: Series, own: Series | undefined): string[] {
  const middle = (measure: typeof byCpu): string =>
    figure(series.samples.map(measure).sort((a, b) => a - b)[series.samples.length >> 1] ?? 0)
  const ratio = (measure: typeof byCpu): string[] => {
    const spread = own && ratioOf(own, series, measure)
    return spread ? [figure(spread.median), range(spread)] : ['–', '–']
  }
  return [
    what,
    series.contender.name,
    middle(byCpu),
    middle(byRate),
    ...ratio(byCpu),
    ...ratio(byRate),
  ]
}
