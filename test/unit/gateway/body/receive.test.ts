/** A body that comes in single bytes, over many turns, takes no more memory than its bytes. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { AwsChunkedReader } from '../../../../gateway/body/aws-chunked.ts'
import { BATCH_BYTES, BodyReader } from '../../../../gateway/body/receive.ts'
import { readSmall } from '../../../../gateway/body/small.ts'
import { bytes } from '../../../../key/units.ts'
import { pattern } from '../../../support/store.ts'

const COUNT = 60_000
const CONTENT = pattern(COUNT)

const request = (): IncomingMessage =>
  Object.assign(new Readable({ read() {} }), { complete: true }) as unknown as IncomingMessage

function arrive(incoming: IncomingMessage, content: Uint8Array = CONTENT): void {
  for (let at = 0; at < content.length; at += 1) {
    incoming.emit('data', content.subarray(at, at + 1))
  }
}

describe('a body in single bytes', () => {
  test('is few chunks when it is taken', async () => {
    const incoming = request()
    let counted = 0
    const body = new BodyReader(incoming, (count) => {
      counted += count
    })
    const batch = body.next(COUNT)
    arrive(incoming)
    const taken = (await batch) ?? []
    expect(Buffer.concat(taken).equals(CONTENT)).toBe(true)
    expect(taken.length).toBeLessThan(20)
    expect(counted).toBe(COUNT)
  })

  test('is few chunks when it has broken off', () => {
    const incoming = request()
    const body = new BodyReader(incoming, () => {})
    arrive(incoming)
    incoming.emit('close')
    const rest = body.rest()
    expect(Buffer.concat(rest).equals(CONTENT)).toBe(true)
    expect(rest.length).toBeLessThan(20)
  })

  test('is read whole where nobody is known yet, and no further than it may be long', async () => {
    const [whole, long] = [request(), request()]
    const reading = readSmall(whole, bytes(COUNT))
    const refused = expect(readSmall(long, bytes(COUNT - 1))).rejects.toThrow('too_large')
    arrive(whole)
    whole.emit('end')
    arrive(long)
    expect((await reading).equals(CONTENT)).toBe(true)
    await refused
  })

  test('of aws-chunked is few chunks as well', async () => {
    const framed = Buffer.from(`${'1\r\nx\r\n'.repeat(COUNT)}0\r\n\r\n`)
    const source = [[framed]]
    const reader = new AwsChunkedReader({ next: () => source.shift() }, { trailers: [] })
    const taken = (await reader.next(BATCH_BYTES)) ?? []
    expect(Buffer.concat(taken).length).toBe(COUNT)
    expect(taken.length).toBeLessThan(20)
  })
})

test('a chunk alone is given as it came, without a copy', async () => {
  const incoming = request()
  const body = new BodyReader(incoming, () => {})
  incoming.emit('data', CONTENT)
  expect((await body.next(1))?.[0]).toBe(CONTENT)
})
