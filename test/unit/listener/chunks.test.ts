import { expect, test } from 'vitest'
import { Chunks, SMALL_BYTES } from '../../../listener/chunks.ts'
import { pattern } from '../../support/store.ts'

const CONTENT = pattern(200_000)

/** Content in chunks of these sizes, over and over. */
function* cut(...sizes: readonly number[]): Iterable<Uint8Array> {
  for (let [at, turn] = [0, 0]; at < CONTENT.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    yield CONTENT.subarray(at, at + size)
    at += size
  }
}

const heldBy = (chunks: readonly Uint8Array[]): number => {
  const memory = new Set(chunks.map(({ buffer }) => buffer).filter((own) => own !== CONTENT.buffer))
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

test.each([
  ['single bytes', [1], 30],
  ['chunks that are just small', [SMALL_BYTES - 1], 60],
  ['single bytes between large chunks', [SMALL_BYTES, 1], 100],
  ['small and large ones', [1, 700, 5000, 3, 3, 9000], 120],
])('%s are few, take little, and are the same bytes', (_, sizes, most) => {
  const chunks = new Chunks()
  for (const chunk of cut(...sizes)) chunks.add(chunk)
  expect(chunks.size).toBe(CONTENT.length)
  const taken = chunks.take()
  expect(taken.length).toBeLessThan(most)
  expect(heldBy(taken)).toBeLessThan(CONTENT.length + 32 * 1024)
  expect(Buffer.concat(taken).equals(CONTENT)).toBe(true)
  expect([chunks.size, chunks.take()]).toEqual([0, []])
})

test('little takes little', () => {
  const chunks = new Chunks()
  for (let at = 0; at < 100; at += 1) chunks.add(CONTENT.subarray(at, at + 1))
  expect(heldBy(chunks.take())).toBeLessThan(1024)
})

test('what was taken stays as it was when more comes', () => {
  const chunks = new Chunks()
  const taken: Uint8Array[] = []
  let count = 0
  for (const chunk of cut(5)) {
    chunks.add(chunk)
    count += 1
    if (count % 7 === 0) taken.push(...chunks.take())
  }
  expect(Buffer.concat([...taken, ...chunks.take()]).equals(CONTENT)).toBe(true)
})

test('neither large chunks nor one alone are copied', () => {
  const chunks = new Chunks()
  const [small, large] = [CONTENT.subarray(0, 3), CONTENT.subarray(3, 3 + SMALL_BYTES)]
  chunks.add(small)
  chunks.add(large)
  const taken = chunks.take()
  expect(taken[0]).toBe(small)
  expect(taken[1]).toBe(large)
})
