/** What is said of an upload must hold of it: its size, its type, its digests. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import * as media from '../support/media.ts'
import { digest, pattern } from '../support/store.ts'

let house: House
let reader: string

beforeAll(async () => {
  house = await openHouse({ gateway: { maxObjectSize: '3MiB' } })
  reader = house.mint({})
})
afterAll(() => house.close())

type Claims = Parameters<House['mint']>[0]

let count = 0
const freshPath = (): string => {
  count += 1
  return `bucket/content/${count}`
}

/** Uploads to a path of its own; a refused upload must leave nothing there. */
async function upload(
  claims: Claims,
  body: Uint8Array | Iterable<Uint8Array>,
  headers: Record<string, string> = {},
) {
  const path = freshPath()
  const key = house.mint({ methods: ['PUT'], ...claims })
  const answer = await ask(house.url(path, key), { method: 'PUT', body, headers })
  const stored = await ask(house.url(path, reader), { method: 'HEAD' })
  expect(stored.status).toBe(answer.status === 201 ? 200 : 404)
  return answer.status === 201 ? 'stored' : `${answer.status} ${answer.code}`
}

const chunked = (content: Uint8Array, size = 1000): Uint8Array[] =>
  Array.from({ length: Math.ceil(content.length / size) }, (_, at) =>
    content.subarray(at * size, (at + 1) * size),
  )

describe('the size', () => {
  test.each<[[number, number], number, string]>([
    [[10, 20], 9, '400 too_small'],
    [[10, 20], 10, 'stored'],
    [[10, 20], 20, 'stored'],
    [[10, 20], 21, '413 too_large'],
    [[0, 0], 0, 'stored'],
    [[0, 0], 1, '413 too_large'],
    [[1, 5], 0, '400 too_small'],
    [[0, 100_000], 100_000, 'stored'],
    [[0, 100_000], 100_001, '413 too_large'],
  ])('%j asked of %i bytes: %s, declared or counted', async (size, length, outcome) => {
    const content = pattern(length)
    expect(await upload({ size }, content)).toBe(outcome)
    expect(await upload({ size }, chunked(content))).toBe(outcome)
  })

  test('of every block counts', async () => {
    const wide = house.mint({ methods: ['PUT'], size: [5, 100] })
    const narrow = house.narrow(house.narrow(wide, { size: [0, 50] }), { size: [7, 1000] })
    const statusOf = async (length: number) =>
      (await ask(house.url(freshPath(), narrow), { method: 'PUT', body: pattern(length) })).status
    expect([await statusOf(6), await statusOf(7), await statusOf(50), await statusOf(51)]).toEqual([
      400, 201, 201, 413,
    ])
  })

  test('is bounded by the gateway, whatever the key says', async () => {
    const most = 3 << 20
    for (const claims of [{}, { size: [0, 10 << 20] as [number, number] }]) {
      expect(await upload(claims, pattern(most))).toBe('stored')
      expect(await upload(claims, pattern(most + 1))).toBe('413 too_large')
      expect(await upload(claims, chunked(pattern(most + 1), 65_536))).toBe('413 too_large')
    }
  })

  test.each(['9007199254740992', '9223372036854775807', '18446744073709551615'])(
    'declared as %s is too large, not a failure of ours',
    async (length) => {
      const { status } = await ask(house.url(freshPath(), house.mint({ methods: ['PUT'] })), {
        method: 'PUT',
        headers: { 'content-length': length, expect: '100-continue' },
      })
      expect(status).toBe(413)
    },
  )
})

