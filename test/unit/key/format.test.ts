import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeBlock,
  encodeBlock,
  formatKey,
  fromBase64url,
  parseKey,
  toBase64url,
} from '../../../key/format.ts'
import { codeOf } from './refusals.ts'

describe('base64url', () => {
  test('agrees with node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (data) => {
        const text = Buffer.from(data).toString('base64url')
        expect(toBase64url(data)).toBe(text)
        expect(fromBase64url(text, 'it')).toEqual(data)
      }),
    )
  })

  test('reads exactly the texts that encoding gives', () => {
    let read = 0
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'AQgwEZ_-4+/=. é'), maxLength: 6 }),
        (text) => {
          const isCanonical =
            text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text
          read += Number(isCanonical)
          expect(codeOf(() => fromBase64url(text, 'it')) === undefined).toBe(isCanonical)
        },
      ),
      { numRuns: 5000 },
    )
    expect(read).toBeGreaterThan(200)
  })
})

describe('key text', () => {
  test('is read as it was written', () => {
    const block = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(toBase64url)
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 8 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (blocks, signature) => {
          const text = formatKey({ blocks, signature })
          expect(parseKey(text)).toEqual({ blocks, signature })
          expect(formatKey(parseKey(text))).toBe(text)
        },
      ),
    )
  })

  test('is a key or malformed, whatever the text', () => {
    const piece = fc.oneof(fc.constantFrom('vk1', '.', 'AAAA', 'A'.repeat(43)), fc.string())
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect([undefined, 'key_malformed']).toContain(codeOf(() => parseKey(pieces.join(''))))
      }),
      { numRuns: 2000 },
    )
  })

  test('a huge text is refused before it is taken apart', () => {
    expect(codeOf(() => parseKey(`vk1${'.'.repeat(10_000_000)}`))).toBe('key_malformed')
  })
})

describe('a block', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const stated = JSON.parse(JSON.stringify(value)) as object
        expect(decodeBlock(encodeBlock(stated))).toEqual(stated)
      }),
    )
  })

  test('is an object or malformed, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (data) => {
        expect([undefined, 'key_malformed']).toContain(codeOf(() => decodeBlock(toBase64url(data))))
      }),
    )
  })
})
