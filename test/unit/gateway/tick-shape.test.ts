import { createHook } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { keepTickShape } from '../../../gateway/tick-shape.ts'

/** What `process.nextTick` queued just now. */
function queuedTick(): unknown {
  const queued: unknown[] = []
  const hook = createHook({
    init: (_id, type, _trigger, resource) => void (type === 'TickObject' && queued.push(resource)),
  }).enable()
  process.nextTick(() => {})
  hook.disable()
  return queued[0]
}

function haveSameShape(one: unknown, other: unknown): boolean {
  setFlagsFromString('--allow-natives-syntax')
  try {
    return runInThisContext('(one, other) => %HaveSameMap(one, other)')(one, other)
  } finally {
    setFlagsFromString('--no-allow-natives-syntax')
  }
}

describe('the shape of a tick', () => {
  it('is that of what Node queues, and what is kept stays the same', () => {
    const kept = keepTickShape()
    expect(haveSameShape(kept, queuedTick())).toBe(true)
    expect(haveSameShape(kept, {})).toBe(false)
    expect(keepTickShape()).toBe(kept)
  })
})
