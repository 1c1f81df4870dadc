/**
 * `serve --workers N`: this process keeps N gateways running that share one port; each is this
 * program again. Signals are this process's: a terminal sends Ctrl-C to all of them at once, so
 * workers are told by message, and end by themselves when this process has gone.
 */
import cluster, { type Address, type Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import type { Logger } from 'pino'
import type { RunningGateway } from '../../gateway/main.ts'
import { urlOf } from '../../listener/address.ts'
import type { Settings } from '../settings/schema.ts'
import type { Shell } from '../shell.ts'

/** Whether this process is one of the workers. */
export const isWorker = (): boolean => cluster.isWorker

/** What the first process sends: the name of the signal that it stands for. */
const SIGNALS = ['SIGTERM', 'SIGHUP'] as const

/** The signals of a worker: what the first process sends, and its end. */
export function workerSignals(): Shell['signals'] {
  const signals = new EventEmitter()
  process.on('message', (message) => {
    const name = SIGNALS.find((signal) => signal === message)
    if (name !== undefined) signals.emit(name, name)
  })
  process.on('disconnect', () => signals.emit('SIGTERM', 'SIGTERM'))
  // the terminal's Ctrl-C reaches us too: the first process decides
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})
  return signals
}

/** The settings of one worker: what is limited for the program is shared out. */
export function shareOf(settings: Settings): Settings {
  const { workers, maxConnections, maxUploads } = settings.gateway
  const gateway = {
    ...settings.gateway,
    maxConnections: Math.ceil(maxConnections / workers),
    maxUploads: Math.ceil(maxUploads / workers),
  }
  return { ...settings, gateway }
}

/** How long a worker that ended by itself is waited for, in milliseconds: longer each time in a row. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5000
/** One that ran this long is not part of a row. */
const STEADY = 60_000
/** Past its own drain limit, a worker that has not ended is killed. */
const LAST_GRACE = 5000

export async function startWorkers(
  settings: Settings,
  { signals }: Shell,
  log: Logger,
): Promise<RunningGateway> {
  const crew = new Crew(settings, log)
  const onHangup = (): void => crew.tell('SIGHUP')
  signals.on('SIGHUP', onHangup)
  try {
    const port = await crew.start()
    return {
      url: urlOf(settings.gateway.listen, port, settings.tls.cert !== undefined),
      port,
      // each worker reads its own again when it is told of SIGHUP
      renewTls: () => {},
      close: () => {
        signals.off('SIGHUP', onHangup)
        return crew.stop()
      },
    }
  } catch (error) {
    signals.off('SIGHUP', onHangup)
    await crew.stop()
    throw error
  }
}

class Crew {
  readonly #settings: Settings
  readonly #log: Logger
  readonly #workers = new Set<Worker>()
  readonly #onGone: (() => void)[] = []
  #failuresInARow = 0
  /** whether one that ends is replaced: not before all of them have listened, nor in the end */
  #isRunning = false

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings
    this.#log = log
    cluster.setupPrimary({ args: process.argv.slice(2) })
  }

  /** Resolves with the port when all of them listen. */
  async start(): Promise<number> {
    const starting = Array.from({ length: this.#settings.gateway.workers }, () => this.#fork())
    const [port = 0] = await Promise.all(starting.map(listening))
    this.#isRunning = true
    return port
  }

  tell(signal: (typeof SIGNALS)[number]): void {
    for (const worker of this.#workers) if (worker.isConnected()) worker.send(signal)
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.tell('SIGTERM')
    const limit = this.#settings.gateway.drain * 1000 + LAST_GRACE
    const timer = setTimeout(() => {
      for (const worker of this.#workers) worker.process.kill('SIGKILL')
    }, limit)
    if (this.#workers.size > 0) await new Promise<void>((resolve) => this.#onGone.push(resolve))
    clearTimeout(timer)
  }

  #fork(): Worker {
    const worker = cluster.fork()
    const began = performance.now()
    this.#workers.add(worker)
    worker.once('listening', () => {
      this.#log.info({ worker: worker.id, pid: worker.process.pid }, 'a worker listens')
    })
    worker.once('exit', (code, signal) => {
      this.#workers.delete(worker)
      if (this.#workers.size === 0) for (const resolve of this.#onGone.splice(0)) resolve()
      if (this.#isRunning) this.#replace(worker, performance.now() - began, code, signal)
    })
    return worker
  }

  #replace(worker: Worker, lived: number, code: number, signal: string): void {
    this.#failuresInARow = lived >= STEADY ? 0 : this.#failuresInARow + 1
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#failuresInARow - 1))
    this.#log.error(
      { worker: worker.id, pid: worker.process.pid, code, signal, pause },
      'a worker has ended; another one takes its place',
    )
    setTimeout(() => {
      if (this.#isRunning) this.#fork()
    }, pause)
  }
}

/** @throws Error when the worker ends first; what it said is on stderr */
function listening(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('listening', (address: Address) => resolve(address.port))
    worker.once('exit', () => reject(new Error('a worker could not start; it has said why')))
  })
}
