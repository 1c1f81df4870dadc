/**
 * Two processes, hundreds of requests at once, under keys that allow so many uses, bytes and files:
 * no more than that, and nobody refused while there is room.
 * Run by hand: `npx tsx test/fault/parallel-limits.ts --trials 100000`.
 */
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ask } from '../support/http.ts'
import {
  type Doing,
  type Limits,
  type Outcome,
  outcomeOf,
  prepare,
  SMALL,
  type Spent,
  WAYS,
} from '../support/limited-requests.ts'
import { Random } from '../support/random.ts'
import { type Serve, ServeFolder, type ServeOptions, SOURCE } from '../support/serve-process.ts'

export interface ParallelLimitsOptions extends ServeOptions {
  readonly trials: number
  readonly seed: number
  readonly onRound?: (result: ParallelLimitsResult) => void
}

export interface ParallelLimitsResult {
  /** requests under limited keys */
  readonly trials: number
  readonly keys: number
  /** by what was asked, or by the code of the refusal */
  readonly counts: Readonly<Record<string, number>>
  /** what was used in all, as clients have counted it */
  readonly spent: Spent
  /** most requests that were under way at once */
  readonly mostAtOnce: number
  readonly mistakes: readonly string[]
}

const NAMES = ['uses', 'bytes', 'files'] as const
const MOST_AT_ONCE = 250
/** How long the two may take to agree on what was used once all requests have ended, in milliseconds. */
const SETTLED_WITHIN = 30_000

/** Ends with the first key that allowed more or less than it says. */
export async function parallelLimits(
  options: ParallelLimitsOptions,
): Promise<ParallelLimitsResult> {
  const folder = new ServeFolder()
  const running: Serve[] = []
  try {
    for (const only of [[], ['--only', 'gateway']]) {
      running.push(await folder.start(withSettings(options, only)))
    }
    const trials = new Trials(folder, running, new Random(options.seed))
    await prepare(running[0] as Serve, folder.mint())
    while (trials.result.trials < options.trials && trials.result.mistakes.length === 0) {
      await trials.round()
      options.onRound?.(trials.result)
    }
    return trials.result
  } finally {
    for (const serve of running) await serve.kill()
    folder.remove()
  }
}

/** Each request comes from an address of its own, as a proxy says: uses are counted by addresses. */
const withSettings = (options: ServeOptions, more: readonly string[]): ServeOptions => ({
  ...options,
  args: [...(options.args ?? []), ...more],
  env: {
    VALETKEY_GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
    VALETKEY_GATEWAY_MAX_UPLOADS: String(MOST_AT_ONCE),
  },
})

class Trials {
  readonly #folder: ServeFolder
  readonly #running: readonly Serve[]
  readonly #random: Random
  #count = 0
  #mostAtOnce = 0
  #keys = 0
  readonly #counts: Record<string, number> = {}
  readonly #spent = { uses: 0, bytes: 0, files: 0 }
  readonly #mistakes: string[] = []

  constructor(folder: ServeFolder, running: readonly Serve[], random: Random) {
    this.#folder = folder
    this.#running = running
    this.#random = random
  }

