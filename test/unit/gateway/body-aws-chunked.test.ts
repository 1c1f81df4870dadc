import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AwsChunkedOptions,
  AwsChunkedReader,
  awsChunkedOptions,
} from '../../../gateway/body/aws-chunked.ts'
import type { BatchSource } from '../../../gateway/body/receive.ts'
import { nodeHashing } from '../../../key/dialects/node-sigv4.ts'
import { signingKeyOf } from '../../../key/dialects/sigv4.ts'
import { type ChunkChain, chunkChain } from '../../../key/dialects/sigv4-chunks.ts'
import { Refusal, type RefusalCode } from '../../../key/refusal.ts'
import type { Bytes } from '../../../key/units.ts'
import { type BodyVector, vectorKey, vectors } from '../../support/sigv4.ts'

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex')

const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const signing = {
  dateTime: '20130524T000000Z',
  scope,
  signingKey: signingKeyOf(vectorKey, scope, nodeHashing.mac),
  seed: '0'.repeat(64),
}
const newChain = (): ChunkChain => chunkChain(signing, nodeHashing)

const sourceOf = (pieces: readonly Uint8Array[]): BatchSource => {
  const left = [...pieces]
  return {
    async next() {
      const piece = left.shift()
      return piece && [piece]
    },
  }
}

interface Decoded {
  readonly data: Buffer
  readonly trailers: Record<string, string>
}

async function decode(
  pieces: readonly Uint8Array[],
  options: AwsChunkedOptions,
  least = 1,
): Promise<Decoded> {
  const reader = new AwsChunkedReader(sourceOf(pieces), options)
  const parts: Uint8Array[] = []
  for (let batch = await reader.next(least); batch; batch = await reader.next(least)) {
    parts.push(...batch)
  }
  return { data: Buffer.concat(parts), trailers: Object.fromEntries(reader.trailers) }
}

/** A body as a client writes it. */
function encode(
  chunks: readonly Uint8Array[],
  {
    signed,
    trailer,
    bare,
  }: {
    signed: boolean
    trailer: readonly (readonly [string, string])[] | undefined
    bare?: boolean
  },
): Buffer {
  const chain = signed ? newChain() : undefined
  const head = (data: Uint8Array) =>
    `${data.length.toString(16)}${chain ? `;chunk-signature=${chain.chunk(sha256(data))}` : ''}\r\n`
  const parts: (Uint8Array | string)[] = chunks.flatMap((data) => [head(data), data, '\r\n'])
  parts.push(head(new Uint8Array()))
  for (const [name, value] of trailer ?? []) parts.push(`${name}:${value}${bare ? '' : '\r'}\n`)
  if (bare) parts.push('\r\n')
  if (trailer && chain) {
    const text = trailer.map(([name, value]) => `${name}:${value}\n`).join('')
    parts.push(`x-amz-trailer-signature:${chain.trailer(sha256(text))}\r\n`)
  }
  parts.push('\r\n')
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))
}

const codeFrom = (outcome: Promise<unknown>): Promise<RefusalCode | undefined> =>
  outcome.then(
    () => undefined,
    (error) => {
      if (error instanceof Refusal) return error.code
      throw error
    },
  )

const TRAILER = [['x-amz-checksum-crc32', 'NhCmhg==']] as const
const FORMS = [
  { name: 'unsigned', signed: false, trailer: undefined },
  { name: 'unsigned, with a trailer', signed: false, trailer: TRAILER },
  { name: 'signed', signed: true, trailer: undefined },
  { name: 'signed, with a trailer', signed: true, trailer: TRAILER },
  { name: 'signed, with a trailer of minio-go', signed: true, trailer: TRAILER, bare: true },
] as const
type Form = (typeof FORMS)[number]

const optionsFor = ({ signed, trailer }: Form, decodedLength?: number): AwsChunkedOptions => ({
  ...(signed && { chain: newChain() }),
  ...(trailer && { trailers: trailer.map(([name]) => name) }),
  ...(decodedLength !== undefined && { decodedLength: decodedLength as Bytes }),
})

/** Cuts a body at these places, wherever they fall. */
function split(body: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (body.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => body.subarray(from, places[index] ?? body.length))
}

test('what the SDK sends for a stream', async () => {
  const body = Buffer.from('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')
  const options = { trailers: ['x-amz-checksum-crc32'], decodedLength: 5 as Bytes }
  expect(await decode([body], options)).toEqual({
    data: Buffer.from('hello'),
    trailers: { 'x-amz-checksum-crc32': 'NhCmhg==' },
  })
})

test.each([
  [' \t a b\t ', 'a b'],
  ['a', 'a'],
  [' ', ''],
])('a trailer of %j is %j', async (stated, value) => {
  const body = Buffer.from(`0\r\nx-amz-checksum-crc32:${stated}\r\n\r\n`)
  const { trailers } = await decode([body], { trailers: ['x-amz-checksum-crc32'] })
  expect(trailers).toEqual({ 'x-amz-checksum-crc32': value })
})

