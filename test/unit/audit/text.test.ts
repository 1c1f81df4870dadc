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
    ['/cache/%76k1.eyJh.bc', '/cache/vk1...'],
    ['/cache/v%6B%31%2EeyJh%2ebc-%5f/x', '/cache/vk1.../x'],
    ['/cache/%2576k1.eyJh', '/cache/vk1...'],
    ['/cache/%252576k1%25252eeyJh', '/cache/vk1...'],
    ['/a%3Fvk%3Dvk1.eyJh.bc%26x', '/a%3Fvk%3Dvk1...%26x'],
    [
      '/b/k%3FX-Amz-Credential=VKA/2026/s3&X-Amz-Date=1&X-Amz-Signature=0af',
      '/b/k%3FX-Amz-Credential=...&X-Amz-Date=1&X-Amz-Signature=...',
    ],
    [
      '/b/k%3FX-Amz-Credential%3DVKA%2F2026%2Fs3%26X-Amz-Security-Token%3Da%2Bb%3D%3D%26z',
      '/b/k%3FX-Amz-Credential%3D...%26X-Amz-Security-Token%3D...%26z',
    ],
    ['/b/k%253FX-Amz-Signature%253D0af%2526z=1', '/b/k%253FX-Amz-Signature%253D...%2526z=1'],
    ['/b/k%3F%58%2dAmz-Signature%3D0af', '/b/k%3FX-Amz-Signature%3D...'],
    ['/b/k&x-amz-signature=0af', '/b/k&x-amz-signature=...'],
  ])('holds no key: %s', (path, shown) => expect(withoutKeys(path)).toBe(shown))

  it.each([
    '/b/Gr%C3%BC%C3%9Fe%201%2F2.txt',
    '/b/%7Euser/%41%62',
    '/b/100%',
    '/b/%zz%2',
    '/b/X-Amz-Date=1',
    '/b/vk1x/vk2.abc',
  ])('is as it came without one: %s', (path) => expect(withoutKeys(path)).toBe(path))

  const ENCODED = /[\s\S]/g
  const times = (count: number) => (text: string) =>
    Array.from({ length: count }).reduce<string>((path) => encodeURIComponent(path), text)
  it('holds no key, however it is encoded', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9_.-]{8,40}$/)
    const character = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(secret, fc.array(character, { minLength: 1 }), (text, how) => {
        let at = 0
        const path = `vk1.${text}`.replace(ENCODED, (one) => {
          const [isEncoded, more] = how[at++ % how.length] as [boolean, number]
          return isEncoded ? times(more)(`%${one.charCodeAt(0).toString(16)}`) : one
        })
        expect(withoutKeys(`/b/${path}`)).toBe('/b/vk1...')
      }),
    )
  })
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
