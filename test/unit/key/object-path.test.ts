import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bucketOf,
  covers,
  fileNameOf,
  MAX_PATH_BYTES,
  type ObjectPath,
  type Prefix,
  parseObjectPath,
  parsePath,
  parseScope,
  parseTarget,
  targetOf,
  underScope,
} from '../../../key/object-path.ts'
import { anyObject, anyPrefix, anyScope } from './arbitraries.ts'
import { codeOf } from './refusals.ts'

const path = (text: string) => text as ObjectPath | Prefix

describe('a request target', () => {
  test('of any path leads back to that path', () => {
    fc.assert(
      fc.property(fc.oneof(anyObject, anyPrefix), (text) => {
        const target = targetOf(path(text))
        expect(target).toMatch(/^\/[A-Za-z0-9%/._~-]*$/)
        expect(parseTarget(target)).toEqual(parsePath(text))
      }),
    )
  })

  test.each([
    ['/', 'prefix', ''],
    ['/reports/', 'prefix', 'reports/'],
    ['/reports/2026/', 'prefix', 'reports/2026/'],
    ['/reports/q3.pdf', 'object', 'reports/q3.pdf'],
    ['/reports/a%20b', 'object', 'reports/a b'],
    ['/reports/a+b', 'object', 'reports/a+b'],
    ['/reports/a%2Fb', 'object', 'reports/a/b'],
    ['/reports/a%2fb', 'object', 'reports/a/b'],
    ['/reports%2Fa', 'object', 'reports/a'],
    ['/reports/%252e%252e/b', 'object', 'reports/%2e%2e/b'],
    ['/reports/%E6%97%A5', 'object', 'reports/日'],
    ['/reports/%F0%9F%97%9D', 'object', 'reports/🗝'],
    ['/reports/%3Fx=%23', 'object', 'reports/?x=#'],
    ['/reports/...', 'object', 'reports/...'],
    ['/reports/.hidden', 'object', 'reports/.hidden'],
    ['/reports/a..b', 'object', 'reports/a..b'],
    ['/reports/a;b=c', 'object', 'reports/a;b=c'],
    ['/reports/%EF%BB%BFa', 'object', 'reports/\ufeffa'],
  ] as const)('%s is the %s %j', (raw, kind, text) => {
    expect(parseTarget(raw)).toEqual({ kind, path: text })
  })

  test.each([
    ['nothing', ''],
    ['no slash before', 'reports/a'],
    ['the asterisk form', '*'],
    ['the absolute form', 'http://files.example.com/reports/a'],
    ['two slashes', '//'],
    ['two slashes before', '//reports/a'],
    ['two slashes inside', '/reports//a'],
    ['two slashes at the end', '/reports/a//'],
    ['an encoded second slash', '/reports/%2Fa'],
    ['a dot', '/reports/./a'],
    ['two dots', '/reports/../a'],
    ['two dots at the end', '/reports/..'],
    ['two dots as a folder', '/reports/../'],
    ['encoded dots', '/reports/%2e%2e/a'],
    ['half-encoded dots', '/reports/.%2E/a'],
    ['encoded dots and slash', '/reports/..%2fa'],
    ['dots as bucket', '/../a'],
    ['a backslash', '/reports/a\\b'],
    ['an encoded backslash', '/reports/a%5Cb'],
    ['dots behind a backslash', '/reports/..%5C..%5Ca'],
    ['NUL', '/reports/a%00.pdf'],
    ['a line break', '/reports/a%0D%0Ab'],
    ['a tab', '/reports/a%09b'],
    ['DEL', '/reports/a%7Fb'],
    ['a C1 control character', '/reports/a%C2%85b'],
    ['overlong slash', '/reports/a%C0%AFb'],
    ['overlong dots', '/reports/%C0%AE%C0%AE/a'],
    ['overlong NUL', '/reports/%C0%80'],
    ['a byte order mark before', '/%EF%BB%BFreports/a'],
    ['a surrogate in UTF-8', '/reports/%ED%A0%80'],
    ['a surrogate pair in UTF-8', '/reports/%ED%A0%BD%ED%B7%9D'],
    ['beyond Unicode', '/reports/%F4%90%80%80'],
    ['Latin-1', '/reports/%E9'],
    ['cut short UTF-8', '/reports/%E6%97'],
    ['a lone percent sign', '/reports/100%'],
    ['a percent sign and no hex', '/reports/%zz'],
    ['a percent sign and one digit', '/reports/%2'],
    ['a UTF-16 escape', '/reports/%u2215'],
    ['raw beyond ASCII', '/reports/日'],
    ['a raw space', '/reports/a b'],
    ['a raw control character', '/reports/a\u0001b'],
    ['a raw question mark', '/reports/a?b'],
    ['a raw fragment', '/reports/a#b'],
    ['a bucket without a slash', '/reports'],
    ['a bucket in capitals', '/Reports/a'],
    ['a bucket of two characters', '/re/a'],
    ['a bucket of 64 characters', `/${'r'.repeat(64)}/a`],
    ['a bucket with an underscore', '/rep_orts/a'],
    ['our own room', '/-/health'],
    ['a bucket that ends with a dot', '/reports./a'],
    ['1025 bytes', `/reports/${'a'.repeat(1017)}`],
    ['1025 bytes of UTF-8', `/reports/${'%C3%A9'.repeat(509)}`],
  ])('is refused: %s', (_, raw) => {
    expect(codeOf(() => parseTarget(raw))).toBe('path_malformed')
  })

  test('is parsed or refused, never anything else, and never to something with two readings', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '.',
        '..',
        '%2e',
        '%2F',
        '%5c',
        '%00',
        '%',
        '%25',
        '%C0',
        '%AF',
        '%ED%A0%80',
        'reports',
        '\\',
        '#',
        '?',
        'é',
      ),
      fc.string({ maxLength: 3, unit: 'binary' }),
    )
    let parsed = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const raw = `/reports/${pieces.join('')}`
        const code = codeOf(() => parseTarget(raw))
        if (code !== undefined) {
          expect(code).toBe('path_malformed')
          return
        }
        parsed += 1
        const { path: text } = parseTarget(raw)
        expect(text.isWellFormed()).toBe(true)
        // what a URL parser makes of the decoded path, segments resolved, is the path itself
        const resolved = new URL(targetOf(text), 'http://x').pathname
        expect(decodeURIComponent(resolved)).toBe(`/${text}`)
      }),
      { numRuns: 5000 },
    )
    expect(parsed).toBeGreaterThan(300)
  })
})

