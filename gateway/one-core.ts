/**
 * V8 marks its heap with up to four threads beside ours. Where there is one core only, they run in its
 * place: each takes its turn of some milliseconds, and all requests wait for all four. There we mark
 * ourselves, in small steps.
 */
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/** To be called before requests come. @param cores that this process may use */
export function leaveHelpersOut(cores = availableParallelism(), set = setFlagsFromString): void {
  if (cores === 1) set('--no-concurrent-marking')
}
