import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claimOf } from '../../../gateway/protocols/claim.ts'
import { parameter, rawRequestOf, readHeaders } from '../../../gateway/request.ts'
import { Refusal } from '../../../key/refusal.ts'

const read = (target: string, basePath = '') => rawRequestOf('get', target, {}, basePath)
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'fine'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('a target', () => {
  test('is cut at its first question mark, and nowhere else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\/[ -~]{0,40}$/), (target) => {
        const { path, query } = read(target)
        const mark = target.indexOf('?')
        expect(path).toBe(mark === -1 ? target : target.slice(0, mark))
        if (mark === -1) expect(query).toEqual([])
      }),
    )
  })

  test('gives its parameters back as they were encoded', () => {
    const pairs = fc.array(
      fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
      { maxLength: 10 },
    )
    fc.assert(
      fc.property(pairs, (stated) => {
        const text = stated.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
        expect(read(`/a/b?${text}`).query).toEqual(stated)
      }),
    )
  })

  test('of any junk is read or refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom('', '/files'),
        (target, base) => {
          expect(['fine', 'path_malformed', 'request_malformed', 'uri_too_long']).toContain(
            codeOf(() => read(target, base)),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['/files', '/'],
    ['/files/', '/'],
    ['/files/a/b', '/a/b'],
    ['/files?x', '/'],
    ['http://host/files/a/b', '/a/b'],
  ])('below a base path: %s', (target, path) => {
    expect(read(target, '/files').path).toBe(path)
  })

  test.each(['/', '/file', '/filesa/b', '/a/files/b', '//files/a', '/FILES/a'])(
    'not below it: %s',
    (target) => {
      expect(codeOf(() => read(target, '/files'))).toBe('path_malformed')
    },
  )
})

test('a parameter that means one thing is there once', () => {
  const { query } = read('/a/?limit=1&limit=2&after=x%20y+z&flag')
  expect(codeOf(() => parameter(query, 'limit'))).toBe('request_malformed')
  expect([parameter(query, 'after'), parameter(query, 'flag'), parameter(query, 'none')]).toEqual([
    'x y z',
    '',
    undefined,
  ])
})

test('a key is never read from two places', () => {
  const place = fc.constantFrom('query', 'encoded', 'bearer', 'cookie')
  fc.assert(
    fc.property(fc.array(place, { maxLength: 4 }), (places) => {
      const has = (name: string) => places.filter((each) => each === name).length
      const query = [
        ...Array(has('query')).fill('vk=k'),
        ...Array(has('encoded')).fill('%76%6b=k'),
      ].join('&')
      const headers = {
        ...(has('bearer') > 0 && { authorization: 'Bearer k' }),
        ...(has('cookie') > 0 && { cookie: Array(has('cookie')).fill('vk=k').join('; ') }),
      }
      const count = has('query') + has('encoded') + Math.min(1, has('bearer')) + has('cookie')
      const expected = count === 0 ? 'key_missing' : count === 1 ? 'fine' : 'key_ambiguous'
      expect(codeOf(() => claimOf(rawRequestOf('GET', `/a/b?${query}`, headers, '')))).toBe(
        expected,
      )
    }),
  )
})

describe('header fields', () => {
  test('that are lists are joined, in order', () => {
    const headers = readHeaders(['Accept', 'a', 'ACCEPT', 'b', 'Cookie', 'x=1', 'cookie', 'y=2'])
    expect(Object.fromEntries(headers)).toEqual({ accept: 'a, b', cookie: 'x=1; y=2' })
  })

  test.each([
    'Host',
    'content-TYPE',
    'Range',
    'Content-Length',
    'Origin',
    'X-Forwarded-Proto',
    'If-Range',
  ])('that mean one thing are there once: %s', (name) => {
    expect(codeOf(() => readHeaders([name, 'a', name.toUpperCase(), 'a']))).toBe(
      'request_malformed',
    )
  })

  test('with two keys are ambiguous, and too many are refused', () => {
    expect(codeOf(() => readHeaders(['Authorization', 'a', 'authorization', 'a']))).toBe(
      'key_ambiguous',
    )
    const many = (count: number) => Array.from({ length: count * 2 }, (_, at) => `h${at}`)
    expect([codeOf(() => readHeaders(many(100))), codeOf(() => readHeaders(many(101)))]).toEqual([
      'fine',
      'headers_too_large',
    ])
  })
})
