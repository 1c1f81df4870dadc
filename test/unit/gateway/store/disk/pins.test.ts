import { beforeEach, describe, expect, it } from 'vitest'
import { Pins } from '../../../../../gateway/store/disk/pins.ts'

describe('pins', () => {
  let last: number
  let there: Set<number>
  let pins: Pins
  beforeEach(() => {
    last = 0
    there = new Set()
    pins = new Pins({
      pin: async (oid) => {
        if (oid === 404) return undefined
        if (oid === 500) throw new Error('full')
        last += 1
        there.add(last)
        return last
      },
      unpin: async (pin) => {
        expect(there.delete(pin)).toBe(true)
      },
    })
  })

  it('are shared by all readers of an object', async () => {
    const [one, two, other] = await Promise.all([pins.take(1), pins.take(1), pins.take(2)])
    expect(one?.pin).toBe(two?.pin)
    expect(other?.pin).not.toBe(one?.pin)
    expect(there.size).toBe(2)
  })

  it('outlast their readers by a round', async () => {
    const taken = await pins.take(1)
    await pins.releaseIdle()
    await pins.releaseIdle()
    taken?.release()
    await pins.releaseIdle()
    expect(there.size).toBe(1)
    const again = await pins.take(1)
    expect(again?.pin).toBe(taken?.pin)
    await pins.releaseIdle()
    expect(there.size).toBe(1)
    again?.release()
    await pins.releaseIdle()
    await pins.releaseIdle()
    expect(there.size).toBe(0)
  })

  it('that are forgotten go with their last reader, and are nobody else’s', async () => {
    const [one, two] = await Promise.all([pins.take(1), pins.take(1)])
    one?.forget()
    one?.release()
    const fresh = await pins.take(1)
    expect(fresh?.pin).not.toBe(two?.pin)
    two?.forget()
    two?.release()
    await pins.releaseIdle()
    expect([...there]).toEqual([fresh?.pin])
    expect((await pins.take(1))?.pin).toBe(fresh?.pin)
  })

  it('are none of what is gone, and can be tried again after a failure', async () => {
    expect(await pins.take(404)).toBeUndefined()
    await expect(pins.take(500)).rejects.toThrow('full')
    await expect(pins.take(500)).rejects.toThrow('full')
    await pins.close()
    expect(there.size).toBe(0)
  })

  it('go in the end, but for those in use', async () => {
    const used = await pins.take(1)
    const idle = await pins.take(2)
    idle?.release()
    await pins.close()
    expect([...there]).toEqual([used?.pin])
  })
})
