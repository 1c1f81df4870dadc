import { describe, expect, it } from 'vitest'
import { foldersOf, type Limits, objectionTo } from '../../../web/client/drop/limits.ts'
import { pathIn } from '../../../web/client/drop/names.ts'

const limits: Limits = {
  paths: ['inbox/', 'inbox/deep/'],
  match: [],
  least: 1,
  most: 1000,
  types: ['image/*', 'application/pdf'],
  filesLeft: 2,
  bytesLeft: 1500,
}
const none = { files: 0, bytes: 0 }
const cat = { path: pathIn('inbox/', 'cat.png'), size: 700, type: 'image/png' }

describe('what a key lets through', () => {
  it('has nothing against a file within its limits', () => {
    expect(objectionTo(cat, limits, none)).toBeUndefined()
    expect(objectionTo({ ...cat, size: 1000 }, limits, none)).toBeUndefined()
    expect(
      objectionTo({ ...cat, type: 'text/html' }, { ...limits, types: [] }, none),
    ).toBeUndefined()
  })

  it.each([
    [{ size: 1001 }, none, { code: 'too_large', most: 1000 }],
    [{ size: 0 }, none, { code: 'too_small', least: 1 }],
    [{ type: 'text/html' }, none, { code: 'type_not_granted', types: limits.types }],
    [{ path: undefined }, none, { code: 'name_too_long' }],
    [{}, { files: 2, bytes: 0 }, { code: 'files_exhausted' }],
    [{}, { files: 1, bytes: 801 }, { code: 'bytes_exhausted', left: 699 }],
    [{}, { files: 1, bytes: 9000 }, { code: 'bytes_exhausted', left: 0 }],
  ])('%j with %j promised: %j', (differs, promised, expected) => {
    expect(objectionTo({ ...cat, ...differs }, limits, promised)).toEqual(expected)
  })

  it('asks the glob beneath the longest scope, as the gateway does', () => {
    const globbed = { ...limits, match: ['**', '*.png'] }
    const at = (path: string) => objectionTo({ ...cat, path: pathIn('', path) }, globbed, none)
    expect(at('inbox/cat.png')).toBeUndefined()
    expect(at('inbox/deep/cat.png')).toBeUndefined()
    expect(at('inbox/other/cat.png')).toEqual({ code: 'name_not_granted', match: '*.png' })
  })

  it('takes folders only for folders', () => {
    expect(foldersOf({ paths: ['/', 'inbox/', 'inbox/one.pdf'] })).toEqual(['inbox/'])
  })
})
