/** A body that is read before anybody knows whose it is: little, and not for long. */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes } from '../../key/units.ts'
import { BodyReader } from './receive.ts'

const TIMEOUT = 30_000

/**
 * @param most less than a batch, beyond which a body that nobody takes is not read
 * @throws Refusal too_large, too_slow, incomplete_body
 */
export async function readSmall(incoming: IncomingMessage, most: Bytes): Promise<Buffer> {
  const body = new BodyReader(incoming, () => {})
  const timer = setTimeout(
    () => body.fail(new Refusal('too_slow', 'the body of this request arrives within 30 seconds')),
    TIMEOUT,
  )
  try {
    // one byte too many is enough to know
    const whole = Buffer.concat((await body.next(most + 1)) ?? [])
    if (whole.length <= most) return whole
    throw new Refusal('too_large', `the body of this request has at most ${most} bytes`)
  } finally {
    clearTimeout(timer)
  }
}
