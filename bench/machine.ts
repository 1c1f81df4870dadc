/** What there is to measure on, and with. */
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly kernel: string
  /** of the commit that is measured; `+` where the checkout differs from it */
  readonly commit: string
  /** name → version of what is on the PATH */
  readonly programs: Readonly<Record<string, string>>
  readonly missing: readonly string[]
}

/** Program, how it is asked for its version, and where in the answer that stands. */
const PROGRAMS = [
  ['wrk', '-v', /wrk (?:debian\/)?(\S+)/],
  ['taskset', '--version', /(\d[\d.]+)/],
  ['nginx', '-v', /nginx\/(\S+)/],
  ['caddy', 'version', /v?(\d\S*)/],
  ['minio', '--version', /version (\S+)/],
  ['weed', 'version', /(\d\S*)/],
  ['garage', '--version', /(\d\S*)/],
  ['versitygw', '--version', /Version\s*:\s*(\S+)/],
] as const

export type ProgramName = (typeof PROGRAMS)[number][0]

export function lookAround(checkout: string): Machine {
  const programs: Record<string, string> = { node: process.versions.node }
  const missing: string[] = []
  for (const [name, flag, pattern] of PROGRAMS) {
    if (isOnPath(name)) programs[name] = versionOf(name, flag, pattern)
    else missing.push(name)
  }
  return {
    cpu: /^model name\s*: (.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch,
    cores: availableParallelism(),
    kernel: release(),
    commit: commitOf(checkout),
    programs,
    missing,
  }
}

/** What figures depend on, apart from our own commit. */
export const describeMachine = ({ cpu, cores, kernel, programs }: Machine): string =>
  `${cpu}, ${cores} cores, Linux ${kernel}; ${Object.entries(programs)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`

/** Above this share of the machine, others at work are felt in our figures. */
export const QUIET = 0.1

/** The share of the machine that is busy, looked at for a second in which we do nothing. */
export async function busyShare(): Promise<number> {
  const before = times()
  await pause(1000)
  const after = times()
  return (after.busy - before.busy) / (after.all - before.all)
}

function times(): { readonly busy: number; readonly all: number } {
  const sums = cpus().map(({ times: { user, nice, sys, irq, idle } }) => {
    const busy = user + nice + sys + irq
    return { busy, all: busy + idle }
  })
  return sums.reduce((a, b) => ({ busy: a.busy + b.busy, all: a.all + b.all }))
}

function isOnPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function versionOf(name: string, flag: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(name, [flag], { encoding: 'utf8' })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
}

function commitOf(checkout: string): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
