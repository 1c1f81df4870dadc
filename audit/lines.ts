/** The lines of a file as bytes, from its beginning or from its end; a piece at a time. */
import { type FileHandle, open } from 'node:fs/promises'

const CHUNK = 256 * 1024
const NEWLINE = 10

/** Lines without their ends; what is behind the last end comes last, and says that it has none. */
export interface Line {
  readonly bytes: Buffer
  readonly isEnded: boolean
  /** where it begins in the file */
  readonly at: number
}

/** @param from where to begin: at the start of a line */
export async function* linesOf(path: string, from = 0): AsyncGenerator<readonly Line[]> {
  const handle = await open(path, 'r')
  try {
    let rest = Buffer.alloc(0)
    for (let position = from; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK)
      const { bytesRead } = await handle.read(chunk, 0, CHUNK, position)
      if (bytesRead === 0) {
        if (rest.length > 0) yield [{ bytes: rest, isEnded: false, at: position - rest.length }]
        return
      }
      const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      const at = position - rest.length
      position += bytesRead
      const end = text.lastIndexOf(NEWLINE) + 1
      rest = text.subarray(end)
      if (end > 0) yield split(text.subarray(0, end), at)
    }
  } finally {
    await handle.close()
  }
}

/** Newest first. @param end where to begin: behind the end of a line */
export async function* linesBackwards(path: string, end: number): AsyncGenerator<readonly Line[]> {
  const handle = await open(path, 'r')
  try {
    let rest = Buffer.alloc(0)
    for (let position = end; position > 0; ) {
      const start = Math.max(0, position - CHUNK)
      const text = Buffer.concat([await readAt(handle, start, position - start), rest])
      position = start
      // the first line may have begun before
      const whole = start === 0 ? 0 : text.indexOf(NEWLINE) + 1
      rest = text.subarray(0, whole)
      if (start > 0 && whole === 0) rest = text
      else if (whole < text.length) yield split(text.subarray(whole), start + whole).reverse()
    }
  } finally {
    await handle.close()
  }
}

async function readAt(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(bytes, 0, length, start)
  return bytes.subarray(0, bytesRead)
}

/** @param text ends with the end of a line */
function split(text: Buffer, at: number): Line[] {
  const lines: Line[] = []
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(NEWLINE, start)
    lines.push({ bytes: text.subarray(start, end), isEnded: true, at: at + start })
    start = end + 1
  }
  return lines
}
