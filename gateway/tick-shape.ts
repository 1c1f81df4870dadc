/**
 * Keeps the shape of what `process.nextTick` queues known to V8. Such an object lives for a moment; when
 * V8 tidies up while the gateway is idle, none is alive, and it forgets the shape. Code that is compiled
 * later then makes each of them the slow way, for as long as the process runs.
 *
 * Node, `lib/internal/process/task_queues.js`: `{ [async_id_symbol]: …, [trigger_async_id_symbol]: …, … }`.
 */
import { createHook } from 'node:async_hooks'

let kept: object | undefined

/** Takes one such object and never lets go of it. @returns it */
export function keepTickShape(): object | undefined {
  if (kept !== undefined) return kept
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === 'TickObject') kept = resource
    },
  })
  hook.enable()
  process.nextTick(() => {})
  hook.disable()
  return kept
}
