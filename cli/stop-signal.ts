import type { Shell } from './shell.ts'

/**
 * Resolves with the name of the first SIGINT or SIGTERM. Whoever sends a second one does not want
 * to wait any longer: the process ends at once.
 */
export function stopSignal({ signals, exit }: Shell): {
  readonly received: Promise<string>
  readonly release: () => void
} {
  let resolve: (name: string) => void = () => {}
  const received = new Promise<string>((done) => {
    resolve = done
  })
  let stopping = false
  const onSignal = (name: string) => {
    if (stopping) exit(1)
    stopping = true
    resolve(name)
  }
  const names = ['SIGINT', 'SIGTERM']
  for (const name of names) signals.on(name, onSignal)
  return {
    received,
    release: () => {
      for (const name of names) signals.off(name, onSignal)
    },
  }
}
