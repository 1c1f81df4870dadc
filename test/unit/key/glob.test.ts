import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesGlob } from '../../../key/glob.ts'

/** What a glob means, said as a regular expression: too slow for strangers, good as a model. */
const model = (glob: string): RegExp =>
  new RegExp(
    `^${glob.replaceAll(/\*+|[\s\S]/gu, (symbol) => {
      if (symbol === '?') return '[^/]'
      if (symbol === '*') return '[^/]*'
      return symbol.startsWith('**') ? '[\\s\\S]*' : symbol.replace(/[\\^$.|+()[\]{}/-]/, '\\$&')
    })}$`,
    'u',
  )

const letters = (...characters: string[]) =>
  fc.array(fc.constantFrom(...characters), { maxLength: 10 }).map((list) => list.join(''))

test('agrees with the model', () => {
  let matches = 0
  fc.assert(
    fc.property(
      letters('a', 'b', '/', '*', '**', '?', '.', '🗝'),
      letters('a', 'b', '/', '.', '🗝', '*'),
      (glob, text) => {
        const expected = model(glob).test(text)
        matches += Number(expected)
        expect(matchesGlob(glob, text)).toBe(expected)
      },
    ),
    { numRuns: 20_000 },
  )
  expect(matches).toBeGreaterThan(1000)
})

test('agrees with the model on texts made from the glob', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom('a', '/', '.').map((c) => [c, c] as const),
      fc.constantFrom('', 'a', 'ab', 'a/').map((text) => ['*', text] as const),
      fc.constantFrom('', 'a', 'b/a', '/').map((text) => ['**', text] as const),
      fc.constantFrom('a', '/', '日').map((text) => ['?', text] as const),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(pieces, (list) => {
      const [glob, text] = [
        list.map(([symbol]) => symbol).join(''),
        list.map(([, t]) => t).join(''),
      ]
      expect(matchesGlob(glob, text)).toBe(model(glob).test(text))
    }),
    { numRuns: 5000 },
  )
})

test.each([
  ['*.pdf', 'q3.pdf', true],
  ['*.pdf', 'a/q3.pdf', false],
  ['**.pdf', 'a/q3.pdf', true],
  ['**/*.pdf', 'q3.pdf', false],
  ['a/**/b', 'a/b', false],
  ['a/**/b', 'a/x/y/b', true],
  ['a.b', 'axb', false],
  ['?', '🗝', true],
  ['?', '/', false],
  ['', '', true],
  ['', 'a', false],
  ['**', '', true],
  ['***', 'a/b', true],
  ['[ab]', 'a', false],
  ['a\\*', 'a\\b', true],
  ['*', 'line\nbreak', true],
])('%j against %j: %s', (glob, text, expected) => {
  expect(matchesGlob(glob, text)).toBe(expected)
})

test('takes no longer for a pattern on which backtracking never ends', () => {
  // 2^100 ways: a matcher that tries them one by one would not come back
  expect(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(1024))).toBe(false)
  expect(matchesGlob(`${'**a'.repeat(80)}b`, 'a'.repeat(1024))).toBe(false)
})
