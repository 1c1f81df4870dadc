import { describe, expect, test } from 'vitest'
import { Pacing } from '../../../gateway/pacing.ts'
import {
  Transfer,
  type TransferLimits,
  type TransferOf,
  Transfers,
} from '../../../gateway/transfers.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Grant } from '../../../key/sign.ts'
import { bytes, seconds } from '../../../key/units.ts'

const LIMITS: TransferLimits = {
  minUploadRate: bytes(1024),
  downloadStall: seconds(60),
  maxTransferTime: seconds(86_400),
  maxUploads: 2,
}

const cuts: Refusal[] = []
const of = (direction: TransferOf['direction'], cut: TransferOf['cut'] = () => {}): TransferOf => ({
  grant: {} as Grant,
  path: 'bucket/a' as ObjectPath,
  direction,
  cut,
})

/** When a transfer is cut that moves so much at such times; undefined where it is not within a day. */
function cutAt(
  direction: TransferOf['direction'],
  amount: number,
  every: number,
): number | undefined {
  const transfer = new Transfer(of(direction), 0)
  let moved = 0
  for (let now = 0; now < 80_000_000; now += 250) {
    for (; moved * every <= now; moved += 1) transfer.move(amount)
    if (transfer.overdue(now, LIMITS) !== undefined) return now
  }
  return undefined
}

describe('an upload', () => {
  test.each([
    ['a byte in ten seconds', 1, 10_000, 30_000],
    ['just too little', 900, 1000, 30_000],
  ])('of %s is cut after the first window', (_, amount, every, expected) => {
    expect(cutAt('in', amount, every)).toBe(expected)
  })

  test.each([
    ['64 KiB a second', 65_536, 1000],
    ['64 KiB every half minute', 65_536, 30_000],
    ['exactly enough', 1024, 1000],
  ])('of %s never is', (_, amount, every) => {
    expect(cutAt('in', amount, every)).toBeUndefined()
  })

  test('is judged by every window anew: what was fast before does not count', () => {
    const transfer = new Transfer(of('in'), 0)
    transfer.move(1e9)
    expect(transfer.overdue(30_000, LIMITS)).toBeUndefined()
    expect(transfer.overdue(59_999, LIMITS)).toBeUndefined()
    expect(transfer.overdue(60_000, LIMITS)?.code).toBe('too_slow')
  })

  test('is not blamed for the time that we take', async () => {
    const transfer = new Transfer(of('in'), 0)
    let done = (): void => {}
    const work = transfer.onOurTime(
      new Promise<void>((resolve) => {
        done = resolve
      }),
    )
    expect(transfer.overdue(1_000_000, LIMITS)).toBeUndefined()
    done()
    await work
    expect(transfer.overdue(1_029_999, LIMITS)).toBeUndefined()
    expect(transfer.overdue(1_030_000, LIMITS)?.code).toBe('too_slow')
  })
})

describe('a download', () => {
  test('that stands still is cut after a minute', () => {
    const transfer = new Transfer(of('out'), 0)
    expect(transfer.overdue(59_999, LIMITS)).toBeUndefined()
    transfer.move(1)
    expect(transfer.overdue(59_999, LIMITS)).toBeUndefined()
    expect(transfer.overdue(119_998, LIMITS)).toBeUndefined()
    expect(transfer.overdue(119_999, LIMITS)?.code).toBe('too_slow')
  })

  test('that is slow but moves is not', () => {
    expect(cutAt('out', 1, 50_000)).toBeUndefined()
  })
})

test('no transfer takes longer than a day', () => {
  for (const direction of ['in', 'out'] as const) {
    const transfer = new Transfer(of(direction), 5)
    transfer.move(1e12)
    expect(transfer.overdue(86_400_004, LIMITS)).toBeUndefined()
    expect(transfer.overdue(86_400_005, LIMITS)?.code).toBe('too_slow')
  }
})

