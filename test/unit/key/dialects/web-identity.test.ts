import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPathTemplate, pathFromTemplate } from '../../../../key/dialects/web-identity.ts'
import { parsePath } from '../../../../key/object-path.ts'
import { codeOf } from '../refusals.ts'

const TEMPLATE = 'users/\u0024{sub}/'
const of = (sub: unknown, template = TEMPLATE) => pathFromTemplate(template, { sub })

describe('a path from claims', () => {
  test.each([
    ['ann', 'users/ann/'],
    ['auth0|5f7c', 'users/auth0|5f7c/'],
    ['ann@example.com', 'users/ann@example.com/'],
    ['a/b', 'users/a%2Fb/'],
    ['..', 'users/%2E%2E/'],
    ['.', 'users/%2E/'],
    ['../bob', 'users/..%2Fbob/'],
    ['a%2Fb', 'users/a%252Fb/'],
    ['ü', 'users/%C3%BC/'],
    ['a\\b\0', 'users/a%5Cb%00/'],
    ['\u0024{sub}', 'users/%24%7Bsub%7D/'],
  ])('%j', (sub, path) => {
    expect(of(sub)).toBe(path)
  })

  test.each([undefined, '', 1, ['a'], null, '\ud800'])('%j is refused', (sub) => {
    expect(codeOf(() => of(sub))).toBe('request_malformed')
  })

  test('claims that are not stated, and what every object has, are refused', () => {
    for (const name of ['email', 'constructor', '__proto__']) {
      const template = `users/\u0024{${name}}/`
      expect(
        codeOf(() => pathFromTemplate(template, { sub: 'a' })),
        name,
      ).toBe('request_malformed')
    }
  })

  test('whatever the claim is, it is one segment, and no other claim makes the same', () => {
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        fc.pre(one.isWellFormed() && other.isWellFormed())
        const path = of(one)
        expect(path.split('/')).toHaveLength(3)
        expect(parsePath(path).kind).toBe('prefix')
        if (one !== other) expect(of(other)).not.toBe(path)
      }),
    )
  })
})

test('templates', () => {
  for (const good of [TEMPLATE, 'users/all/', 'users/\u0024{org}/\u0024{sub}/', '/']) {
    expect(isPathTemplate(good), good).toBe(true)
  }
  for (const bad of ['', '/users/', 'U/\u0024{sub}/', 'users/../\u0024{sub}/', 'users//']) {
    expect(isPathTemplate(bad), bad).toBe(false)
  }
})
