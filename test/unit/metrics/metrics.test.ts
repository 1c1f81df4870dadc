import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Handover, handedOver } from '../../../metrics/handover.ts'
import { type Ended, Meter } from '../../../metrics/meter.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const ended = (method: string, status: number, more: Partial<Ended> = {}): Ended => ({
  incoming: { method },
  outgoing: { headersSent: status !== 0, statusCode: status === 0 ? 200 : status },
  began: 1000,
  bytesIn: 0,
  bytesOut: 0,
  refusal: undefined,
  ...more,
})

describe('a meter', () => {
  it('counts by verb, status and code, and how long it took', () => {
    const meter = new Meter()
    meter.ended(ended('GET', 200, { bytesOut: 10 }), 1000.4)
    meter.ended(ended('GET', 200, { bytesOut: 5 }), 1000.5)
    meter.ended(ended('GET', 0), 1000.6)
    meter.ended(ended('PUT', 403, { bytesIn: 7, refusal: { code: 'key_expired' } }), 9_000_000)
    meter.ended(ended('BREW', 405, { refusal: { code: 'method_not_allowed' } }), 900)
    meter.usedOnce()
    const { requests, refusals, took, ...rest } = meter.counts()
    expect(requests).toEqual({ 'GET 200': 2, 'GET 0': 1, 'PUT 403': 1, 'other 405': 1 })
    expect(refusals).toMatchObject({ key_expired: 1, method_not_allowed: 1, internal: 0 })
    expect(took.GET?.counts.slice(0, 3)).toEqual([2, 1, 0])
    expect(took.PUT?.counts.at(-1)).toBe(1)
    expect(took.other).toMatchObject({ seconds: 0 })
    expect(rest).toEqual({ bytesIn: 7, bytesOut: 15, uses: 1 })
  })

  it('goes on from what another has counted', () => {
    const before = new Meter()
    before.ended(ended('GET', 200, { bytesOut: 10 }), 1001)
    before.ended(ended('POST', 400, { refusal: { code: 'key_malformed' } }), 1001)
    const meter = new Meter()
    meter.restore(before.counts())
    expect(meter.counts()).toEqual(before.counts())
    meter.restore(before.counts())
    expect(meter.counts().requests['GET 200']).toBe(2)
  })
})

describe('a handover', () => {
  let temp: ReturnType<typeof tempFolder>
  beforeEach(() => {
    temp = tempFolder()
  })
  afterEach(() => temp.remove())

  it('of several processes adds up, and nothing that was shown is taken back', async () => {
    const [one, two] = [Handover.open(temp.path), Handover.open(temp.path)]
    one.meter.ended(ended('GET', 200), 1001)
    two.meter.ended(ended('GET', 200), 1001)
    two.watch(() => ({ inFlight: 3, ledgerLag: 1, auditLag: 0 }))
    const shown = () => handedOver(temp.path, Date.now())
    const gets = () =>
      shown().reduce((sum, { counts }) => sum + (counts.requests['GET 200'] ?? 0), 0)
    await expect.poll(gets).toBe(2)
    expect(shown().map(({ gauges }) => gauges.inFlight)).toEqual([0, 3])
    expect(handedOver(temp.path, Date.now() + 60_000)[1]?.gauges.inFlight).toBe(0)
    await one.close()
    await two.close()
    const again = Handover.open(temp.path)
    again.meter.ended(ended('GET', 200), 1001)
    await again.close()
    expect(gets()).toBe(3)
    expect(shown()[1]?.gauges.inFlight).toBe(0)
  })

  it('knows how many processes there are, and that one has gone', async () => {
    const one = Handover.open(temp.path)
    expect(one.processes).toBe(1)
    const two = Handover.open(temp.path)
    await expect.poll(() => [one.processes, two.processes], { timeout: 30_000 }).toEqual([2, 2])
    await two.close()
    await expect.poll(() => one.processes, { timeout: 30_000 }).toBe(1)
    await one.close()
  })

  it.each(['', '{', '{"counts":{}}', '{"counts":{"requests":3}}'])(
    'takes a file that holds %j for none',
    async (text) => {
      writeFileSync(join(temp.path, '0.json'), text)
      expect(handedOver(temp.path, 0)).toEqual([])
      await Handover.open(temp.path).close()
      expect(handedOver(temp.path, 0)).toHaveLength(1)
    },
  )

  it('finds nothing where there is no folder', () => {
    expect(handedOver(join(temp.path, 'none'), 0)).toEqual([])
    expect(existsSync(join(temp.path, 'none'))).toBe(false)
    expect(readdirSync(temp.path)).toEqual([])
  })
})
