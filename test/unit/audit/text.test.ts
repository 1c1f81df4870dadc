import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asJson, quoted, TimeText, withoutKeys } from '../../../audit/text.ts'
import { traceIdOf } from '../../../audit/trace.ts'

describe('text in a record', () => {
  it('is JSON of printable ASCII, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quoted(text)).toMatch(/^[\x20-\x7e]*$/)
        expect(JSON.parse(quoted(text))).toBe(text)
        expect(JSON.parse(asJson({ text }))).toEqual({ text })
      }),
    )
  })

  it.each([
    ['/docs/vk1.eyJh.bc-_', '/docs/vk1...'],
    ['/vk1sk.0a.secret/x', '/vk1.../x'],
    ['/docs/vk1', '/docs/vk1'],
  ])('holds no key: %s', (path, shown) => expect(withoutKeys(path)).toBe(shown))
})

it.each([0, 1, 999, 1000, 1_780_000_000_123])('tells the time of %i', (time) => {
  const text = new TimeText()
  expect([text.of(time), text.of(time)]).toEqual(Array(2).fill(new Date(time).toISOString()))
})

it.each([
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736'],
  [
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
    '4bf92f3577b34da6a3ce929d0e0e4736',
  ],
  ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', undefined],
  ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', undefined],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', undefined],
  ['","x":"', undefined],
  [undefined, undefined],
])('reads the trace of %s', (header, id) => expect(traceIdOf(header)).toBe(id))
