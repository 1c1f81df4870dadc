import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Pace, Pacing } from '../../../gateway/pacing.ts'
import type { Block } from '../../../key/claims.ts'
import type { Grant } from '../../../key/sign.ts'

const grant = (...blocks: Block[]): Grant => ({ blocks }) as unknown as Grant
const FIRST = { kid: 'k', jti: 'a' }

let pacing: Pacing
beforeEach(() => {
  vi.useFakeTimers()
  pacing = new Pacing(
    () => 1,
    () => Date.now(),
  )
})
afterEach(() => {
  vi.useRealTimers()
})

const paceOf = (...blocks: Block[]): Pace => {
  const pace = pacing.of(grant(...blocks))
  if (pace === undefined) throw new Error('not paced')
  return pace
}

/** Milliseconds until all of these have been moved. */
async function timeOf(...moves: Promise<unknown>[]): Promise<number> {
  const start = Date.now()
  const all = Promise.all(moves).then(() => Date.now() - start)
  await vi.runAllTimersAsync()
  return all
}

async function portions(pace: Pace, count: number, done: string[] = [], name = ''): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await pace.before(pace.portion)
    done.push(name)
  }
}

describe('a rate', () => {
  test('that no block states paces nothing', () => {
    expect(pacing.of(grant(FIRST, { jti: 'b' }))).toBeUndefined()
  })

  test('is kept by one transfer, portion by portion', async () => {
    const pace = paceOf({ ...FIRST, rate: 1000 })
    expect(pace.portion).toBe(100)
    expect(await timeOf(portions(pace, 11))).toBe(1000)
  })

  test('is kept by all transfers of the key together, each in its turn', async () => {
    const done: string[] = []
    const of = () => paceOf({ ...FIRST, rate: 1000 })
    const time = timeOf(portions(of(), 10, done, 'x'), portions(of(), 10, done, 'y'))
    expect(await time).toBe(1900)
    expect(done.slice(0, 6).sort().join('')).toBe('xxxyyy')
  })

  test('outlives a transfer: many short ones are no faster than a long one', async () => {
    for (let at = 0; at < 11; at += 1) {
      await timeOf(portions(paceOf({ ...FIRST, rate: 1000 }), 1))
    }
    expect(await timeOf(paceOf({ ...FIRST, rate: 1000 }).before(1))).toBe(100)
  })

  test('of several blocks is the lowest, and each is shared by those who have it', async () => {
    const wide = { ...FIRST, rate: 1000 }
    const one = paceOf(wide, { jti: 'b', rate: 500 })
    const other = paceOf(wide, { jti: 'c' })
    expect(one.portion).toBe(50)
    expect(await timeOf(portions(one, 11))).toBe(1000)
    expect(await timeOf(portions(other, 11))).toBe(1000)
  })

  test('of another key is its own', async () => {
    const keys = ['a', 'b'].map((jti) => paceOf({ kid: 'k', jti, rate: 1000 }))
    expect(await timeOf(...keys.map((pace) => portions(pace, 11)))).toBe(1000)
  })

  test('is divided among processes, also for those transfers that run when another comes', async () => {
    let processes = 4
    pacing = new Pacing(
      () => processes,
      () => Date.now(),
    )
    const pace = paceOf({ ...FIRST, rate: 1000 })
    expect(pace.portion).toBe(25)
    expect(await timeOf(portions(pace, 11))).toBe(1000)
    processes = 8
    expect(pace.portion).toBe(12)
    expect(await timeOf(pace.after(1250))).toBe(100 + 10_000)
  })

  test('of one byte a second moves one byte a second', async () => {
    const pace = paceOf({ ...FIRST, rate: 1 })
    expect(pace.portion).toBe(1)
    expect(await timeOf(portions(pace, 4))).toBe(3000)
  })

  test('holds for what has arrived already', async () => {
    expect(await timeOf(paceOf({ ...FIRST, rate: 1000 }).after(2500))).toBe(2500)
  })

  test('keeps nobody who is stopped', async () => {
    const pace = paceOf({ ...FIRST, rate: 1 })
    const waiting = pace.after(1_000_000)
    pace.stop()
    await waiting
    await pace.after(1_000_000)
  })
})
