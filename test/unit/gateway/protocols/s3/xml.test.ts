import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  childrenOf,
  childText,
  parseXml,
  requiredText,
  xmlDocument,
} from '../../../../../gateway/protocols/s3/xml.ts'

describe('reading', () => {
  test.each([
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><Delete>&a;</Delete>'],
    ['a document type alone', '<!DOCTYPE Delete><Delete/>'],
    ['an unknown entity', '<Delete>&a;</Delete>'],
    ['a processing instruction', '<?php x?><Delete/>'],
    ['no end', '<Delete><Object>'],
    ['two roots', '<Delete/><Delete/>'],
    ['another root', '<Other/>'],
    ['nothing', ''],
    ['no XML', '{"Delete": []}'],
    ['too much depth', `${'<Delete>'.repeat(9)}${'</Delete>'.repeat(9)}`],
    ['a control character', '<Delete>\u0001</Delete>'],
  ])('%s is refused', (_, text) => {
    expect(() => parseXml(text, 'Delete')).toThrow(
      expect.objectContaining({ s3: 'MalformedXML', code: 'request_malformed' }),
    )
  })

  test('takes text, CDATA, references and any prefix', () => {
    const root = parseXml(
      '<?xml version="1.0"?><d:Delete xmlns:d="x"><d:Key>a&amp;&#x62;<![CDATA[<c>]]></d:Key><Key>2</Key></d:Delete>',
      'Delete',
    )
    expect(childrenOf(root, 'Key').map(({ text }) => text)).toEqual(['a&b<c>', '2'])
    expect(() => childText(root, 'Key')).toThrow('more than once')
    expect(childText(root, 'None')).toBeUndefined()
    expect(() => requiredText(root, 'None')).toThrow('no None')
  })
})

test('whatever XML can hold is read as it was written', () => {
  const text = fc
    .string({ unit: 'grapheme' })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML can not hold them as they are
    .filter((value) => !/[\u0000-\u001f\ufffe\uffff]/.test(value))
  fc.assert(
    fc.property(text, (value) => {
      const document = xmlDocument(['Root', [['Key', value], undefined, ['Size', 1]]])
      expect(childText(parseXml(document, 'Root'), 'Key')).toBe(value)
    }),
  )
})

test('control characters become references', () => {
  expect(xmlDocument(['Key', 'a\u0001\r\n<b>'])).toContain('<Key>a&#x1;&#xD;&#xA;&lt;b&gt;</Key>')
})