describe('the type', () => {
  const { PNG, JPEG, GIF, WEBP, PDF, ZIP, MP4, WEBM, GZIP, ELF } = media
  const { HTML, SVG, XML, SHELL, PHP, TEXT, JSON_TEXT, BINARY } = media
  const images = ['image/*']
  const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

  test.each<[string, string[], string, Uint8Array, string]>([
    ['a PNG', images, 'image/png', PNG, 'stored'],
    ['a JPEG', images, 'image/jpeg', JPEG, 'stored'],
    ['a GIF', images, 'image/gif', GIF, 'stored'],
    ['a WebP', images, 'image/webp', WEBP, 'stored'],
    ['a PNG with parameters', images, 'Image/PNG; x=y', PNG, 'stored'],
    ['a PDF', ['application/pdf'], 'application/pdf', PDF, 'stored'],
    ['a ZIP', ['application/zip'], 'application/zip', ZIP, 'stored'],
    ['an MP4', ['video/*'], 'video/mp4', MP4, 'stored'],
    ['a WebM', ['video/*'], 'video/webm', WEBM, 'stored'],
    ['a gzip', ['application/gzip'], 'application/gzip', GZIP, 'stored'],
    ['text', ['text/plain'], 'text/plain', TEXT, 'stored'],
    ['JSON', ['application/json'], 'application/json', JSON_TEXT, 'stored'],
    ['an SVG where one is granted', ['image/svg+xml'], 'image/svg+xml', SVG, 'stored'],
    ['HTML where it is granted', ['text/html'], 'text/html', HTML, 'stored'],
    ['anything where all is', ['*/*'], 'application/octet-stream', HTML, 'stored'],
    ['nothing at all', images, 'image/png', Buffer.alloc(0), 'stored'],

    ['HTML as PNG', images, 'image/png', HTML, '415 type_mismatch'],
    ['HTML as JPEG', images, 'image/jpeg', HTML, '415 type_mismatch'],
    ['SVG as PNG', images, 'image/png', SVG, '415 type_mismatch'],
    ['HTML as SVG', images, 'image/svg+xml', HTML, '415 type_mismatch'],
    ['XML as PNG', images, 'image/png', XML, '415 type_mismatch'],
    ['a script as PNG', images, 'image/png', SHELL, '415 type_mismatch'],
    ['PHP as GIF', images, 'image/gif', PHP, '415 type_mismatch'],
    ['text as PNG', images, 'image/png', TEXT, '415 type_mismatch'],
    ['JPEG as PNG', images, 'image/png', JPEG, '415 type_mismatch'],
    ['PDF as PNG', images, 'image/png', PDF, '415 type_mismatch'],
    ['a program as PNG', images, 'image/png', ELF, '415 type_mismatch'],
    ['HTML as PDF', ['application/pdf'], 'application/pdf', HTML, '415 type_mismatch'],
    ['ZIP as PDF', ['application/pdf'], 'application/pdf', ZIP, '415 type_mismatch'],
    ['a program as a document', [DOCX], DOCX, ELF, '415 type_mismatch'],
    ['HTML as MP4', ['video/mp4'], 'video/mp4', HTML, '415 type_mismatch'],
    ['HTML as JSON', ['application/json'], 'application/json', HTML, '415 type_mismatch'],
    ['binary as text', ['text/plain'], 'text/plain', BINARY, '415 type_mismatch'],
    ['PNG as text', ['text/*'], 'text/plain', PNG, '415 type_mismatch'],
    ['HTML as some unknown image', images, 'image/x-new', HTML, '415 type_mismatch'],
    ['HTML as some font', ['font/*'], 'font/woff2', HTML, '415 type_mismatch'],

    ['an undeclared type', images, '', PNG, '415 type_not_granted'],
    ['a type that is not granted', images, 'text/html', HTML, '415 type_not_granted'],
    ['a type that begins alike', ['image/png'], 'image/png2', PNG, '415 type_not_granted'],
    ['what is no type', images, 'image', PNG, '400 request_malformed'],
    ['what is no type either', images, 'image/png, text/html', PNG, '400 request_malformed'],
  ])('%s: granted %j, declared "%s"', async (_, types, type, content, outcome) => {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
    expect(await upload({ types }, content, headers)).toBe(outcome)
    expect(await upload({ types }, chunked(content, 3), headers)).toBe(outcome)
  })

  test('is of every block', async () => {
    const key = house.narrow(house.mint({ methods: ['PUT'], types: ['image/*'] }), {
      types: ['image/png', 'text/*'],
    })
    const statusOf = async (type: string, body: Uint8Array) =>
      (
        await ask(house.url(freshPath(), key), {
          method: 'PUT',
          body,
          headers: { 'content-type': type },
        })
      ).status
    expect(await statusOf('image/png', PNG)).toBe(201)
    expect(await statusOf('image/jpeg', JPEG)).toBe(415)
    expect(await statusOf('text/plain', TEXT)).toBe(415)
  })
})

describe('the digest', () => {
  const content = Buffer.from('what arrives')
  const of = (algorithm: string, text: Uint8Array = content): string =>
    createHash(algorithm).update(text).digest('base64')

  test.each<[string, Record<string, string>, string]>([
    ['MD5', { 'content-md5': of('md5') }, 'stored'],
    ['SHA-256', { 'content-digest': `sha-256=:${of('sha256')}:` }, 'stored'],
    ['SHA-512', { 'repr-digest': `sha-512=:${of('sha512')}:` }, 'stored'],
    [
      'both',
      { 'content-digest': `sha-256=:${of('sha256')}:, sha-512=:${of('sha512')}:` },
      'stored',
    ],
    ['an unknown algorithm', { 'content-digest': 'sha-3000=:AAAA:' }, 'stored'],
    ['wrong MD5', { 'content-md5': of('md5', Buffer.from('x')) }, '400 digest_mismatch'],
    [
      'wrong SHA-256',
      { 'content-digest': `sha-256=:${of('sha256', Buffer.from('x'))}:` },
      '400 digest_mismatch',
    ],
    [
      'one right, one wrong',
      { 'repr-digest': `sha-256=:${of('sha256')}:, sha-512=:${of('sha512', Buffer.from('x'))}:` },
      '400 digest_mismatch',
    ],
    ['MD5 in hex', { 'content-md5': '0123456789abcdef0123456789abcdef' }, '400 request_malformed'],
    ['a short MD5', { 'content-md5': 'AAAA' }, '400 request_malformed'],
    ['sloppy base64', { 'content-md5': of('md5').replace('==', '') }, '400 request_malformed'],
    ['no colons', { 'content-digest': `sha-256=${of('sha256')}` }, '400 request_malformed'],
    ['no list', { 'repr-digest': 'yes' }, '400 request_malformed'],
  ])('stated as %s', async (_, headers, outcome) => {
    expect(await upload({}, content, headers)).toBe(outcome)
  })

  test('pinned in the key', async () => {
    const sha256 = digest(content)
    expect(await upload({ sha256 }, content)).toBe('stored')
    expect(await upload({ sha256: sha256.toUpperCase() }, content)).toBe('stored')
    expect(await upload({ sha256 }, Buffer.from('other'))).toBe('400 digest_mismatch')
    expect(await upload({ sha256 }, chunked(Buffer.from('what arriveS'), 2))).toBe(
      '400 digest_mismatch',
    )
  })
})

describe('a part, or a coding', () => {
  test.each([
    { 'content-range': 'bytes 0-4/10' },
    { 'upload-complete': '?0' },
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'aws-chunked' },
  ])('is not taken for the object: %o', async (headers) => {
    expect(await upload({}, Buffer.from('x'), headers)).toBe('400 request_malformed')
  })

  test('that is none is taken', async () => {
    expect(await upload({}, Buffer.from('x'), { 'content-encoding': 'identity' })).toBe('stored')
  })
})
