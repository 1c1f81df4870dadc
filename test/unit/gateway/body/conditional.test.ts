import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  evaluateRead,
  formatHttpDate,
  parseHttpDate,
  rangeCounts,
  writeCondition,
} from '../../../../gateway/body/conditional.ts'
import { Refusal } from '../../../../key/refusal.ts'
import { unixSeconds } from '../../../../key/units.ts'

const OBJECT = { etag: '"a,b"', modified: unixSeconds(1_800_000_000) }
const codeOf = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('dates', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (time) => {
        expect(parseHttpDate(formatHttpDate(unixSeconds(time)))).toBe(time)
      }),
    )
  })

  test.each([
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    'Sun, 06 Xxx 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    'Mon, 01 Jan 1900 00:00:00 GMT',
    '',
  ])('in no form that is sent today are ignored: %s', (text) => {
    expect(parseHttpDate(text)).toBeUndefined()
  })
})

describe('lists of entity tags', () => {
  const tag = fc.stringMatching(/^(?:W\/)?"[!#-~]{0,6}"$/)
  const blank = fc.constantFrom('', ' ', '  ')

  test('match where one of them does', () => {
    fc.assert(
      fc.property(
        fc.array(tag, { minLength: 1, maxLength: 5 }),
        blank,
        blank,
        (tags, before, after) => {
          const list = tags.map((each) => before + each + after).join(',')
          const has = (form: string): boolean => tags.includes(form)
          const weakly = has(OBJECT.etag) || has(`W/${OBJECT.etag}`)
          expect(evaluateRead(new Map([['if-none-match', list]]), OBJECT)).toBe(
            weakly ? 'not-modified' : 'send',
          )
          expect(codeOf(() => evaluateRead(new Map([['if-match', list]]), OBJECT))).toBe(
            has(OBJECT.etag) ? 'send' : 'precondition_failed',
          )
        },
      ),
    )
  })

  test('that hold the tag hold it among others, with its comma', () => {
    expect(evaluateRead(new Map([['if-none-match', '"x", "a,b" ,"y"']]), OBJECT)).toBe(
      'not-modified',
    )
    expect(evaluateRead(new Map([['if-none-match', '"a", "b"']]), OBJECT)).toBe('send')
  })

  test('are understood or refused, never half of each', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const headers = new Map([['if-match', text]])
        const outcome = codeOf(() => evaluateRead(headers, OBJECT))
        expect(['send', 'precondition_failed', 'request_malformed']).toContain(outcome)
        const isRead = codeOf(() => writeCondition(headers)) !== 'request_malformed'
        expect(isRead).toBe(outcome !== 'request_malformed')
      }),
      { numRuns: 2000 },
    )
  })

  test('are read in time that grows with their length only', () => {
    for (const text of [
      '"'.repeat(16_000),
      ' '.repeat(16_000),
      `${'a,'.repeat(8000)}"`,
      'W/'.repeat(8000),
    ]) {
      codeOf(() => evaluateRead(new Map([['if-none-match', text]]), OBJECT))
    }
  })
})

test('of a write, what is weak can not be matched, and what must not match is compared weakly', () => {
  expect(writeCondition(new Map([['if-match', 'W/"x", "y"']]))).toEqual({ etags: ['W/"x"', '"y"'] })
  expect(writeCondition(new Map([['if-none-match', 'W/"x", "y"']]))).toEqual({
    notEtags: ['"x"', '"y"'],
  })
  expect(writeCondition(new Map([['if-none-match', ' * ']]))).toEqual({ absent: true })
  expect(writeCondition(new Map([['if-match', '*']]))).toEqual({ etags: '*' })
  const date = formatHttpDate(OBJECT.modified)
  expect(writeCondition(new Map([['if-unmodified-since', date]]))).toEqual({
    unmodifiedSince: OBJECT.modified,
  })
  expect(
    writeCondition(
      new Map([
        ['if-match', '*'],
        ['if-unmodified-since', date],
      ]),
    ),
  ).toEqual({ etags: '*' })
  expect(writeCondition(new Map())).toEqual({})
})

test('If-Range is exact', () => {
  const counts = (value: string) => rangeCounts(new Map([['if-range', value]]), OBJECT)
  expect(rangeCounts(new Map(), OBJECT)).toBe(true)
  expect([counts('"a,b"'), counts(formatHttpDate(OBJECT.modified))]).toEqual([true, true])
  for (const other of [
    'W/"a,b"',
    '"a"',
    '*',
    'a,b',
    formatHttpDate(unixSeconds(OBJECT.modified + 1)),
  ]) {
    expect(counts(other)).toBe(false)
  }
})
