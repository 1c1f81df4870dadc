/** Whatever is changed of what was signed: the request is refused, and nothing is stored. */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import { dateKeyOf } from '../../key/dialects/sigv4.ts'
import { postForm, presign } from '../../key/dialects/sigv4-presign.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { later, seconds } from '../../key/units.ts'
import { type House, openHouse } from '../support/house.ts'
import { type S3Credentials, s3Key, temporary } from '../support/s3.ts'
import {
  type SignedRequest,
  STREAMS,
  signedRequest,
  streamedRequest,
  type ToSign,
} from '../support/s3-request.ts'

let house: House
let port: number
let asked: ToSign
let key: S3Credentials

beforeAll(async () => {
  house = await openHouse()
  port = house.gateway.port
  key = await s3Key(house)
  asked = { host: `127.0.0.1:${port}`, now: house.now(), credentials: key, path: '/tamper/object' }
})
afterAll(() => house.close())
afterEach(async () => {
  const { objects } = await house.store.list({ prefix: '', limit: 10 })
  for (const { path } of objects) await house.store.delete(path)
})

/** As it is, byte by byte; 0 where the connection ended without an answer. */
function send({ method, target, headers, body }: SignedRequest): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({
      ...{ host: '127.0.0.1', port, method, path: target, agent: false },
      headers: { ...headers, 'content-length': String(body.length) },
    })
    sent.on('response', (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', () => resolve(0))
    sent.end(body)
  })
}

async function expectRefused(changed: SignedRequest, what: string): Promise<void> {
  const status = await send(changed)
  const { objects } = await house.store.list({ prefix: '', limit: 10 })
  expect([what, status, objects]).toEqual([what, expect.any(Number), []])
  expect([what, status >= 400 && status < 500]).toEqual([what, true])
}

/** Another character of the same kind at one place. */
function flipped(text: string, at: number): string {
  const character = text[at] ?? ''
  const other = /[0-9]/.test(character)
    ? String((Number(character) + 1) % 10)
    : character === 'a'
      ? 'b'
      : 'a'
  return text.slice(0, at) + other + text.slice(at + 1)
}

/** A few places of a text: its ends, and some between. */
const places = (text: string): readonly number[] =>
  [...new Set([0, 1, 0.3, 0.5, 0.8].map((part) => Math.floor(part * (text.length - 1))))].filter(
    (at) => at >= 0,
  )

/** One after the other, each part of a request that is signed, changed. */
function* changes(original: SignedRequest): Iterable<readonly [string, SignedRequest]> {
  const other = original.method === 'PUT' ? 'POST' : 'PUT'
  yield ['method', { ...original, method: other }]
  const { target, headers } = original
  for (let at = 1; at < target.length; at += target.length > 200 ? 3 : 1) {
    const changed = flipped(target, at)
    // a name that nobody knows is no part of the signature's form any more
    if (changed !== target) yield [`target at ${at}: ${changed}`, { ...original, target: changed }]
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const at of name === 'authorization' ? value.split('').keys() : places(value)) {
      if (/[\s,;=/]/.test(value[at] ?? '') || flipped(value, at) === value) continue
      const changed = { ...headers, [name]: flipped(value, at) }
      yield [`${name} at ${at}`, { ...original, headers: changed }]
    }
    const { [name]: _, ...without } = headers
    if (name !== 'host') yield [`without ${name}`, { ...original, headers: without }]
  }
  const more = { ...headers, 'x-amz-meta-added': 'x' }
  yield ['with one more header', { ...original, headers: more }]
}

/** Each byte of a body, changed; and bytes taken off and put on. */
function* bodyChanges(original: SignedRequest): Iterable<readonly [string, SignedRequest]> {
  const { body } = original
  for (let at = 0; at < body.length; at += 1) {
    const changed = Buffer.from(body)
    changed[at] = (changed[at] ?? 0) ^ 1
    yield [`body at ${at}`, { ...original, body: changed }]
  }
  for (const end of [0, 1, Math.floor(body.length / 2), body.length - 1]) {
    yield [`body up to ${end}`, { ...original, body: body.subarray(0, end) }]
  }
  yield ['with a byte more', { ...original, body: Buffer.concat([body, Buffer.from('x')]) }]
}

const CONTENT = Buffer.from('content of an object')
const CHUNKS = [Buffer.from('content of '), Buffer.from('an object')] as const

