import { describe, expect, it } from 'vitest'
import { Slots } from '../../../database/slots.ts'

describe('slots', () => {
  it('have each thing under its number until it is taken out', () => {
    const slots = new Slots<{ name: string }>()
    const [a, b] = [slots.add({ name: 'a' }), slots.add({ name: 'b' })]
    expect(slots.takeOut(a)).toEqual({ name: 'a' })
    expect(slots.takeOut(a)).toBeUndefined()
    expect(slots.takeOut(99)).toBeUndefined()
    expect([slots.size, slots.all()]).toEqual([1, [{ name: 'b' }]])
    expect(slots.takeOut(b)).toEqual({ name: 'b' })
    expect([slots.size, slots.all()]).toEqual([0, []])
  })

  it('give the number of what was taken out to another, and to one only', () => {
    const slots = new Slots<object>()
    const first = Array.from({ length: 4 }, () => slots.add({}))
    slots.takeOut(1)
    slots.takeOut(1)
    slots.takeOut(3)
    const second = Array.from({ length: 3 }, () => slots.add({}))
    expect(first).toEqual([0, 1, 2, 3])
    expect(new Set(second)).toEqual(new Set([1, 3, 4]))
    expect(slots.size).toBe(5)
  })

  it('can be emptied at once', () => {
    const slots = new Slots<{ name: string }>()
    for (const name of ['a', 'b', 'c']) slots.add({ name })
    slots.takeOut(1)
    expect(slots.takeAll()).toEqual([{ name: 'a' }, { name: 'c' }])
    expect([slots.size, slots.all(), slots.takeAll()]).toEqual([0, [], []])
    expect(slots.add({ name: 'd' })).toBeLessThan(3)
  })
})
