/** Whether large uploads keep small downloads waiting. */
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { figure, range } from '../figures.ts'
import { Program } from '../process.ts'
import type { Row, Section } from '../row.ts'
import { spreadOf } from '../statistics.ts'

const UPLOADS = 8
/** Bytes a second of each: enough to keep a server busy, not so much that the load's core is full. */
const UPLOAD_RATE = 20 * 1024 * 1024
const DOWNLOADS = 4

interface Served {
  readonly name: string
  readonly get: string
  readonly put: string
}

/** Milliseconds at the 99th percentile, in each round. */
interface Waits {
  readonly idle: number[]
  readonly busy: number[]
}

export const MIXED_ROW: Row = {
  name: 'mixed',
  title: `p99 of a 1 KiB GET, ${DOWNLOADS} connections, while ${UPLOADS} uploads run at ${UPLOAD_RATE / 2 ** 20} MiB/s each`,
  run: async (bench) => {
    const servers = await served(bench)
    const waits = new Map<Served, Waits>(servers.map((server) => [server, { idle: [], busy: [] }]))
    for (let round = 0; round < bench.options.rounds; round += 1) {
      for (const [server, { idle, busy }] of waits) {
        idle.push((await bench.load(server.get, DOWNLOADS)).p99)
        busy.push(await whileUploading(bench, server))
      }
    }
    return section(waits)
  },
}

async function served(bench: Bench): Promise<readonly Served[]> {
  const nginx = await bench.nginx()
  const ours = await bench.ours()
  return [
    ...(nginx
      ? [
          {
            name: 'nginx secure_link, dav',
            get: nginx.url('nopush', '1k'),
            put: nginx.url('dav', 'mixed/__N__'),
          },
        ]
      : []),
    {
      name: 'valetkey',
      get: await ours.url('GET', 'bench/1k'),
      put: await ours.url('PUT', 'bench/mixed/__N__', 'bench/mixed/'),
    },
  ]
}

async function whileUploading(bench: Bench, { get, put }: Served): Promise<number> {
  const uploads = new Program({
    program: process.execPath,
    args: [
      ...[bench.work('upload'), put, join(bench.objects, '100m')],
      ...['1000000', String(UPLOADS), String(UPLOAD_RATE)],
    ],
    core: bench.loadCore,
    log: bench.path('uploads.log'),
  })
  try {
    await underWay()
    return (await bench.load(get, DOWNLOADS)).p99
  } finally {
    await uploads.stop('SIGKILL')
  }
}

/** Long enough for a program to start and its uploads to be in full swing. */
const underWay = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000))

function section(waits: ReadonlyMap<Served, Waits>): Section {
  const lines = [...waits].map(([{ name }, { idle, busy }]) => {
    const ratio = ratioOf({ idle, busy })
    return [
      name,
      figure(spreadOf(idle).median),
      range(spreadOf(idle)),
      figure(spreadOf(busy).median),
      range(spreadOf(busy)),
      figure(ratio.median),
      range(ratio),
    ]
  })
  const own = [...waits].find(([{ name }]) => name === 'valetkey')
  const { median: value, least, most } = ratioOf(own?.[1] ?? { idle: [], busy: [] })
  return {
    table: {
      columns: ['', 'idle ms', 'min–max', 'busy ms', 'min–max', 'busy ÷ idle', 'min–max'],
      lines,
    },
    findings: [{ goal: 'mixed', value, least, most }],
  }
}

const ratioOf = ({ idle, busy }: Waits) =>
  spreadOf(busy.map((wait, round) => wait / (idle[round] ?? Number.NaN)))
