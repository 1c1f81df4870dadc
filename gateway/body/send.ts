/** An object's bytes on their way out: one write where they are at hand, else a loop that reads. */
import type { ServerResponse } from 'node:http'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { OpenObject } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'
import { BLOCK_BYTES, withBuffer } from './buffers.ts'
import type { ByteRange } from './range.ts'

/** How far a range has got, counted from its start. */
export interface Progress {
  /** bytes that are with the operating system */
  sent: number
  /** bytes given to the socket: where it broke, any of those beyond `sent` may have left or not */
  handed: number
}

/**
 * Sends the bytes of a range after the head was written, and ends the response. Resolves when that
 * is done or the client went away.
 * @param progress is kept up, also where this rejects
 * @throws Damaged, with the response not ended: the caller cuts the connection, so that what was
 *   sent so far can't be taken for the whole
 */
export async function sendBytes(
  outgoing: ServerResponse,
  object: OpenObject,
  range: ByteRange,
  transfer: Transfer,
  progress: Progress,
): Promise<void> {
  const content = transfer.of.pace === undefined ? contentAtHand(object, range) : undefined
  if (content === undefined) return sendInBlocks(outgoing, object, range, transfer, progress)
  await sendAtOnce(outgoing, content, progress)
}

/** A range that is short enough for one write, where all of it is in memory anyway. */
export function contentAtHand(object: OpenObject, range: ByteRange): Uint8Array | undefined {
  const length = range.end - range.start
  if (length === 0) return NOTHING
  if (length > BLOCK_BYTES) return undefined
  const near = object.near?.(range.start)
  if (near === undefined || near.length < length) return undefined
  return near.length === length ? near : near.subarray(0, length)
}

const NOTHING = new Uint8Array(0)

/**
 * Head, bytes and end in one system call. Done at once where the operating system takes it all;
 * else resolves when it has, or the client went away.
 */
export function sendAtOnce(
  outgoing: ServerResponse,
  part: Uint8Array,
  progress: Progress,
): Awaitable<void> {
  const { socket } = outgoing
  if (!outgoing.destroyed) progress.handed += part.length
  if (part.length > 0) {
    outgoing.write(part, (error) => {
      if (error === undefined || error === null) progress.sent = part.length
    })
  }
  outgoing.end()
  if (socket?.destroyed !== false || !outgoing.writableFinished) return finished(outgoing)
  progress.sent = part.length
}

async function sendInBlocks(
  outgoing: ServerResponse,
  object: OpenObject,
  range: ByteRange,
  transfer: Transfer,
  progress: Progress,
): Promise<void> {
  const send = async (part: Uint8Array): Promise<number> =>
    (await moved(outgoing, part, transfer, progress)) ? part.length : 0
  for (let start = range.start; start < range.end; ) {
    const near = object.near?.(start)?.subarray(0, range.end - start)
    const sent = await (near === undefined
      ? withRead(object, { start, end: range.end }, transfer, send)
      : send(near))
    if (sent === 0) return
    start += sent
  }
  outgoing.end()
  await finished(outgoing)
}

/** Reads the beginning of a range for somebody who is through with it when they say so. */
function withRead<T>(
  object: OpenObject,
  { start, end }: ByteRange,
  transfer: Transfer,
  use: (part: Uint8Array) => Promise<T>,
): Promise<T> {
  return withBuffer(async (buffer) => {
    const border = start - (start % buffer.length) + buffer.length
    const part = buffer.subarray(0, Math.min(border, end) - start)
    const reading = object.read(part, start)
    const count = typeof reading === 'number' ? reading : await transfer.onOurTime(reading)
    return use(part.subarray(0, count))
  })
}

/**
 * Sends a part as fast as its key allows.
 * @returns whether it went to the operating system; false when the client went away first
 */
export async function moved(
  outgoing: ServerResponse,
  part: Uint8Array,
  transfer: Transfer,
  progress: Progress,
): Promise<boolean> {
  const { pace } = transfer.of
  const portion = pace?.portion ?? part.length
  for (let start = 0; start < part.length; start += portion) {
    const piece = part.subarray(start, start + portion)
    if (pace !== undefined) await transfer.onOurTime(pace.before(piece.length))
    if (outgoing.destroyed || !(await written(outgoing, piece, progress))) return false
    transfer.move(piece.length)
  }
  return true
}

function written(outgoing: ServerResponse, part: Uint8Array, progress: Progress): Promise<boolean> {
  if (!outgoing.destroyed) progress.handed += part.length
  return new Promise((resolve) => {
    const gone = (): void => resolve(false)
    outgoing.once('close', gone)
    outgoing.write(part, (error) => {
      outgoing.off('close', gone)
      const isSent = error === undefined || error === null
      if (isSent) progress.sent += part.length
      resolve(isSent)
    })
  })
}

/** Resolves when the response is with the operating system, or the client went away. */
export async function finished(outgoing: ServerResponse): Promise<void> {
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
