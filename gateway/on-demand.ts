/**
 * Modules that are loaded with the first request that needs them. A moment without descriptors would
 * refuse that request, so some are held back, and given up for as long as a module is loaded. It is
 * loaded before anything else happens: a connection that is accepted meanwhile would take them.
 */
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { devNull } from 'node:os'

const HELD_BACK = 8

const require = createRequire(import.meta.url)

let held: readonly number[] = []

/** To be called before requests come; idempotent. */
export function holdDescriptorsBack(): void {
  try {
    while (held.length < HELD_BACK) held = [...held, openSync(devNull, 'r')]
  } catch {
    // fewer will have to do
  }
}

/**
 * The module, loaded when it is asked for the first time; where that fails, the next time.
 * @param name of a package, or a file's path; `T` is what it exports
 * @throws Error of the system, where the module could not be read
 */
export function onDemand<T>(name: string): () => T {
  let loaded: T | undefined
  return () => {
    loaded ??= loadNow<T>(name)
    return loaded
  }
}

function loadNow<T>(name: string): T {
  const wereHeld = held.length > 0
  for (const descriptor of held) closeSync(descriptor)
  held = []
  try {
    return require(name) as T
  } finally {
    if (wereHeld) holdDescriptorsBack()
  }
}
