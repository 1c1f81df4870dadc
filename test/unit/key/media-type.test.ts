import { expect, test } from 'vitest'
import { coversType, essenceOf } from '../../../key/media-type.ts'

test.each([
  ['image/png', 'image/png'],
  ['Image/PNG', 'image/png'],
  [' text/plain ; charset=utf-8', 'text/plain'],
  ['application/vnd.api+json', 'application/vnd.api+json'],
  ['', undefined],
  ['image', undefined],
  ['image/', undefined],
  ['/png', undefined],
  ['image/png/x', undefined],
  ['image/*', undefined],
  ['image/png, text/html', undefined],
  ['text/html\u0000', undefined],
  ['ïmage/png', undefined],
])('the essence of %j is %j', (type, essence) => {
  expect(essenceOf(type)).toBe(essence)
})

test.each([
  ['image/*', 'image/png', true],
  ['image/*', 'imagex/png', false],
  ['IMAGE/*', 'image/png', true],
  ['image/png', 'IMAGE/PNG; a=b', true],
  ['image/png', 'image/pngx', false],
  ['*/*', 'text/html', true],
  ['*/*', 'nonsense', false],
  ['image/*', 'image/', false],
])('%s covers %j: %s', (range, type, expected) => {
  expect(coversType(range, type)).toBe(expected)
})
