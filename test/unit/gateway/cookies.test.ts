import { describe, expect, test } from 'vitest'
import { browserBase, cookiePaths, cookiesNamed, setCookie } from '../../../gateway/cookies.ts'

describe('paths of cookies', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['everything', ['/'], ['/']],
    ['a bucket', ['bucket/'], ['/bucket/']],
    ['one object', ['bucket/a.mp4'], ['/bucket/a.mp4']],
    ['several', ['one/a/', 'two/b'], ['/one/a/', '/two/b']],
    ['one within another', ['one/', 'one/a/', 'one/b'], ['/one/']],
    ['an object and what a browser takes for beneath it', ['one/a', 'one/a/b'], ['/one/a']],
    ['the same twice', ['one/a', 'one/a'], ['/one/a']],
    ['neighbours', ['one/a', 'one/ab', 'one/a.b'], ['/one/a', '/one/ab', '/one/a.b']],
    ['beyond ASCII', ['one/Grüße 1/'], ['/one/Gr%C3%BC%C3%9Fe%201/']],
    ['written in two ways', ["one/it's/x/"], ['/one/']],
    ['an object written in two ways', ['one/in/a+b.mp4'], ['/one/in/']],
    ['a folder written in two ways, within another', ['one/b/c$/d/'], ['/one/b/']],
    ['a name of one character, written in two ways', ['one/$'], ['/one/']],
    ['too long for a browser', [`one/${'ü'.repeat(300)}/x`], ['/one/']],
  ])('%s', (_, scopes, paths) => {
    expect(cookiePaths(scopes, '')).toEqual(paths)
    expect(cookiePaths(scopes, '/files')).toEqual(paths.map((path) => `/files${path}`))
  })

  test('begin with what a browser sees in front', () => {
    expect(browserBase([], '')).toBe('')
    expect(browserBase(['http://127.0.0.1:8080'], '/files')).toBe('/files')
    expect(browserBase(['https://example.com/files/'], '')).toBe('/files')
  })
})

test('the cookies of a name, and no others', () => {
  expect(cookiesNamed('vk', 'vk=a; xvk=b;vk = c ; vk=d=e; vkk=f; vk')).toEqual(['a', 'c', 'd=e'])
  expect(cookiesNamed('vk', undefined)).toEqual([])
})

test('a cookie says who may see it, and for how long', () => {
  const cookie = { name: 'vk', value: 'v', path: '/a/', life: 9.9, isSecure: true }
  expect(setCookie(cookie)).toBe('vk=v; Path=/a/; Max-Age=9; HttpOnly; SameSite=Strict; Secure')
  expect(setCookie({ ...cookie, life: -5, isSecure: false })).toBe(
    'vk=v; Path=/a/; Max-Age=0; HttpOnly; SameSite=Strict',
  )
})
