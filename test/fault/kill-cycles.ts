/**
 * Starts the program, puts it under mixed load, kills it, starts it again and compares, many times.
 * Run by hand: `npx tsx test/fault/kill-cycles.ts --cycles 500`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Counts, MixedLoad } from '../support/mixed-load.ts'
import { Random } from '../support/random.ts'
import { type Serve, ServeFolder, type ServeOptions, SOURCE } from '../support/serve-process.ts'
import { inventory } from '../support/store-leftovers.ts'

export interface KillCyclesOptions extends ServeOptions {
  readonly cycles: number
  readonly seed: number
  readonly onCycle?: (cycle: number, result: KillCyclesResult) => void
}

export interface KillCyclesResult {
  readonly cycles: number
  /** what clients were told is done, and what they could not be told */
  readonly counts: Counts
  /** objects that were put once and looked at until the end */
  readonly kept: number
  readonly revoked: number
  /** kills that left files of unfinished uploads for the next start to remove */
  readonly leftUploads: number
  /** milliseconds until each start after a kill listened */
  readonly startedIn: readonly number[]
  readonly mistakes: readonly string[]
}

/** So many changes are acknowledged at most before a kill. */
const MOST_CHANGES = 250
/** So many milliseconds pass at most between the last of them and the kill. */
const MOST_DELAY = 25
/** How much of what was put or revoked in earlier cycles is looked at in each. */
const SAMPLE = 25
/** How long the start has for removing what the one before left, in milliseconds. */
const TIDY_WITHIN = 30_000

/** Ends with the first cycle in which anything was not as it must be. */
export async function killCycles(options: KillCyclesOptions): Promise<KillCyclesResult> {
  const { cycles, seed, onCycle } = options
  const random = new Random(seed)
  const folder = new ServeFolder()
  const load = new MixedLoad(folder, random)
  const startedIn: number[] = []
  let leftUploads = 0
  const { counts, mistakes } = load
  const result = (cycle: number): KillCyclesResult => {
    const { kept, revoked } = load
    return { cycles: cycle, counts, kept, revoked, leftUploads, startedIn, mistakes }
  }
  try {
    let serve = await folder.start(options)
    await load.prepare(serve)
    for (let cycle = 1; ; cycle += 1) {
      await load.run(serve, 1 + random.below(MOST_CHANGES), async () => {
        await pause(random.next() * MOST_DELAY)
        if (serve.hasEnded) mistakes.push(`it ended by itself: ${serve.stderr.slice(-2000)}`)
        await serve.kill()
      })
      leftUploads += inventory(folder.store).staged.length > 0 ? 1 : 0
      serve = await folder.start(options)
      startedIn.push(serve.startedIn)
      await check(folder, load, serve, cycle === cycles)
      onCycle?.(cycle, result(cycle))
      if (cycle < cycles && mistakes.length === 0) continue
      await end(folder, serve, mistakes)
      return result(cycle)
    }
  } finally {
    folder.remove()
  }
}

async function check(
  folder: ServeFolder,
  load: MixedLoad,
  serve: Serve,
  isLast: boolean,
): Promise<void> {
  await load.check(serve, isLast ? undefined : SAMPLE)
  const leftovers = await tidied(folder)
  if (leftovers !== '') load.mistakes.push(`left behind: ${leftovers}`)
}

/** What is left of lives before this one; empty as soon as nothing is. */
async function tidied(folder: ServeFolder): Promise<string> {
  const deadline = performance.now() + TIDY_WITHIN
  for (;;) {
    const left = leftovers(folder)
    if (left === '' || performance.now() > deadline) return left
    await pause(50)
  }
}

function leftovers({ store, data }: ServeFolder): string {
  const { files, named, unnamedRows, staged, owners } = inventory(store)
  const unnamed = files.filter((file) => !named.includes(file))
  const missing = named.filter((name) => !files.includes(name))
  const locks = readdirSync(join(data, 'instances')).filter((name) => name.endsWith('.lock'))
  const dead = owners.filter((owner) => !locks.includes(`${owner}.lock`))
  return Object.entries({ unnamed, missing, unnamedRows, staged, dead })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${names.join(' ')}`)
    .join('; ')
}

/** Told to end, it leaves nothing but objects. */
async function end(folder: ServeFolder, serve: Serve, mistakes: string[]): Promise<void> {
  const code = await serve.stop()
  if (code !== 0) mistakes.push(`it ended with code ${code}`)
  const { garbage, owners } = inventory(folder.store)
  if (garbage.length + owners.length > 0) mistakes.push('garbage is left after its end')
}

// ── by hand ───────────────────────────────────────────────────────────────────

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function report(result: KillCyclesResult): string {
  const { counts, startedIn, mistakes, cycles, kept, revoked, leftUploads } = result
  const sorted = startedIn.toSorted((a, b) => a - b).map(Math.round)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  return [
    `${cycles} kills, of which ${leftUploads} left unfinished uploads behind`,
    `acknowledged: ${counts.puts} uploads, ${counts.deletes} deletions, ${counts.revocations} revocations, ${counts.uses} uses`,
    `under way when killed: ${counts.open}; reads compared: ${counts.reads}`,
    `looked at again at the end: ${kept} objects never replaced, ${revoked} revoked keys`,
    `listening after: median ${at(0.5)} ms, most ${at(1)} ms`,
    ...(mistakes.length === 0 ? ['mistakes: 0'] : mistakes.map((text) => `MISTAKE: ${text}`)),
  ].join('\n')
}

async function main(): Promise<void> {
  // so that the program that runs just then goes as well
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      workers: { type: 'string', default: '1' },
      main: { type: 'string', default: existsSync(BUILT) ? BUILT : SOURCE },
    },
  })
  const [cycles, seed] = [Number(values.cycles), Number(values.seed)]
  const args = ['--workers', values.workers, '--log-level', 'warn']
  console.log(`${cycles} cycles, seed ${seed}, ${values.main}`)
  const result = await killCycles({
    main: values.main,
    args,
    cycles,
    seed,
    onCycle: (cycle, so) => {
      if (cycle % 25 === 0) console.log(`\n${report(so)}`)
    },
  })
  console.log(`\n${report(result)}`)
  process.exitCode = result.mistakes.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
