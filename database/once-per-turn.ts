/** What is read again and again of a database, read once in a turn of the event loop. */
export interface OncePerTurn<T> {
  (): T
  /** To be called when a write of our own may have changed it: it is read anew. */
  forget(): void
}

/**
 * For what is asked several times for each request, and of the requests that arrive together. A
 * request that another process has caused by its own answer arrives in a later turn.
 */
export function oncePerTurn<T>(read: () => T): OncePerTurn<T> {
  let known: { readonly value: T } | undefined
  const forget = (): void => {
    known = undefined
  }
  const asked = (): T => {
    if (known === undefined) {
      known = { value: read() }
      setImmediate(forget)
    }
    return known.value
  }
  return Object.assign(asked, { forget })
}
