import { expect, test } from 'vitest'
import { Fingerprints } from '../../../ledger/sqlite/fingerprints.ts'

/** Alike as ids and paths are: they differ in few characters. */
const COUNT = 50_000
const added = (n: number): string => `user-${n}`
const other = (n: number): string => `user-${n}x`

test('what was added may be there, and hardly anything else', () => {
  const set = new Fingerprints()
  const mistaken = (): number =>
    Array.from({ length: COUNT }, (_, n) => Number(set.mayHold(other(n)))).reduce((a, b) => a + b)
  expect(mistaken()).toBe(0)
  // twice: adding again changes nothing
  for (let n = 0; n < COUNT * 2; n += 1) set.add(added(n % COUNT))
  for (let n = 0; n < COUNT; n += 1) expect(set.mayHold(added(n))).toBe(true)
  expect(mistaken()).toBeLessThan(20)
})

test('any text is one', () => {
  const set = new Fingerprints()
  for (const text of ['', '\0', 'é', '\ud800', 'x'.repeat(5000)]) {
    expect(set.mayHold(text)).toBe(false)
    set.add(text)
    expect(set.mayHold(text)).toBe(true)
  }
})
