import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSigningKey, isWeakSecret, parseSigningKey } from '../../../key/signer.ts'

const kid = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })
const text = `vk1sk.a.${'A'.repeat(43)}`

describe('a signing key as text', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.record({ kid, secret }), (key) => {
        expect(parseSigningKey(formatSigningKey(key))).toEqual(key)
        expect(parseSigningKey(` ${formatSigningKey(key)}\n`)).toEqual(key)
      }),
    )
  })

  test.each([
    '',
    'vk1sk',
    text.slice(0, -1),
    `${text}A`,
    `${text}=`,
    text.replace('vk1sk', 'vk1'),
    text.replace('.a.', '..'),
    text.replace('.a.', '.a b.'),
    text.replace(/A$/, 'B'),
    `vk1sk.${'a'.repeat(65)}.${'A'.repeat(43)}`,
    `${text}.x`,
  ])('is not %j, and the secret is not repeated', (wrong) => {
    expect(() => parseSigningKey(wrong)).toThrow(TypeError)
    expect(() => parseSigningKey(wrong)).not.toThrow(/AAAA/)
  })
})

describe('a secret', () => {
  test('from a random source is not weak', () => {
    for (let seed = 0; seed < 2000; seed += 1) {
      expect(isWeakSecret(createHash('sha256').update(String(seed)).digest())).toBe(false)
    }
  })

  test.each([
    ['too short', Buffer.alloc(31, 'x9').map((byte, i) => byte ^ (i * 37))],
    ['too long', createHash('sha512').update('a').digest()],
    ['zeros', Buffer.alloc(32)],
    ['counting up', Buffer.from(Array.from({ length: 32 }, (_, i) => i))],
    ['counting down', Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i))],
    ['counting in steps, over the end', Buffer.from(Array.from({ length: 32 }, (_, i) => i * 9))],
    ['a phrase', Buffer.from('correct horse battery staple, 42')],
    ['half a hash in hex', Buffer.from('9f86d081884c7d659a2feaa0c55ad015')],
  ])('is weak: %s', (_, weak) => {
    expect(isWeakSecret(weak)).toBe(true)
  })
})