describe('a request signed in its header', () => {
  test.each(['access key', 'temporary'] as const)('with %s credentials', async (kind) => {
    const credentials = kind === 'access key' ? key : temporary(house)
    const original = signedRequest({ ...asked, credentials }, CONTENT)
    for (const [what, changed] of [...changes(original), ...bodyChanges(original)]) {
      await expectRefused(changed, what)
    }
    expect(await send(original)).toBe(200)
  })
})

describe('a body in chunks', () => {
  test.each(STREAMS)('%s', async (form) => {
    const original = streamedRequest(asked, form, CHUNKS)
    for (const [what, changed] of [...changes(original), ...bodyChanges(original)]) {
      await expectRefused(changed, what)
    }
    expect(await send(original)).toBe(200)
    const head = await house.store.head('tamper/object' as never)
    expect(head?.sha256).toBe(createHash('sha256').update(CONTENT).digest('hex'))
    // the coding is of the request, not of the object
    expect(head?.meta?.contentEncoding).toBeUndefined()
  })

  test.each(STREAMS)('%s with its chunks in another order, or one twice', async (form) => {
    const original = streamedRequest(asked, form, CHUNKS)
    const [first, second, rest] = framesOf(original.body)
    const bodies = { reversed: [second, first, rest], twice: [first, first, second, rest] }
    for (const [what, frames] of Object.entries(bodies)) {
      await expectRefused({ ...original, body: Buffer.concat(frames) }, what)
    }
  })
})

/** The two chunks with their sizes and signatures, and what follows them. */
function framesOf(body: Buffer): [Buffer, Buffer, Buffer] {
  const endOf = (chunk: Buffer, from: number): number =>
    body.indexOf('\r\n', from) + 2 + chunk.length + 2
  const first = endOf(CHUNKS[0], 0)
  const second = endOf(CHUNKS[1], first)
  return [body.subarray(0, first), body.subarray(first, second), body.subarray(second)]
}

describe('a presigned URL', () => {
  test.each(['access key', 'temporary'] as const)('with %s credentials', async (kind) => {
    const credentials = kind === 'access key' ? key : temporary(house)
    const url = presign(
      {
        method: 'PUT',
        publicUrl: `http://${asked.host}`,
        target: asked.path,
        credential: {
          accessKeyId: credentials.accessKeyId,
          dateKey: dateKeyOf(credentials.secretAccessKey, nodeMac),
          ...(credentials.sessionToken && { sessionToken: credentials.sessionToken }),
        },
        region: 'us-east-1',
        now: house.now(),
        expires: 600,
        query: [['x-amz-meta-team', 'blue']],
        headers: { 'content-type': 'text/plain' },
      },
      nodeHashing,
    )
    const { pathname, search } = new URL(url)
    const original = {
      method: 'PUT',
      target: pathname + search,
      headers: { host: asked.host, 'content-type': 'text/plain' },
      body: CONTENT,
    }
    for (const [what, changed] of changes(original)) await expectRefused(changed, what)
    expect(await send(original)).toBe(200)
  })
})

describe('a form', () => {
  test('with a signed policy', async () => {
    const dateKey = dateKeyOf(key.secretAccessKey, nodeMac)
    const fields = postForm(
      {
        bucket: 'tamper',
        key: 'object',
        credential: { accessKeyId: key.accessKeyId, dateKey },
        region: 'us-east-1',
        now: house.now(),
        expires: later(house.now(), seconds(600)),
      },
      nodeHashing,
    )
    const formOf = (stated: Readonly<Record<string, string>>): SignedRequest => {
      const parts = [...Object.entries(stated), ['file', 'content']].map(
        ([name, value]) =>
          `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      return {
        method: 'POST',
        target: '/tamper',
        headers: { host: asked.host, 'content-type': 'multipart/form-data; boundary=B' },
        body: Buffer.from(`${parts.join('')}--B--\r\n`),
      }
    }
    for (const [name, value] of Object.entries(fields)) {
      for (let at = 0; at < value.length; at += 1) {
        const changed = flipped(value, at)
        if (changed === value) continue
        await expectRefused(formOf({ ...fields, [name]: changed }), `${name} at ${at}`)
      }
      const { [name]: _, ...without } = fields
      // the bucket is stated by the URL as well
      if (name !== 'bucket') await expectRefused(formOf(without), `without ${name}`)
    }
    await expectRefused(formOf({ ...fields, 'x-amz-meta-more': 'x' }), 'one field more')
    expect(await send(formOf(fields))).toBe(204)
  })
})
