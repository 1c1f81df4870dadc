/**
 * Modules that are loaded with the first request that needs them. What Node could not read once, it
 * never tries again: a moment without descriptors would end forms, XML or checksums until a restart.
 * So some are held back, and given up for as long as a module is loaded.
 */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

const HELD_BACK = 8

let held: readonly number[] = []

/** To be called before requests come; idempotent. */
export function holdDescriptorsBack(): void {
  try {
    while (held.length < HELD_BACK) held = [...held, openSync(devNull, 'r')]
  } catch {
    // fewer will have to do
  }
}

/** The module, loaded when it is asked for the first time. */
export function onDemand<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => {
    loaded ??= loadNow(load)
    return loaded
  }
}

async function loadNow<T>(load: () => Promise<T>): Promise<T> {
  const wereHeld = held.length > 0
  for (const descriptor of held) closeSync(descriptor)
  held = []
  try {
    return await load()
  } finally {
    if (wereHeld) holdDescriptorsBack()
  }
}
