/** Range requests, RFC 9110 §14: one range is served, several are answered with the whole object. */
import { Refusal } from '../../key/refusal.ts'

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** No byte of the object lies in the range asked for. */
export class UnsatisfiableRange extends Refusal {
  readonly size: number

  constructor(size: number) {
    super(
      'range_unsatisfiable',
      `the object has ${size} bytes, none of them in the range asked for`,
    )
    this.size = size
  }
}

/**
 * §14.2: "A server MAY ignore the Range header field"; it is ignored where it can't be read, has
 * another unit, or asks for several ranges. Then the answer is undefined: the whole object.
 * @throws UnsatisfiableRange
 */
export function parseRange(header: string, size: number): ByteRange | undefined {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header)
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? undefined : suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) throw new UnsatisfiableRange(size)
  return { start, end }
}

/** "If the selected representation is shorter than the specified suffix-length, the entire representation is used." */
function suffix(length: number, size: number): ByteRange {
  if (length === 0 || size === 0) throw new UnsatisfiableRange(size)
  return { start: Math.max(0, size - length), end: size }
}
