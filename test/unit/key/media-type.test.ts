import { expect, test } from 'vitest'
import { coversType, essenceOf, isMediaType } from '../../../key/media-type.ts'

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
  ['text/html;charset=utf-8', 'text/html'],
  ['text/html; charset="utf-8"', 'text/html'],
  ['text/html;', 'text/html'],
  ['text/html ; ;charset=utf-8;\t; ', 'text/html'],
  ['multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk', 'multipart/form-data'],
  ['multipart/mixed; boundary="a b(c)/,?"', 'multipart/mixed'],
  ['video/mp4; codecs="avc1.42E01E, mp4a.40.2"', 'video/mp4'],
  ['text/plain; title="say \\"é\\""', 'text/plain'],
  ['text/plain; title=""', 'text/plain'],
  ['text/plain;a=b, text/html', undefined],
  ['text/plain;a="b", text/html', undefined],
  ['text/plain;a="b\\\\", text/html;c="d"', undefined],
  ['text/plain;, text/html', undefined],
  ['text/plain,text/html;a=b', undefined],
  ['text/plain;a=b c', undefined],
  ['text/plain;a', undefined],
  ['text/plain;a=', undefined],
  ['text/plain;=b', undefined],
  ['text/plain;a ="b"', undefined],
  ['text/plain;a="b', undefined],
  ['text/plain;a="b\\"', undefined],
  ['text/plain;a="b\u0000"', undefined],
  ['text/plain;a="\u65e5"', undefined],
  ['text/plain;a=b\r\nX: y', undefined],
  ['text/plain\n', undefined],
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
  ['image/*', 'image/png;a=b', true],
  ['image/*', 'image/png;a=b, text/html', false],
  ['*/*', 'image/png;a=b, text/html', false],
])('%s covers %j: %s', (range, type, expected) => {
  expect(coversType(range, type)).toBe(expected)
})

test('a media type has at most 256 characters', () => {
  const text = `text/plain;a=${'b'.repeat(243)}`
  expect([isMediaType(text), isMediaType(`${text}b`)]).toEqual([true, false])
  expect([isMediaType('text/plain;a'), isMediaType('image/*')]).toEqual([false, false])
})