test.each(vectors.bodies)("AWS's example, $name", async (vector: BodyVector) => {
  const parts = vector.chunks.map(
    ({ size, signature }) =>
      `${size.toString(16)};chunk-signature=${signature}\r\n${size > 0 ? `${'a'.repeat(size)}\r\n` : ''}`,
  )
  const { trailer } = vector
  if (trailer) {
    parts.push(`${trailer.text.trim()}\r\nx-amz-trailer-signature:${trailer.signature}\r\n`)
  }
  const chain = chunkChain({ ...signing, seed: vector.seed }, nodeHashing)
  const decoded = await decode([Buffer.from(`${parts.join('')}\r\n`)], {
    chain,
    ...(trailer && { trailers: ['x-amz-checksum-crc32c'] }),
    decodedLength: 66_560 as Bytes,
  })
  expect(decoded.data.equals(Buffer.alloc(66_560, 'a'))).toBe(true)
})

describe.each(FORMS)('$name', (form) => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 })
  const cuts = fc.array(fc.nat(), { maxLength: 20 })

  test('however the stream is cut, the same bytes come out', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, cuts, fc.nat({ max: 700 }), async (data, places, least) => {
        const body = encode(data, form)
        const whole = Buffer.concat(data)
        const options = optionsFor(form, whole.length)
        const decoded = await decode(split(body, places), options, least)
        expect(decoded.data.equals(whole)).toBe(true)
        expect(decoded.trailers).toEqual(Object.fromEntries(form.trailer ?? []))
      }),
    )
  })

  test('cut off anywhere, it is refused', async () => {
    const body = encode([Buffer.from('hello'), Buffer.from('world')], form)
    for (let length = 0; length < body.length; length += 1) {
      const code = await codeFrom(decode([body.subarray(0, length)], optionsFor(form)))
      expect(code, `${length} of ${body.length} bytes`).toBe('incomplete_body')
    }
  })

  test('with anything behind it, it is refused', async () => {
    const body = encode([Buffer.from('hello')], form)
    const code = await codeFrom(decode([body, Buffer.from('x')], optionsFor(form)))
    expect(code).toBe('request_malformed')
  })

  test.each([9, 11])('of 10 bytes where %i were stated, it is refused', async (stated) => {
    const body = encode([Buffer.from('helloworld')], form)
    const code = await codeFrom(decode([body], optionsFor(form, stated)))
    expect(code).toBe(stated < 10 ? 'request_malformed' : 'incomplete_body')
  })
})

test.each(FORMS.filter(({ signed }) => signed))(
  '$name: a flipped bit is refused, whichever it is',
  async (form) => {
    const body = encode([Buffer.from('hello'), Buffer.from('world')], form)
    for (let index = 0; index < body.length; index += 1) {
      const flipped = Buffer.from(body)
      flipped[index] = (flipped[index] ?? 0) ^ 1
      const code = await codeFrom(decode([flipped], optionsFor(form)))
      expect(code, `byte ${index} of ${body.length}`).toBeDefined()
    }
  },
)

