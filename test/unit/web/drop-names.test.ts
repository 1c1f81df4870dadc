import { describe, expect, it } from 'vitest'
import { parseObjectPath } from '../../../key/object-path.ts'
import { freshPath, isLitter, numbered, pathIn, tidyName } from '../../../web/client/drop/names.ts'

describe('what a file is called', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['album/day 1/cat.jpg', 'album/day 1/cat.jpg'],
    ['/lead//double/', 'lead/double'],
    ['../../etc/passwd', '__/__/etc/passwd'],
    ['a\\b\u0007\u0000c', 'a_b__c'],
    ['cafe\u0301.txt', 'caf\u00e9.txt'],
    ['lone \ud800.txt', 'lone \ufffd.txt'],
    ['///', '_'],
  ])('%j goes as %j', (given, expected) => {
    expect(tidyName(given)).toBe(expected)
    expect(() => parseObjectPath(`inbox/${tidyName(given)}`)).not.toThrow()
  })

  it.each([
    ['in/photo.jpg', 'in/photo (2).jpg'],
    ['in/data.tar.gz', 'in/data (2).tar.gz'],
    ['in/v1.2/README', 'in/v1.2/README (2)'],
    ['in/.env', 'in/.env (2)'],
    ['in/Mr. Bean and others', 'in/Mr. Bean and others (2)'],
  ])('%s numbered is %s', (path, expected) => expect(numbered(path, 2)).toBe(expected))

  it('counts on to the first that is free', () => {
    const taken = new Set(['in/a.txt', 'in/a (1).txt'])
    expect(freshPath('in/a.txt', (path) => taken.has(path))).toBe('in/a (2).txt')
    expect(freshPath('in/b.txt', (path) => taken.has(path))).toBe('in/b.txt')
  })

  it('knows a path that is too long', () => {
    expect(pathIn('inbox/', 'ü'.repeat(500))).toBe(`inbox/${'ü'.repeat(500)}`)
    expect(pathIn('inbox/', 'ü'.repeat(510))).toBeUndefined()
  })

  it('leaves out what nobody means to send', () => {
    expect(isLitter('album/.DS_Store')).toBe(true)
    expect(isLitter('album/DS_Store.txt')).toBe(false)
  })
})
