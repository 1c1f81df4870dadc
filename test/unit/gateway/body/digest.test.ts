import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Digester, statedDigests } from '../../../../gateway/body/digest.ts'
import { Refusal } from '../../../../key/refusal.ts'

const NAMES = { 'sha-256': 'sha256', 'sha-512': 'sha512', md5: 'md5' } as const
const base64 = (algorithm: string, content: Uint8Array): string =>
  createHash(algorithm).update(content).digest('base64')

function outcome(headers: Record<string, string>, content: Uint8Array): string {
  try {
    const digester = new Digester(statedDigests(new Map(Object.entries(headers))))
    digester.update(content.subarray(0, 3))
    digester.update(content.subarray(3))
    return digester.finish()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('what is stated', () => {
  const algorithm = fc.constantFrom(...(Object.keys(NAMES) as (keyof typeof NAMES)[]))
  const header = fc.constantFrom('content-digest', 'repr-digest')

  test('holds of the content it was made from, and of no other', () => {
    fc.assert(
      fc.property(
        header,
        fc.array(algorithm, { minLength: 1 }),
        fc.uint8Array(),
        fc.uint8Array(),
        (name, used, a, b) => {
          const text = used.map((each) => `${each}=:${base64(NAMES[each], a)}:`).join(', ')
          const sha256 = createHash('sha256').update(a).digest('hex')
          expect(outcome({ [name]: text }, a)).toBe(sha256)
          const isSame = Buffer.compare(a, b) === 0
          expect(outcome({ [name]: text }, b)).toBe(isSame ? sha256 : 'digest_mismatch')
        },
      ),
    )
  })

  test('is a digest, or the request is malformed, or nothing that we know', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('content-digest', 'repr-digest', 'content-md5'),
        fc.string(),
        (name, text) => {
          expect(['request_malformed', createHash('sha256').digest('hex')]).toContain(
            outcome({ [name]: text }, new Uint8Array()),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('has one form: base64 that is not canonical is refused', () => {
    const good = base64('sha256', new Uint8Array())
    expect(outcome({ 'repr-digest': `sha-256=:${good}:` }, new Uint8Array())).toMatch(/^e3b0/)
    for (const bad of [
      good.slice(0, -1),
      `${good}=`,
      good.replace(/.=$/, 'V='),
      `${good} `,
      '',
      good.toLowerCase(),
    ]) {
      expect([bad, outcome({ 'repr-digest': `sha-256=:${bad}:` }, new Uint8Array())]).not.toEqual([
        bad,
        outcome({}, new Uint8Array()),
      ])
    }
  })
})

test('unknown algorithms are ignored, beside known ones that still count', () => {
  const content = Buffer.from('x')
  const good = `sha-256=:${base64('sha256', content)}:`
  expect(outcome({ 'content-digest': 'crc32c=:AAAA:' }, content)).toMatch(/^[0-9a-f]{64}$/)
  expect(outcome({ 'content-digest': `crc32c=:AAAA:, ${good}` }, content)).toMatch(/^[0-9a-f]{64}$/)
  expect(outcome({ 'content-digest': `crc32c=:AAAA:,${good}` }, Buffer.from('y'))).toBe(
    'digest_mismatch',
  )
  expect(outcome({ 'content-digest': '__proto__=:AAAA:, constructor=:AAAA:' }, content)).toBe(
    'request_malformed',
  )
})
