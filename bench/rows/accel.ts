/** Large signed GETs that the gateway decides on and nginx sends; both of them are paid for. */
import { resolve } from 'node:path'
import { startFront } from '../anchors/front.ts'
import type { Bench } from '../bench.ts'
import { byCpu, type Measured, ours, ratioOf } from '../compare.ts'
import { comparison } from '../figures.ts'
import type { Row, Section } from '../row.ts'
import { compared, type Reader } from './read.ts'

const SIZE = '1m'
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
      const url = new URL(await gateway.url('GET', `bench/${SIZE}`))
      const alone = { name: 'nginx secure_link, chunked', role: 'anchor' as const }
      const both = together([gateway.program, front.program])
      return await compare(bench, [
        { ...alone, program: nginx.program, url: nginx.url('chunked', SIZE) },
        {
          name: 'valetkey behind nginx, both',
          role: 'ours',
          program: both,
          url: `${front.origin}${url.pathname}${url.search}`,
        },
      ])
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

const together = (programs: readonly Measured[]): Measured => ({
  cpu: () => programs.reduce((sum, program) => sum + program.cpu(), 0),
  resident: () => programs.reduce((sum, program) => sum + program.resident(), 0),
})