describe('those that run', () => {
  test('are uploads up to a number, and any number of downloads', () => {
    const transfers = new Transfers(LIMITS, () => 0)
    const [first] = [transfers.begin(of('in')), transfers.begin(of('in'))]
    for (let at = 0; at < 100; at += 1) transfers.begin(of('out'))
    expect(() => transfers.begin(of('in'))).toThrow(Refusal)
    expect(() => transfers.checkUploads()).toThrow('unavailable')
    transfers.end(first)
    transfers.end(first)
    transfers.begin(of('in'))
    expect(() => transfers.begin(of('in'))).toThrow('unavailable')
    expect(transfers.running).toBe(102)
  })

  test('of one key leave some of the room to others, however it was narrowed', () => {
    const transfers = new Transfers({ ...LIMITS, maxUploads: 16 }, () => 0)
    const under = (grantedId: string, id = grantedId): TransferOf => ({
      ...of('in'),
      grant: { kid: 'test', grantedId, ids: [grantedId, id] } as unknown as Grant,
    })
    const first = transfers.begin(under('one', 'at 0'))
    for (let at = 1; at < 14; at += 1) transfers.begin(under('one', `at ${at}`))
    expect(() => transfers.begin(under('one', 'at 14'))).toThrow(/unavailable: the key runs 14/)
    transfers.begin(under('other'))
    expect(() => transfers.begin(under('one'))).toThrow('unavailable')
    transfers.begin(under('other'))
    expect(() => transfers.begin(under('third'))).toThrow(/unavailable: too many uploads/)
    transfers.end(first)
    expect(() => transfers.begin(under('one'))).toThrow('unavailable')
    transfers.begin(under('third'))
  })

  test('are as many under a rate as it lets be fast enough, until one has ended or was cut', () => {
    const transfers = new Transfers({ ...LIMITS, maxUploads: 10 }, () => 0)
    const pacing = new Pacing(
      () => 2,
      () => 0,
    )
    const at = (rate: number): TransferOf => {
      const grant = { blocks: [{ kid: 'k', jti: `${rate}`, rate }] } as unknown as Grant
      return { ...of('in'), grant, pace: pacing.of(grant) }
    }
    expect(() => transfers.begin(at(1))).toThrow(/too_slow: .* 0 bytes a second .* least 1024/)
    expect(() => transfers.begin(at(2047))).toThrow('too_slow')
    const first = transfers.begin(at(4096))
    transfers.begin(at(4096))
    expect(() => transfers.begin(at(4096))).toThrow(/unavailable: the key runs 2 uploads/)
    transfers.begin({ ...at(4096), direction: 'out' })
    transfers.begin(at(8192))
    transfers.end(first)
    transfers.end(first)
    transfers.begin(at(4096))
    expect(() => transfers.begin(at(4096))).toThrow('unavailable')
    transfers.cutAll(new Refusal('key_revoked', 'for a test'))
    transfers.begin(at(4096))
    transfers.begin(at(4096))
  })

  test('are asked about once when nothing has changed, and again when something has', async () => {
    const transfers = new Transfers(LIMITS, () => 0)
    let asked = 0
    const check = async (): Promise<undefined> => {
      asked += 1
    }
    transfers.begin(of('out'))
    await transfers.cutRevoked(false, check)
    await transfers.cutRevoked(false, check)
    expect(asked).toBe(1)
    transfers.begin(of('out'))
    await transfers.cutRevoked(false, check)
    expect(asked).toBe(2)
    await transfers.cutRevoked(true, check)
    expect(asked).toBe(4)
  })

  test('are cut once', async () => {
    const transfers = new Transfers(LIMITS, () => 0)
    const why = new Refusal('key_revoked', 'for a test')
    transfers.begin(of('in', (refusal) => cuts.push(refusal)))
    await transfers.cutRevoked(true, async () => why)
    transfers.cutAll(new Refusal('unavailable', 'later'))
    expect(cuts).toEqual([why])
    expect(transfers.running).toBe(0)
  })
})