  get result(): ParallelLimitsResult {
    const result = { counts: this.#counts, spent: this.#spent, mistakes: this.#mistakes }
    return { ...result, trials: this.#count, keys: this.#keys, mostAtOnce: this.#mostAtOnce }
  }

  /** One key: first all kinds of requests, then more of one kind than there is room for. */
  async round(): Promise<void> {
    const limits = this.#limits()
    const key = this.#folder.mint({ ...limits, path: 'limits/' })
    this.#keys += 1
    const mixed = Array.from({ length: 20 + this.#random.below(MOST_AT_ONCE - 20) }, () =>
      this.#way(limits),
    )
    const outcomes = await this.#atOnce(mixed, key)
    this.#checkRefusals(limits, outcomes)
    const left = await this.#leftAfter(limits, outcomes, key)
    if (left === undefined) return
    const [way, room] = filling(left)
    const more = await this.#atOnce(new Array<Doing>(room + 5).fill(way), key)
    const served = more.filter(({ refusal }) => refusal === undefined).length
    if (served !== room) this.#mistake(limits, `${served} served where there was room for ${room}`)
    await this.#leftAfter(limits, [...outcomes, ...more], key)
  }

  /** At least one of them. */
  #limits(): Limits {
    const which = 1 + this.#random.below(7)
    return {
      ...((which & 1) > 0 && { uses: 1 + this.#random.below(200) }),
      ...((which & 2) > 0 && { bytes: 1 + this.#random.below(200 * SMALL) }),
      ...((which & 4) > 0 && { files: 1 + this.#random.below(60) }),
    }
  }

  /** Those that move much are few, and nobody knows to the byte how much. */
  #way({ bytes }: Limits): Doing {
    const isLarge = bytes === undefined && this.#random.next() < 0.02
    return this.#random.pick(WAYS.filter((way) => (way.isLarge ?? false) === isLarge))
  }

  /** Alternately to the one process and to the other. */
  async #atOnce(ways: readonly Doing[], key: string): Promise<readonly Outcome[]> {
    this.#mostAtOnce = Math.max(this.#mostAtOnce, ways.length)
    const outcomes = await Promise.all(
      ways.map((way, at) => {
        this.#count += 1
        return outcomeOf(way, this.#running[at % 2] as Serve, key, this.#count)
      }),
    )
    for (const { doing, refusal, mistake, spent } of outcomes) {
      const what = refusal ?? doing.name
      this.#counts[what] = (this.#counts[what] ?? 0) + 1
      for (const name of NAMES) this.#spent[name] += spent[name]
      if (mistake !== undefined) this.#mistakes.push(`${doing.name}: ${mistake}`)
    }
    return outcomes
  }

  /** Wrong is one for which there was room even with all others at their most. */
  #checkRefusals(limits: Limits, outcomes: readonly Outcome[]): void {
    for (const name of NAMES) {
      const most = limits[name] ?? Number.POSITIVE_INFINITY
      const asked = outcomes.reduce((sum, { doing }) => sum + doing.most[name], 0)
      const refused = outcomes.filter(({ refusal }) => refusal === `${name}_exhausted`)
      if (refused.length === 0 || asked > most) continue
      this.#mistake(limits, `${refused.length} × ${name}_exhausted, though all had room`)
    }
  }

  /** What both processes say is left, which must be what clients have not used. */
  async #leftAfter(
    limits: Limits,
    outcomes: readonly Outcome[],
    key: string,
  ): Promise<Spent | undefined> {
    const left = leftOf(limits, outcomes)
    const unsure = outcomes.reduce((sum, outcome) => sum + outcome.unsure, 0)
    if (left.uses < 0 || left.bytes + unsure < 0 || left.files < 0) {
      this.#mistake(limits, `more was used: left is ${JSON.stringify(left)}`)
    }
    const deadline = performance.now() + SETTLED_WITHIN
    for (let before = ''; this.#mistakes.length === 0; await pause(20)) {
      const told = await Promise.all(this.#running.map((serve) => toldBy(serve, key)))
      const [first, second] = told.map((one) => JSON.stringify(one))
      const [now = left] = told
      const isRight =
        now.uses === left.uses &&
        now.files === left.files &&
        now.bytes >= left.bytes &&
        now.bytes <= Math.min(left.bytes + unsure, limits.bytes ?? Number.POSITIVE_INFINITY)
      if (isRight && first === second && first === before) return now
      before = first === second ? (first ?? '') : ''
      if (performance.now() < deadline) continue
      this.#mistake(limits, `left is ${JSON.stringify(left)}; they say ${first} and ${second}`)
    }
    return undefined
  }

  #mistake(limits: Limits, what: string): void {
    this.#mistakes.push(`a key of ${JSON.stringify(limits)}: ${what}`)
  }
}

function leftOf(limits: Limits, outcomes: readonly Outcome[]): Spent {
  const left = (name: keyof Spent): number =>
    outcomes.reduce((sum, { spent }) => sum - spent[name], limits[name] ?? Number.POSITIVE_INFINITY)
  return { uses: left('uses'), bytes: left('bytes'), files: left('files') }
}

/** A request that takes the same of everything each time, and how many of it there is room for. */
function filling({ uses, bytes, files }: Spent): readonly [Doing, number] {
  const isFile = Number.isFinite(files)
  const way = WAYS.find(({ name }) => name === (isFile ? 'create' : 'download')) as Doing
  const byUses = Math.min(uses, Math.floor(bytes / way.most.bytes))
  return [way, isFile ? Math.min(byUses, files) : byUses]
}

async function toldBy(serve: Serve, key: string): Promise<Spent> {
  const told = (await ask(`${serve.gateway}/-/key?vk=${key}`)).json()
  const left = (name: keyof Spent): number => told[name]?.left ?? Number.POSITIVE_INFINITY
  return { uses: left('uses'), bytes: left('bytes'), files: left('files') }
}

// ── by hand ───────────────────────────────────────────────────────────────────

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function report({
  trials,
  keys,
  counts,
  spent,
  mostAtOnce,
  mistakes,
}: ParallelLimitsResult): string {
  const sorted = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    `${trials} requests under ${keys} keys, up to ${mostAtOnce} at once, to two processes`,
    sorted.map(([what, count]) => `${what} ${count}`).join(' · '),
    `used: ${spent.uses} uses, ${spent.bytes} bytes, ${spent.files} files`,
    ...(mistakes.length === 0 ? ['mistakes: 0'] : mistakes.map((text) => `MISTAKE: ${text}`)),
  ].join('\n')
}

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const { values } = parseArgs({
    options: {
      trials: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      main: { type: 'string', default: existsSync(BUILT) ? BUILT : SOURCE },
    },
  })
  const [trials, seed] = [Number(values.trials), Number(values.seed)]
  console.log(`${trials} trials, seed ${seed}, ${values.main}`)
  const result = await parallelLimits({
    main: values.main,
    args: ['--log-level', 'warn'],
    trials,
    seed,
    onRound: (so) => {
      if (so.keys % 100 === 0) console.log(`\n${report(so)}`)
    },
  })
  console.log(`\n${report(result)}`)
  process.exitCode = result.mistakes.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