describe('refused', () => {
  const signed = FORMS[3]

  test.each([
    ['a size that is none', 'x\r\n'],
    ['a negative size', '-5\r\nhello\r\n'],
    ['an empty size', '\r\n'],
    ['a size of too many digits', `${'0'.repeat(13)}5\r\nhello\r\n0\r\n\r\n`],
    ['an extension that nobody asked for', `5;x=y\r\nhello\r\n0\r\n\r\n`],
    ['a line that ends with LF alone', '5\nhello\n0\n\n'],
    ['data that is longer than stated', '4\r\nhello\r\n0\r\n\r\n'],
    ['a trailer that nobody announced', '0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n'],
    [
      'a trailer signature where nothing is signed',
      `0\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`,
    ],
    ['an endless line', '0'.repeat(5000)],
  ])('%s', async (_, body) => {
    expect(await codeFrom(decode([Buffer.from(body)], {}))).toBe('request_malformed')
  })

  test('announced trailers that do not come, or come twice, or are too many', async () => {
    const options = { trailers: ['x-amz-checksum-crc32'] }
    const line = 'x-amz-checksum-crc32:NhCmhg==\r\n'
    for (const lines of [
      '',
      line + line,
      `${line}other:1\r\n`,
      'x-amz-checksum-crc32:a\tb\r\n',
      'x-amz-checksum-crc32:a\u00a0\r\n',
      'x-amz-checksum-crc32:a\u000b\r\n',
      `${'x-amz-checksum-crc32:'.padEnd(4090)}\r\n${line}`,
    ]) {
      const code = await codeFrom(decode([Buffer.from(`0\r\n${lines}\r\n`)], options))
      expect(code, lines.slice(0, 80)).toBe('request_malformed')
    }
  })

  test('a trailer of nothing but spaces, as fast as any', async () => {
    const options = { trailers: ['x-amz-checksum-crc32'] }
    // each takes an expression minutes that may divide them as it likes
    for (let length = 4060; length < 4080; length += 1) {
      const line = `${'x-amz-checksum-crc32:'.padEnd(length)}\u0001\r\n`
      const code = await codeFrom(decode([Buffer.from(`0\r\n${line}\r\n`)], options))
      expect(code).toBe('request_malformed')
    }
  })

  test('a signed body without its trailer signature, or with a header behind it', async () => {
    const body = encode([], signed).toString('latin1')
    const line = /x-amz-trailer-signature:.*\r\n/
    const without = Buffer.from(body.replace(line, ''), 'latin1')
    expect(await codeFrom(decode([without], optionsFor(signed)))).toBe('signature_invalid')
    const [text = ''] = line.exec(body) ?? []
    const moved = `${body.replace(text, '').slice(0, body.indexOf('x-amz-checksum'))}${text}x-amz-checksum-crc32:NhCmhg==\r\n\r\n`
    expect(await codeFrom(decode([Buffer.from(moved)], optionsFor(signed)))).toBe(
      'signature_invalid',
    )
  })

  test('what looks like a trailer of minio-go and is none', async () => {
    const lines = encode([], FORMS[4]).toString('latin1').split('\n')
    const [chunk = '', header = '', gap = '', signature = '', last = ''] = lines
    expect([gap, last]).toEqual(['\r', '\r'])
    const cr = (line: string) => `${line.replace('\r', '')}\r`
    const lf = (line: string) => line.replace('\r', '')
    const variants = {
      'no empty line': [chunk, header, signature, last],
      'two empty lines': [chunk, header, gap, gap, signature, last],
      'an empty line where headers end with CR LF': [chunk, cr(header), gap, signature, last],
      'the empty line with LF': [chunk, header, lf(gap), signature, last],
      'the signature with LF': [chunk, header, gap, lf(signature), last],
      'the end with LF': [chunk, header, gap, signature, lf(last)],
      'the chunk with LF': [lf(chunk), header, gap, signature, last],
      'the header behind the empty line': [chunk, gap, header, signature, last],
      'a header twice': [chunk, header, header, gap, signature, last],
      'a header of each kind': [chunk, header, cr('x-amz-checksum-sha1:x'), gap, signature, last],
      'a header behind the empty line': [chunk, header, gap, cr(header), signature, last],
      'a header behind the signature': [chunk, header, gap, signature, header, last],
      'the signature twice': [chunk, header, gap, signature, signature, last],
      'the signature first': [chunk, signature, header, gap, last],
      'two CR': [chunk, header, `\r${gap}`, signature, last],
      'a CR within the header': [chunk, header.replace(':', ':\r'), gap, signature, last],
    }
    const options = () => ({ chain: newChain(), trailers: ['x-amz-checksum-crc32'] })
    for (const [name, one] of Object.entries(variants)) {
      const body = Buffer.from(`${one.join('\n')}\n`, 'latin1')
      const codes = ['request_malformed', 'signature_invalid']
      expect(codes, name).toContain(await codeFrom(decode([body], options())))
    }
    const unsigned = Buffer.from(`0\r\n${header}\n\r\n\r\n`)
    const { trailers } = options()
    expect(await codeFrom(decode([unsigned], { trailers }))).toBe('request_malformed')
  })

  test('chunks in another order, or one left out', async () => {
    const form = FORMS[2]
    const [one, two] = [Buffer.from('hello'), Buffer.from('world')]
    const body = encode([one, two], form).toString('latin1')
    const chunk = (body.length - encode([], form).length) / 2
    const [a, b, end] = [body.slice(0, chunk), body.slice(chunk, 2 * chunk), body.slice(2 * chunk)]
    for (const text of [b + a + end, a + end, b + end, a + a + b + end]) {
      const code = await codeFrom(decode([Buffer.from(text, 'latin1')], optionsFor(form)))
      expect(code).toBe('signature_invalid')
    }
  })

  test('a signed chunk that is too large, before it is read', async () => {
    const head = `${(16 * 2 ** 20 + 1).toString(16)};chunk-signature=${'0'.repeat(64)}\r\n`
    expect(await codeFrom(decode([Buffer.from(head)], optionsFor(FORMS[2])))).toBe('too_large')
  })
})

describe('what the headers say', () => {
  const headers = (fields: Record<string, string>) => (name: string) => fields[name]

  test('becomes options', () => {
    const fields = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'X-Amz-Checksum-CRC32' }
    expect(awsChunkedOptions(headers(fields), { trailer: true })).toEqual({
      trailers: ['x-amz-checksum-crc32'],
      decodedLength: 5,
    })
    expect(awsChunkedOptions(headers({}), { trailer: false })).toEqual({})
  })

  test.each([
    [{ 'x-amz-decoded-content-length': '-5' }, true],
    [{ 'x-amz-decoded-content-length': '5e3' }, true],
    [{ 'x-amz-trailer': 'x-amz-checksum-crc32' }, false],
  ])('is refused where it makes no sense: %j', async (fields, trailer) => {
    const code = await codeFrom(
      (async () => awsChunkedOptions(headers(fields as Record<string, string>), { trailer }))(),
    )
    expect(code).toBe('request_malformed')
  })
})
