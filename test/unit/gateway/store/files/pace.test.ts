import { describe, expect, it } from 'vitest'
import { Pace, realClock } from '../../../../../gateway/store/files/pace.ts'
import { bytes } from '../../../../../key/units.ts'

function paceAt(rate: number) {
  const clock = { time: 5000, waited: 0 }
  const pace = new Pace(bytes(rate), {
    monotonic: () => clock.time,
    wait: async (milliseconds) => {
      clock.waited += milliseconds
      clock.time += milliseconds
    },
  })
  return { clock, pace }
}

describe('a pace', () => {
  it('waits as long as the bytes are worth', async () => {
    const { clock, pace } = paceAt(1000)
    for (const count of [500, 250, 250, 0]) await pace.spend(count)
    expect(clock.waited).toBe(1000)
  })

  it('does not wait where the work itself is slower', async () => {
    const { clock, pace } = paceAt(1000)
    for (let n = 0; n < 10; n += 1) {
      await pace.spend(100)
      clock.time += 200
    }
    expect(clock.waited).toBe(100)
  })

  it('lends a second at most to whoever was slow', async () => {
    const { clock, pace } = paceAt(1000)
    clock.time += 3_600_000
    await pace.spend(1000)
    expect(clock.waited).toBe(0)
    await pace.spend(3000)
    expect(clock.waited).toBe(3000)
  })

  it('is left early by whoever is told to stop, for the reason that was given', async () => {
    const controller = new AbortController()
    const pace = new Pace(bytes(1), realClock)
    const spending = pace.spend(3600, controller.signal)
    controller.abort(new Error('enough'))
    await expect(spending).rejects.toThrow('enough')
  })
})
