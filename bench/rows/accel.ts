/** Large signed GETs that the gateway decides on and nginx sends; both of them are paid for. */
import { resolve } from 'node:path'
import { type Front, startFront } from '../anchors/front.ts'
import type { Bench } from '../bench.ts'
import { byCpu, type Measured, ours, ratioOf } from '../compare.ts'
import { comparison, figure, floorNote, range } from '../figures.ts'
import type { SizeName } from '../objects.ts'
import type { Ours } from '../ours.ts'
import type { Row, Section } from '../row.ts'
import { compared, type Reader } from './read.ts'

/** The smallest that counts, at which what we do weighs most; and one at which it weighs nothing. */
const SIZE = '1m'
const LARGE = '100m'
const CONNECTIONS = 8
const SETTINGS = {
  VALETKEY_GATEWAY_OFFLOAD: 'x-accel-redirect',
  VALETKEY_GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
}

export const ACCEL_ROW: Row = {
  name: 'get-accel',
  title: `signed GET of 1 MiB, sent by the nginx in front, ${CONNECTIONS} connections`,
  run: async (bench) => {
    const nginx = await bench.nginx()
    if (nginx === undefined)
      return { table: { columns: [], lines: [] }, findings: [], notes: ['no nginx'] }
    const gateway = await bench.startOurs('accel', SETTINGS)
    const front = await frontOf(bench, gateway.origin, 'front')
    try {
      await gateway.fill(bench.objects)
      const both = together([gateway.program, front.program])
      const readersOf = async (size: SizeName): Promise<readonly Reader[]> => {
        const { pathname, search } = new URL(await gateway.url('GET', `bench/${size}`))
        const [alone, own] = ['nginx secure_link, chunked', 'valetkey behind nginx, both']
        return [
          { name: alone, role: 'anchor', program: nginx.program, url: nginx.url('chunked', size) },
          { name: own, role: 'ours', program: both, url: `${front.origin}${pathname}${search}` },
        ]
      }
      const section = await besideBare(bench, gateway, await readersOf(SIZE))
      const large = await atLarge(bench, await readersOf(LARGE))
      return { ...section, notes: [...(section.notes ?? []), ...large] }
    } finally {
      await front.program.stop()
      await gateway.stop()
      bench.remove('accel')
      bench.remove('front')
    }
  },
}

const frontOf = (bench: Bench, gateway: string, folder: string): Promise<Front> =>
  startFront({
    gateway,
    data: resolve(bench.path('accel')),
    folder: bench.path(folder),
    core: bench.serverCore,
  })

/** Beside a program that names the file to the server in front, and does nothing else. */
async function besideBare(
  bench: Bench,
  gateway: Ours,
  readers: readonly Reader[],
): Promise<Section> {
  const { headers } = await fetch(await gateway.url('GET', `bench/${SIZE}`))
  const file = headers.get('x-accel-redirect')
  if (file === null) throw new Error('the gateway hands nothing over')
  return bench.withBare('bare-get', ['0', 'X-Accel-Redirect', file], async (bare) => {
    const front = await frontOf(bench, bare.origin, 'front-of-bare')
    try {
      const floor: Reader = {
        name: 'node:http behind nginx, one file for all',
        role: 'floor',
        program: together([bare.program, front.program]),
        url: `${front.origin}/`,
      }
      return await compare(bench, [...readers, floor])
    } finally {
      await front.program.stop()
      bench.remove('front-of-bare')
    }
  })
}

async function compare(bench: Bench, readers: readonly Reader[]): Promise<Section> {
  const all = await compared(bench, readers, SIZE, CONNECTIONS)
  const [anchor] = all
  const own = ours(all)
  const table = comparison(all, byCpu, 'ms')
  if (anchor === undefined || own === undefined) return { table, findings: [] }
  const { median: value, least, most } = ratioOf(own, anchor, byCpu)
  return {
    table,
    findings: [{ goal: 'accel', value, least, most }],
    notes: floorNote(all, anchor, byCpu),
  }
}

async function atLarge(bench: Bench, readers: readonly Reader[]): Promise<readonly string[]> {
  const all = await compared(bench, readers, LARGE, CONNECTIONS)
  const [anchor, own] = [all[0], ours(all)]
  if (anchor === undefined || own === undefined) return []
  const { median, least, most } = ratioOf(own, anchor, byCpu)
  return [`with 100 MiB: ${figure(median)} × nginx alone (${range({ least, most })})`]
}

const together = (programs: readonly Measured[]): Measured => ({
  cpu: () => programs.reduce((sum, program) => sum + program.cpu(), 0),
  resident: () => programs.reduce((sum, program) => sum + program.resident(), 0),
})
