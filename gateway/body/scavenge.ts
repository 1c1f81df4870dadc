/**
 * Keeps what bodies leave behind from costing more than the bodies.
 *
 * Node gives every chunk that it reads memory of its own, outside of V8's heap. V8 lets up to 32 MiB of
 * it gather before it looks which of it is still used, and takes it for growth of what has been there
 * for long: so it marks the whole heap, several times for each 100 MiB, and once it has begun to do so
 * it never stops. Looking through what is young, which takes half a millisecond, keeps it from that.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Less than V8 takes for growth in a small heap, which is about 8 MiB. */
const EVERY = 4 << 20

type Collect = (options: { readonly type: 'minor' }) => void

let collect: Collect | undefined
let arrived = 0

/** To be told of each chunk of a body. */
export function noteChunk(bytes: number): void {
  arrived += bytes
  if (arrived < EVERY) return
  arrived = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** V8 gives its function to contexts that are made while the flag is set, and to no other. */
function collector(): Collect {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('globalThis.gc')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? (found as Collect) : () => {}
}
