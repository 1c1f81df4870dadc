/** Buffers that objects are read into on their way out, used again and again. */

/** The block that a store checks at once; ranges are read along its borders. */
export const BLOCK_BYTES = 256 * 1024
/** Two blocks in one write cost a third less of the kernel's time than two writes; four no less. */
const LARGE_BYTES = 2 * BLOCK_BYTES
/** A crowd of slow readers holds its buffers for long: those beyond have one of a single block. */
const MOST_LARGE = 64
/** Enough for a burst; more would only hold memory. */
const MOST_SPARE = 64

const spareLarge: Buffer[] = []
const spareSmall: Buffer[] = []
let largeOut = 0

function take(): Buffer {
  if (largeOut >= MOST_LARGE) return spareSmall.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
  largeOut += 1
  return spareLarge.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
}

function giveBack(buffer: Buffer): void {
  const isLarge = buffer.length === LARGE_BYTES
  if (isLarge) largeOut -= 1
  const spare = isLarge ? spareLarge : spareSmall
  if (spareLarge.length + spareSmall.length < MOST_SPARE) spare.push(buffer)
}

/** Runs with a buffer of one block or more to read into, which is another's afterwards. */
export async function withBuffer<T>(use: (buffer: Buffer) => Promise<T>): Promise<T> {
  const buffer = take()
  try {
    return await use(buffer)
  } finally {
    giveBack(buffer)
  }
}
