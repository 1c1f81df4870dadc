import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeMac } from '../../../key/node-mac.ts'
import { pureMac, sha256 } from '../../../key/pure-mac.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('SHA-256 has the digests of FIPS 180-4', () => {
  expect(hex(sha256(Buffer.from('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
  expect(hex(sha256(new Uint8Array()))).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
})

test('SHA-256 is that of Node at every length about the edges of blocks', () => {
  for (let length = 0; length <= 200; length += 1) {
    const data = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 255)
    expect(hex(sha256(data))).toBe(createHash('sha256').update(data).digest('hex'))
  }
})

test('the MAC is that of Node, whatever the key and the message', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 150 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      (key, message) => {
        expect(hex(pureMac(key, message))).toBe(hex(nodeMac(key, message)))
      },
    ),
  )
})
