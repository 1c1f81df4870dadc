import { describe, expect, it } from 'vitest'
import { delayBefore, Pace } from '../../../web/client/drop/pace.ts'
import { FIRST_PIECE, nextPiece } from '../../../web/client/drop/tus.ts'

describe('how fast bytes go', () => {
  it('says nothing before there is something to say', () => {
    const pace = new Pace()
    expect(pace.speed(0)).toBeUndefined()
    pace.mark(0, 0)
    expect(pace.timeLeft(100, 100)).toBeUndefined()
  })

  it('is that of the last seconds', () => {
    const pace = new Pace()
    for (let second = 0; second <= 20; second += 1) pace.mark(second * 1000, second * 1000)
    for (let second = 21; second <= 40; second += 1) {
      pace.mark(20_000 + (second - 20) * 5000, second * 1000)
    }
    expect(pace.speed(40_000)).toBeCloseTo(5000, 0)
    expect(pace.timeLeft(12_345, 40_000)).toBe(3)
  })

  it('falls while nothing moves, and begins anew after bytes were lost', () => {
    const pace = new Pace()
    pace.mark(0, 0)
    pace.mark(4000, 1000)
    expect(pace.speed(4000)).toBe(1000)
    pace.mark(1000, 4500)
    pace.mark(2000, 5500)
    expect(pace.speed(5500)).toBe(1000)
  })
})

describe('when to try again', () => {
  it('waits twice as long each time, half of it by chance, a minute at most', () => {
    expect([1, 2, 3].map((attempt) => delayBefore(attempt, 0))).toEqual([500, 1000, 2000])
    expect([1, 2, 3].map((attempt) => delayBefore(attempt, 1))).toEqual([1000, 2000, 4000])
    expect(delayBefore(30, 1)).toBe(60_000)
  })

  it('waits at least as long as the server asks', () => {
    expect(delayBefore(1, 0.5, 7)).toBe(7000)
    expect(delayBefore(9, 1, 7)).toBe(60_000)
  })
})

describe('how large a piece is', () => {
  it('grows on fast lines and shrinks on slow ones, within bounds', () => {
    expect(nextPiece(FIRST_PIECE, 100)).toBe(FIRST_PIECE * 2)
    expect(nextPiece(FIRST_PIECE, 8_000)).toBe(FIRST_PIECE)
    expect(nextPiece(FIRST_PIECE, 30_000)).toBe(FIRST_PIECE / 2)
    expect(nextPiece(64 << 20, 1)).toBe(64 << 20)
    expect(nextPiece(1 << 20, 60_000)).toBe(1 << 20)
  })
})
