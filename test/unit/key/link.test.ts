import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOf, leadsToPage, linkOf, pageLinkOf, withKey } from '../../../key/link.ts'
import { parseTarget, type Scope } from '../../../key/object-path.ts'
import { anyObject } from './arbitraries.ts'
import { codeOf } from './refusals.ts'

describe('a link', () => {
  test('gives back its key, and leads to its path', () => {
    fc.assert(
      fc.property(anyObject, fc.constantFrom('', '/', '/files', '/files/'), (path, base) => {
        const link = linkOf(`https://example.com${base}`, path, 'vk1.a_-.b')
        const { key, url } = keyOf(link)
        expect(key).toBe('vk1.a_-.b')
        expect(url?.href).toBe(link)
        const target = link.slice(`https://example.com${base.replace(/\/$/, '')}`.length)
        expect(parseTarget(target.split('?')[0] ?? '').path).toBe(path)
      }),
    )
  })

  test.each([
    [
      'http://127.0.0.1:8080',
      'reports/a b.pdf',
      'http://127.0.0.1:8080/reports/a%20b.pdf?vk=vk1.a',
    ],
    ['https://example.com/files/', 'reports/', 'https://example.com/files/reports/?vk=vk1.a'],
    ['https://example.com', '/', 'https://example.com/?vk=vk1.a'],
  ])('%s and %s', (base, path, expected) => {
    expect(linkOf(base, path as Scope, 'vk1.a')).toBe(expected)
  })

  test.each([
    '',
    'example.com',
    'ftp://example.com',
    'https://example.com?x=1',
    'https://example.com/#a',
    'https://me:secret@example.com',
  ])('does not begin with %j', (base) => {
    expect(() => linkOf(base, 'reports/a' as Scope, 'vk1.a')).toThrow(/^a public URL is/)
  })

  test('keeps the rest of its query when the key is another', () => {
    const { url } = keyOf('https://example.com/reports/a%20b?utm_source=x&vk=vk1.a&y=%20')
    expect(url && withKey(url, 'vk1.b-_.c')).toBe(
      'https://example.com/reports/a%20b?utm_source=x&vk=vk1.b-_.c&y=+',
    )
    expect(url?.searchParams.get('vk')).toBe('vk1.a')
  })

  test('to a page has its key behind the #, and keeps it there', () => {
    const link = pageLinkOf('https://example.com/files/', 'drop', 'vk1.a_-.b')
    expect(link).toBe('https://example.com/files/-/drop#vk1.a_-.b')
    const { key, url } = keyOf(link)
    expect(key).toBe('vk1.a_-.b')
    expect(url && leadsToPage(url)).toBe(true)
    expect(url && withKey(url, 'vk1.c')).toBe('https://example.com/files/-/drop#vk1.c')
    expect(leadsToPage(new URL('https://example.com/?vk=vk1.a#top'))).toBe(false)
    expect(keyOf('https://example.com/-/share#vk1.a \n.b').key).toBe('vk1.a.b')
    expect(() => pageLinkOf('example.com', 'share', 'vk1.a')).toThrow(/^a public URL is/)
  })
})

describe('what a person pasted', () => {
  test('may be the key alone, with spaces around', () => {
    expect(keyOf(' vk1.a.b\n')).toEqual({ key: 'vk1.a.b' })
  })

  test.each([
    ['https://example.com/reports/a', 'key_missing'],
    ['https://example.com/reports/a?VK=vk1.a', 'key_missing'],
    ['https://example.com/-/share#', 'key_missing'],
    ['https://example.com/#keys', 'key_missing'],
    ['https://example.com/?vk=vk1.a&vk=vk1.a', 'key_ambiguous'],
    ['https://example.com/?vk=vk1.a#vk1.a', 'key_ambiguous'],
    ['https://example.com/?vk=vk1.a&%76k=vk1.b', 'key_ambiguous'],
    ['vk2.a.b', 'key_malformed'],
    ['', 'key_malformed'],
    ['reports/a?vk=vk1.a', 'key_malformed'],
    ['javascript:alert(1)?vk=vk1.a', 'key_malformed'],
    ['vk1sk.example.c2VjcmV0', 'key_malformed'],
  ])('%j: %s', (text, code) => {
    expect(codeOf(() => keyOf(text))).toBe(code)
  })

  test('is not repeated where it may be a secret', () => {
    for (const secret of [
      'vk1sk.example.c2VjcmV0',
      'c2VjcmV0',
      'https://x/?vk=c2VjcmV0&vk=c2VjcmV0',
    ]) {
      expect(() => keyOf(secret)).toThrow(/^(?!.*c2VjcmV0)/)
    }
  })
})
