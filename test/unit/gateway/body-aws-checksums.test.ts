import { describe, expect, test } from 'vitest'
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  Checksummer,
  type ChecksumSources,
  checksumHeader,
  statedChecksums,
} from '../../../gateway/body/checksums.ts'
import { codeOf } from '../key/refusals.ts'

/** Of `123456789`, the usual check value, and of nothing; hex. */
const KNOWN: Readonly<Record<ChecksumAlgorithm, readonly [check: string, nothing: string]>> = {
  crc32: ['cbf43926', '00000000'],
  crc32c: ['e3069283', '00000000'],
  crc64nvme: ['ae8b14860a799888', '0000000000000000'],
  sha1: ['f7c3bc1d808e04732adf679965ccc34ca7ae3441', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  sha256: [
    '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ],
}
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
const check = (algorithm: ChecksumAlgorithm) => base64(KNOWN[algorithm][0])
const ofNothing = (algorithm: ChecksumAlgorithm) => base64(KNOWN[algorithm][1])

const sources = (over: {
  headers?: Record<string, string>
  hoisted?: Record<string, string>
  trailers?: readonly string[]
}): ChecksumSources => ({
  header: (name) => over.headers?.[name],
  hoisted: new Map(Object.entries(over.hoisted ?? {})),
  trailers: over.trailers ?? [],
})

async function computed(
  stated: Parameters<typeof sources>[0],
  text: string,
  trailers: Record<string, string> = {},
) {
  const from = sources(stated)
  const summer = await Checksummer.start(statedChecksums(from), from.hoisted)
  for (const character of text) summer.update(Buffer.from(character))
  return () => summer.finish(new Map(Object.entries(trailers)))
}

describe.each(CHECKSUM_ALGORITHMS)('%s', (algorithm) => {
  const header = checksumHeader(algorithm)

  test.each([
    ['123456789', check(algorithm)],
    ['', ofNothing(algorithm)],
  ])('of %j', async (text, value) => {
    const finish = await computed({ headers: { [header]: value } }, text)
    expect(finish()).toEqual({ [algorithm]: value })
  })

  test('another one is refused, in a header, in the query, in the trailer', async () => {
    const wrong = base64(KNOWN[algorithm][0].replace(/^./, (digit) => (digit === '0' ? '1' : '0')))
    for (const finish of [
      await computed({ headers: { [header]: wrong } }, '123456789'),
      await computed({ hoisted: { [header]: wrong } }, '123456789'),
      await computed({ trailers: [header] }, '123456789', { [header]: wrong }),
    ]) {
      expect(codeOf(finish)).toBe('digest_mismatch')
    }
  })

  test('that of nothing is ignored in the query alone, and for a body that is something', async () => {
    const stated = { [header]: ofNothing(algorithm) }
    const inQuery = await computed({ hoisted: stated }, '123456789')
    expect(inQuery()).toEqual({ [algorithm]: check(algorithm) })
    expect((await computed({ hoisted: stated }, ''))()).toEqual({
      [algorithm]: ofNothing(algorithm),
    })
    expect(codeOf(await computed({ headers: stated }, '123456789'))).toBe('digest_mismatch')
  })

  test('what is no such checksum is refused before the body is read', () => {
    for (const value of ['', 'AAAA', `${check(algorithm)}=`, check(algorithm).replace(/=*$/, '')]) {
      if (value === check(algorithm)) continue
      const read = () => statedChecksums(sources({ headers: { [header]: value } }))
      expect(codeOf(read), value).toBe('request_malformed')
    }
  })

  test('announced for the trailer, or asked for by name, it is computed', async () => {
    const value = { [algorithm]: check(algorithm) }
    const trailer = await computed({ trailers: [header] }, '123456789', {
      [header]: check(algorithm),
    })
    expect(trailer()).toEqual(value)
    const asked = { 'x-amz-sdk-checksum-algorithm': algorithm.toUpperCase() }
    expect((await computed({ headers: asked }, '123456789'))()).toEqual(value)
  })
})

test('nothing that was stated: nothing is computed but what the gateway asks for', async () => {
  const stated = statedChecksums(sources({ headers: { 'x-amz-sdk-checksum-algorithm': 'MD4' } }))
  const summer = await Checksummer.start(stated, undefined, ['crc64nvme'])
  summer.update(Buffer.from('123456789'))
  expect(summer.finish()).toEqual({ crc64nvme: check('crc64nvme') })
})

test('a checksum that would not be compared is refused', () => {
  const name = 'x-amz-checksum-sha512'
  for (const stated of [
    { headers: { [name]: 'x' } },
    { hoisted: { [name]: 'x' } },
    { trailers: [name] },
  ]) {
    expect(codeOf(() => statedChecksums(sources(stated)))).toBe('request_malformed')
  }
})
