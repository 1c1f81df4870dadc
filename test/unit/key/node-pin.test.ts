import { expect, test } from 'vitest'
import { hashPin, isPin, isRightPin } from '../../../key/node-pin.ts'

test('a PIN is found right by what is kept of it, and no other is', async () => {
  const [kept, again] = await Promise.all([hashPin('4711'), hashPin('4711')])
  expect(kept).toMatch(/^scrypt\$15\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
  expect(kept).not.toBe(again)
  expect(await isRightPin('4711', kept)).toBe(true)
  expect(await isRightPin('4712', kept)).toBe(false)
  expect(await isRightPin('4711', undefined)).toBe(false)
  expect(await isRightPin('', undefined)).toBe(false)
  expect(await isRightPin('4711', 'scrypt$15$8$1$short')).toBe(false)
})

test('the same letters are the same PIN, however they are written', async () => {
  expect(await isRightPin('Gru\u0308\u00dfe', await hashPin('Gr\u00fc\u00dfe'))).toBe(true)
})

test.each([
  ['1234', true],
  ['a long sentence of words', true],
  ['123', false],
  ['', false],
  ['x'.repeat(129), false],
  ['12\n34', false],
  ['1234\ud800', false],
])('%j can be a PIN: %s', (text, can) => {
  expect(isPin(text)).toBe(can)
})
