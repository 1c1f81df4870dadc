import { performance } from 'node:perf_hooks'

/** What is read again and again of a database, read once in a turn of the event loop. */
export interface OncePerTurn<T> {
  (): T
  /** To be called when a write of our own may have changed it: it is read anew. */
  forget(): void
}

/**
 * Of the event loop: from one look for I/O to the next. Counted by the loop itself: what we had it call
 * at the end of a turn, it would call after the next look where we asked for it between two of them.
 */
const thisTurn = (): number => performance.nodeTiming.uvMetricsInfo.loopCount

/**
 * For what is asked several times for each request, and of the requests that arrive together. What
 * another process writes is seen from the next turn on: by every request that arrives once it has said
 * so, but for one whose beginning had arrived before.
 */
export function oncePerTurn<T>(read: () => T): OncePerTurn<T> {
  let known: T
  let readIn = -1
  const forget = (): void => {
    readIn = -1
  }
  const asked = (): T => {
    const now = thisTurn()
    if (readIn !== now) {
      known = read()
      readIn = now
    }
    return known
  }
  return Object.assign(asked, { forget })
}

/**
 * Reads anew only what somebody may have written since.
 * @param version of all that is there: it differs after any commit of another connection
 */
export function whenWritten<T>(version: () => unknown, read: () => T): () => T {
  let known: T
  let readAt: unknown
  let isKnown = false
  return () => {
    // asked first: what is committed in between is read the next time
    const now = version()
    if (!isKnown || now !== readAt) {
      known = read()
      readAt = now
      isKnown = true
    }
    return known
  }
}
