import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isId, METHODS, parseFirstBlock, parseLaterBlock, scopesOf } from '../../../key/claims.ts'
import { Refusal } from '../../../key/refusal.ts'
import { parseCeiling } from '../../../key/signer.ts'
import { anyFirstBlock, anyLaterBlock } from './arbitraries.ts'
import { codeOf } from './refusals.ts'

const detailOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error.detail
    throw error
  }
  return ''
}

// Wrong types of every claim are vectors: test/vectors/bad-keys.json.

describe('blocks', () => {
  test('are taken as they are, or not at all', () => {
    fc.assert(
      fc.property(anyFirstBlock, anyLaterBlock, (first, later) => {
        expect(parseFirstBlock(first)).toEqual(first)
        expect(parseLaterBlock(later, 'block 1')).toEqual(later)
      }),
    )
  })

  test('of any JSON are taken as they are, or malformed; nothing is dropped', () => {
    const claim = fc.constantFrom(
      'sub',
      'exp',
      'path',
      'methods',
      'size',
      'types',
      'headers',
      'respond',
      'tls',
      'ip',
      'match',
      'x',
      '__proto__',
    )
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>(
        1,
        true,
        '/',
        ['GET'],
        [0, 1],
        ['a/b'],
        { a: 'b' },
        {},
        { expires: 'x' },
        ['::/0'],
      ),
    )
    let taken = 0
    fc.assert(
      fc.property(fc.array(fc.tuple(claim, value), { maxLength: 2 }), (members) => {
        const text = `{${members.map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`).join()}}`
        const block = JSON.parse(text) as unknown
        const code = codeOf(() => parseLaterBlock(block, 'block 1'))
        if (code === undefined) {
          taken += 1
          expect(JSON.parse(JSON.stringify(parseLaterBlock(block, 'block 1')))).toEqual(block)
        } else {
          expect(code).toBe('key_malformed')
        }
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(200)
  })

  test('take numbers up to what is exact, and both spellings of a path', () => {
    const most = Number.MAX_SAFE_INTEGER
    expect(parseLaterBlock({ exp: most, size: [0, most] }, 'it').exp).toBe(most)
    expect(scopesOf('/')).toEqual(['/'])
    expect(scopesOf(['reports/', 'images/a'])).toEqual(['reports/', 'images/a'])
  })

  test('take limits to the last entry', () => {
    const paths = Array.from({ length: 16 }, (_, index) => `reports/${index}`)
    expect(codeOf(() => parseLaterBlock({ path: paths }, 'it'))).toBeUndefined()
    expect(codeOf(() => parseLaterBlock({ path: [...paths, '/'] }, 'it'))).toBe('key_malformed')
    const types = Array.from({ length: 64 }, (_, index) => `a/${index}`)
    expect(codeOf(() => parseLaterBlock({ types }, 'it'))).toBeUndefined()
    expect(codeOf(() => parseLaterBlock({ types: [...types, 'b/c'] }, 'it'))).toBe('key_malformed')
    expect(codeOf(() => parseLaterBlock({ sub: 'é'.repeat(256) }, 'it'))).toBeUndefined()
  })
})

describe('a refusal says which claim of which block is wrong, and what is expected', () => {
  test.each([
    [{ exp: 'tomorrow' }, 'block 1: claim "exp" is a time in whole Unix seconds'],
    [{ size: [null, 1] }, 'block 1: claim "size.0" is a size in whole bytes'],
    [{ methods: ['HEAD'] }, `block 1: claim "methods.0" is one of ${METHODS.join(', ')}`],
    [{ path: 7 }, 'block 1: claim "path" is a scope or a list of scopes'],
    [{ path: '../x' }, 'block 1: claim "path" is "/", BUCKET/, BUCKET/PREFIX/ or BUCKET/KEY'],
    [{ respond: { location: 'x' } }, 'block 1: claim "respond.location" is not one of this format'],
    [
      { cnf: 1 },
      'block 1: claim "cnf" is reserved: this version can not honour it, so it refuses the key',
    ],
    [{ uses: 1 }, 'block 1: claim "uses" needs a jti beside it, on which it is counted'],
    [{ kid: 'a' }, 'block 1: claim "kid" belongs into block 0 only'],
    [[], 'block 1 is a JSON object'],
  ])('%j', (block, detail) => {
    expect(detailOf(() => parseLaterBlock(block, 'block 1'))).toBe(detail)
  })

  test('and never steers the terminal that shows it', () => {
    const detail = detailOf(() =>
      parseLaterBlock({ [`\u001b[2Jé${'x'.repeat(100)}`]: 1 }, 'block 1'),
    )
    expect(detail).toBe(`block 1: claim "?[2J?${'x'.repeat(59)}" is not one of this format`)
  })

  test('what is required', () => {
    const detail = detailOf(() => parseFirstBlock({ kid: 'a', jti: 'b', exp: 1, path: '/' }))
    expect(detail).toBe('block 0: claim "methods" is required')
  })

  test('in a ceiling as well', () => {
    expect(detailOf(() => parseCeiling({ kid: 'a' }))).toMatch(/^the ceiling: claim "kid"/)
    expect(parseCeiling({ path: 'tenants/a/' })).toEqual({ path: 'tenants/a/' })
  })
})

test('an id is 1 to 64 of A-Z a-z 0-9 _ -', () => {
  for (const id of ['a', 'A-_9', 'x'.repeat(64)]) expect(isId(id)).toBe(true)
  for (const id of ['', 'x'.repeat(65), 'a b', 'a\n', 'é', 7, null, ['a']])
    expect(isId(id)).toBe(false)
})
