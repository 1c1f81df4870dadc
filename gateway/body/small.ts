/** A body that is read before anybody knows whose it is: little, and not for long. */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes } from '../../key/units.ts'
import { BodyReader } from './receive.ts'

const TIMEOUT = 30_000

/** @throws Refusal too_large, too_slow, incomplete_body */
export async function readSmall(incoming: IncomingMessage, most: Bytes): Promise<Buffer> {
  const body = new BodyReader(incoming, () => {})
  const timer = setTimeout(
    () => body.fail(new Refusal('too_slow', 'the body of this request arrives within 30 seconds')),
    TIMEOUT,
  )
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (let batch = await body.next(1); batch !== undefined; batch = await body.next(1)) {
      for (const chunk of batch) size += chunk.length
      if (size > most) {
        throw new Refusal('too_large', `the body of this request has at most ${most} bytes`)
      }
      chunks.push(...batch)
    }
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks)
}
