/** How an audit file ends: with its last seal, unless a crash has torn what came after. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parseSeal, SEAL_START, type Seal } from './seal.ts'

export interface Tail {
  /** undefined where there is none */
  readonly seal: Seal | undefined
  /** bytes behind it, which no seal is over */
  readonly torn: number
  /** of the whole file, in bytes */
  readonly length: number
}

const CHUNK = 64 * 1024

/** Reads backwards from the end, as far as it has to. */
export function tailOf(file: string): Tail {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    let tail = Buffer.alloc(0)
    for (let from = size; from > 0; ) {
      const start = Math.max(0, from - CHUNK)
      const chunk = Buffer.alloc(from - start)
      readSync(descriptor, chunk, 0, chunk.length, start)
      tail = Buffer.concat([chunk, tail])
      const found = lastSealIn(tail)
      if (found !== undefined) return { ...found, length: size }
      from = start
    }
    return { seal: undefined, torn: size, length: size }
  } finally {
    closeSync(descriptor)
  }
}

/** A seal is never the first line of a file. */
function lastSealIn(bytes: Buffer): Omit<Tail, 'length'> | undefined {
  for (let at = bytes.length; at > 0; ) {
    at = bytes.lastIndexOf(`\n${SEAL_START}`, at - 1)
    if (at < 0) return undefined
    const end = bytes.indexOf('\n', at + 1)
    const seal = end < 0 ? undefined : parseSeal(bytes.toString('latin1', at + 1, end))
    if (seal !== undefined) return { seal, torn: bytes.length - end - 1 }
  }
  return undefined
}
