/** An object's bytes on their way out: one write where they are at hand, else a loop over one buffer. */
import type { ServerResponse } from 'node:http'
import type { OpenObject } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'
import type { ByteRange } from './range.ts'

/** The block that a store checks at once; ranges are read along its borders. */
const BUFFER_BYTES = 256 * 1024
/** Enough for a burst; more would only hold memory. */
const POOL_SIZE = 64

const pool: Buffer[] = []
const takeBuffer = (): Buffer => pool.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
const giveBack = (buffer: Buffer): void => {
  if (pool.length < POOL_SIZE) pool.push(buffer)
}

/**
 * Sends the bytes of a range after the head was written, and ends the response.
 * Resolves with how many were sent; fewer when the client went away.
 * @throws Damaged, with the response not ended: the caller cuts the connection, so that what was
 *   sent so far can't be taken for the whole
 */
export async function sendBytes(
  outgoing: ServerResponse,
  object: OpenObject,
  range: ByteRange,
  transfer: Transfer,
): Promise<number> {
  const isShort = range.end - range.start <= BUFFER_BYTES
  if (object.content === undefined || !isShort) {
    return sendInBlocks(outgoing, object, range, transfer)
  }
  return sendAtOnce(outgoing, object.content.subarray(range.start, range.end))
}

/** Head, bytes and end in one system call. */
async function sendAtOnce(outgoing: ServerResponse, part: Uint8Array): Promise<number> {
  const sending = part.length > 0 && written(outgoing, part)
  outgoing.end()
  const isSent = await sending
  await finished(outgoing)
  return isSent ? part.length : 0
}

async function sendInBlocks(
  outgoing: ServerResponse,
  object: OpenObject,
  range: ByteRange,
  transfer: Transfer,
): Promise<number> {
  const buffer = takeBuffer()
  let position = range.start
  try {
    while (position < range.end && !outgoing.destroyed) {
      const border = position - (position % BUFFER_BYTES) + BUFFER_BYTES
      const part = buffer.subarray(0, Math.min(border, range.end) - position)
      const reading = object.read(part, position)
      const count = typeof reading === 'number' ? reading : await transfer.onOurTime(reading)
      if (!(await written(outgoing, part.subarray(0, count)))) break
      transfer.move(count)
      position += count
    }
  } finally {
    giveBack(buffer)
  }
  if (position < range.end) return position - range.start
  outgoing.end()
  await finished(outgoing)
  return position - range.start
}

/** Whether the bytes went to the operating system; false when the client went away first. */
function written(outgoing: ServerResponse, part: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(false)
    outgoing.once('close', gone)
    outgoing.write(part, (error) => {
      outgoing.off('close', gone)
      resolve(error === undefined || error === null)
    })
  })
}

/** Resolves when the response is with the operating system, or the client went away. */
async function finished(outgoing: ServerResponse): Promise<void> {
  if (outgoing.closed) return
  await new Promise((resolve) => outgoing.once('close', resolve))
}

/** Ends a response short, with a reset: what the kernel still holds of it is not sent either. */
export function cutOff(outgoing: ServerResponse): void {
  try {
    outgoing.socket?.resetAndDestroy()
  } catch {
    // only TCP has resets
  }
  outgoing.destroy()
}
