/** What the program runs in: streams, environment, clock, signals. Tests hand in their own. */
import type { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { secondsOf, type UnixSeconds } from '../key/units.ts'

type Stream<T> = T & { readonly isTTY?: boolean; readonly columns?: number }

export interface Shell {
  readonly stdin: Stream<Readable>
  readonly stdout: Stream<Writable>
  readonly stderr: Stream<Writable>
  readonly env: Readonly<Record<string, string | undefined>>
  /** the folder that relative paths start from */
  readonly cwd: string
  readonly now: () => UnixSeconds
  /** emits `SIGINT`, `SIGTERM`, `SIGHUP` */
  readonly signals: Pick<EventEmitter, 'on' | 'off'>
  /** ends the process at once, with nothing tidied */
  readonly exit: (code: number) => void
}

export const processShell = (): Shell => ({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: () => secondsOf(Date.now()),
  signals: process,
  exit: (code) => process.exit(code),
})
