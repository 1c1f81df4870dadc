import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { Shell } from './shell.ts'

/** JSON lines on stderr. A log that nobody can take any more stops nothing. */
export function makeLog({ stderr }: Shell, level: string): Logger {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime }
  if (stderr !== process.stderr) return pino(options, stderr)
  // written when the event loop has time, not by the request that is logged
  const destination = pino.destination({ dest: 2, sync: false })
  destination.on('error', () => {})
  return pino(options, destination)
}
