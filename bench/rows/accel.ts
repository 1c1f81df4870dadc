/** Large signed GETs that the gateway decides on and nginx sends; both of them are paid for. */
import { resolve } from 'node:path'
import { startFront } from '../anchors/front.ts'
import type { Bench } from '../bench.ts'
import { byCpu, type Measured, ours, ratioOf } from '../compare.ts'
import { comparison, figure, range } from '../figures.ts'
import type { SizeName } from '../objects.ts'
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
    const front = await startFront({
      gateway: gateway.origin,
      data: resolve(bench.path('accel')),
      folder: bench.path('front'),
      core: bench.serverCore,
    })
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
      const section = await compare(bench, await readersOf(SIZE))
      return { ...section, notes: await atLarge(bench, await readersOf(LARGE)) }
    } finally {
      await front.program.stop()
      await gateway.stop()
      bench.remove('accel')
      bench.remove('front')
    }
  },
}

async function compare(bench: Bench, readers: readonly Reader[]): Promise<Section> {
  const all = await compared(bench, readers, SIZE, CONNECTIONS)
  const [anchor] = all
  const own = ours(all)
  const table = comparison(all, byCpu, 'ms')
  if (anchor === undefined || own === undefined) return { table, findings: [] }
  const { median: value, least, most } = ratioOf(own, anchor, byCpu)
  return { table, findings: [{ goal: 'accel', value, least, most }] }
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