describe('the limits', () => {
  test('1024 bytes of UTF-8 are enough, 1025 too many', () => {
    const longest = `reports/${'é'.repeat(508)}`
    expect(new TextEncoder().encode(longest)).toHaveLength(MAX_PATH_BYTES)
    expect(parseObjectPath(longest)).toBe(longest)
    expect(codeOf(() => parseObjectPath(`${longest}a`))).toBe('path_malformed')
  })

  test('lone surrogates have no UTF-8', () => {
    expect(codeOf(() => parsePath('reports/\ud800'))).toBe('path_malformed')
  })

  test('a folder is no object', () => {
    expect(codeOf(() => parseObjectPath('reports/'))).toBe('path_malformed')
    expect(codeOf(() => parseObjectPath(''))).toBe('path_malformed')
  })
})

describe('a scope', () => {
  test.each(['/', 'reports/', 'reports/a/', 'reports/a'])('%s', (scope) => {
    expect(parseScope(scope)).toBe(scope)
  })

  test.each([
    '',
    'reports',
    '/reports/',
    '//',
    'reports//',
    '../',
    'reports/../a',
    '*',
    'reports/\u0000',
  ])('is not %j', (scope) => {
    expect(codeOf(() => parseScope(scope))).toBe('path_malformed')
  })

  test.each([
    ['/', 'reports/a', true],
    ['/', '', true],
    ['reports/', 'reports/a', true],
    ['reports/', 'reports/', true],
    ['reports/', 'reports/a/b/', true],
    ['reports/', '', false],
    ['reports/', 'reports2/a', false],
    ['reports/a', 'reports/a', true],
    ['reports/a', 'reports/ab', false],
    ['reports/a', 'reports/a/b', false],
    ['reports/a', 'reports/a/', false],
    ['reports/a/', 'reports/a', false],
    ['reports/a/', 'reports/ab/c', false],
    ['reports/a/', 'reports/', false],
  ])('%s covers %j: %s', (scope, text, expected) => {
    expect(covers(scope, path(text))).toBe(expected)
  })

  test('covers exactly the paths whose segments begin with its own', () => {
    fc.assert(
      fc.property(anyScope, fc.oneof(anyObject, anyPrefix), (scope, text) => {
        const wanted = scope === '/' ? [] : scope.split('/')
        const isFolder = scope.endsWith('/')
        const stated = isFolder && scope !== '/' ? wanted.slice(0, -1) : wanted
        const segments = text.split('/')
        const begins = stated.every((segment, index) => segments[index] === segment)
        const expected = isFolder ? begins && segments.length > stated.length : text === scope
        expect(covers(scope, path(text))).toBe(scope === '/' ? true : expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('leaves the rest of a path, or the name of the object it names', () => {
    expect(underScope('/', path('reports/a/b'))).toBe('reports/a/b')
    expect(underScope('reports/', path('reports/a/b'))).toBe('a/b')
    expect(underScope('reports/a/b', path('reports/a/b'))).toBe('b')
  })
})

test('bucket and name of a path', () => {
  expect(bucketOf(path('reports/a/b'))).toBe('reports')
  expect(bucketOf(path('reports/'))).toBe('reports')
  expect(bucketOf(path(''))).toBe('')
  expect(fileNameOf('reports/a/b.pdf' as ObjectPath)).toBe('b.pdf')
})
