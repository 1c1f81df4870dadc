import { Failure } from './failure.ts'
import type { Shell } from './shell.ts'

/**
 * Lets a long piece of work end early and tidy up after itself: the signal that it gets is aborted
 * by Ctrl-C or SIGTERM, and then throws a {@link Failure} from `throwIfAborted`. A second one ends
 * the process at once.
 */
export async function interruptible<T>(
  { signals, exit }: Shell,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) exit(1)
    controller.abort(new Failure('interrupted; nothing was left half done'))
  }
  signals.on('SIGINT', interrupt)
  signals.on('SIGTERM', interrupt)
  try {
    return await work(controller.signal)
  } finally {
    signals.off('SIGINT', interrupt)
    signals.off('SIGTERM', interrupt)
  }
}
