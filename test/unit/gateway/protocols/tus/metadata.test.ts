/** Upload-Metadata: what is written is read, and what is not the protocol's is refused, not repaired. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMetadata, textOf } from '../../../../../gateway/protocols/tus/metadata.ts'
import { Refusal } from '../../../../../key/refusal.ts'

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const keys = fc.stringMatching(/^[!-+\--~]{1,20}$/)
const values = fc.uint8Array({ maxLength: 60 })
const written = (key: string, value: Uint8Array): string =>
  value.length === 0 ? key : `${key} ${Buffer.from(value).toString('base64')}`

describe('the metadata of an upload', () => {
  it('is read as it was written, in whatever order', () => {
    const pairs = fc.uniqueArray(fc.tuple(keys, values), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 10,
    })
    fc.assert(
      fc.property(pairs, (all) => {
        const header = all.map(([key, value]) => written(key, value)).join(',')
        const read = [...parseMetadata(header)].map(([key, value]) => [key, [...value]])
        expect(read).toEqual(all.map(([key, value]) => [key, [...value]]))
      }),
    )
  })

  it('is either read or refused, whatever it is', () => {
    const junk = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.stringMatching(/^[a-c =,/+]{0,40}$/),
    )
    fc.assert(
      fc.property(junk, (header) => {
        expect([undefined, 'request_malformed']).toContain(codeOf(() => parseMetadata(header)))
      }),
      { numRuns: 1000 },
    )
  })

  it('names what an object has by itself like anything else', () => {
    const read = parseMetadata('__proto__ YQ==,constructor Yg==,toString')
    expect([...read.keys()]).toEqual(['__proto__', 'constructor', 'toString'])
    expect(textOf(read, 'hasOwnProperty')).toBeUndefined()
    expect(textOf(read, '__proto__')).toBe('a')
  })

  it.each([
    ['nothing before a comma', ',a'],
    ['nothing behind a comma', 'a YQ==,'],
    ['a space behind a comma', 'a YQ==, b YQ=='],
    ['two spaces', 'a  YQ=='],
    ['three words', 'a YQ== YQ=='],
    ['no key', ' YQ=='],
    ['a key twice', 'a YQ==,a Yg=='],
    ['a key twice, once empty', 'a,a YQ=='],
    ['no base64', 'a !!!!'],
    ['base64url', 'a _w=='],
    ['base64 without its padding', 'a YQ'],
    ['base64 with too much padding', 'a YQ==='],
    ['base64 with bits left over', 'a YR=='],
    ['a key that is not ASCII', 'ä YQ=='],
    ['a tab', 'a\tYQ=='],
    ['a line of its own', 'a YQ==\r\nb YQ=='],
  ])('is refused with %s', (_, header) => {
    expect(codeOf(() => parseMetadata(header))).toBe('request_malformed')
  })

  it('is refused where it is longer than 4096 characters', () => {
    const value = 'A'.repeat(4092)
    expect(parseMetadata(`abc ${value}`).get('abc')?.length).toBe(3069)
    expect(codeOf(() => parseMetadata(`abcd ${value}`))).toBe('headers_too_large')
  })

  it('has text only where there is UTF-8', () => {
    const read = parseMetadata('a /w==,b w6Q=,c,d 77u/YQ==')
    expect(codeOf(() => textOf(read, 'a'))).toBe('request_malformed')
    expect(textOf(read, 'b')).toBe('ä')
    expect(textOf(read, 'c')).toBeUndefined()
    expect(textOf(read, 'd')).toBe('\ufeffa')
    expect(parseMetadata(undefined).size).toBe(0)
  })
})
