/** Programs that are measured: started on a core of their own, watched through /proc, stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** /proc counts in these whatever the kernel's own tick is: USER_HZ is 100 on every Linux we know. */
const TICKS_PER_SECOND = 100
const READY_WITHIN = 60_000
const STOP_WITHIN = 30_000

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** the core that it and all its threads and children run on; undefined: any */
  readonly core: number | undefined
  /** file that takes what it writes to stdout and stderr */
  readonly log: string
}

const running = new Set<Program>()
// whatever ends us, nothing is left behind
process.on('exit', () => {
  for (const program of running) program.kill()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** A running program with its children. */
export class Program {
  readonly #child: ChildProcess
  readonly #log: string
  readonly #ended: Promise<void>

  constructor(command: Command) {
    const [program, args] = pinned(command)
    this.#log = command.log
    const log = openSync(command.log, 'a')
    this.#child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
    })
    closeSync(log)
    running.add(this)
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('exit', () => resolve())
    })
    this.#ended.catch(() => {}).finally(() => running.delete(this))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Seconds of user and system time that it and its children have used so far. */
  cpu(): number {
    return sum(treeOf(this.pid).map(cpuOf))
  }

  /** Bytes of memory that it and its children hold now, or held at most since {@link resetPeak}. */
  resident(which: 'now' | 'most' = 'now'): number {
    const field = which === 'now' ? 'VmRSS' : 'VmHWM'
    return sum(treeOf(this.pid).map((pid) => memoryOf(pid, field)))
  }

  /** @returns whether the kernel would */
  resetPeak(): boolean {
    try {
      const file = openSync(`/proc/${this.pid}/clear_refs`, 'w')
      closeSync(file)
      return true
    } catch {
      return false
    }
  }

  /**
   * Asks until it answers, or kills it; returns how many seconds that took.
   * @throws Error with the end of its log, where it ended or never answered
   */
  async ready(url: string, accepts: (status: number) => boolean = () => true): Promise<number> {
    const began = performance.now()
    let ended = false
    const end = (): void => {
      ended = true
    }
    void this.#ended.then(end, end)
    while (!ended && performance.now() - began < READY_WITHIN) {
      const status = await statusOf(url)
      if (status !== undefined && accepts(status)) return (performance.now() - began) / 1000
      await pause(2)
    }
    this.kill()
    const tail = readFileSync(this.#log, 'utf8').slice(-1000)
    throw new Error(`${this.#child.spawnargs.join(' ')} did not become ready:\n${tail}`)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Resolves when it has ended. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal)
    const timer = setTimeout(() => this.kill(), STOP_WITHIN)
    await this.#ended.catch(() => {})
    clearTimeout(timer)
  }
}

/** Runs a program to its end. @returns its stdout @throws Error with its stderr */
export async function output(command: Omit<Command, 'log'>): Promise<string> {
  const [program, args] = pinned(command)
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const out: string[] = []
  const err: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  process.off('exit', kill)
  if (code === 0) return out.join('')
  throw new Error(`${command.program} ended with ${code}: ${err.join('').trim() || out.join('')}`)
}

function pinned({ program, args, core }: Omit<Command, 'log'>): [string, string[]] {
  return core === undefined
    ? [program, [...args]]
    : ['taskset', ['-c', String(core), program, ...args]]
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Undefined while nobody answers. */
async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.status
  } catch {
    return undefined
  }
}

function treeOf(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(treeOf)]
}

/** proc(5): fields 14 and 15 are utime and stime; the name in field 2 may hold anything. */
function cpuOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND
}

function memoryOf(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(read(`/proc/${pid}/status`))
  return Number(match?.[1] ?? 0) * 1024
}

/** Empty where the process has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** A port that is free now, and most likely still is when a program asks for it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
