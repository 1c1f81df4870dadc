/** Verifying keys, in one process and without a network. */
import type { Bench } from '../bench.ts'
import { figure, range } from '../figures.ts'
import { output } from '../process.ts'
import type { Row, Section } from '../row.ts'
import { spreadOf } from '../statistics.ts'

/** Microseconds a key. */
export interface Verifying {
  /** parse, HMAC, clear: of a key of one block */
  readonly pure: number
  /** the same of one that was narrowed twice */
  readonly narrowed: number
  /** and the ledger asked, of keys never seen before */
  readonly first: number
  /** of a key that is remembered */
  readonly again: number
}

export const VERIFY_ROW: Row = {
  name: 'verify',
  title: 'verifying a key, in process, microseconds of CPU each',
  run: async (bench) => {
    // a gateway's ledger, with something of each kind revoked
    await bench.ours()
    const [runs = []] = await verifyOn(bench, bench.path('ours/ledger.db'))
    const { median: value, least, most } = spreadOf(runs.map(({ pure }) => pure))
    return {
      table: verifyTable([['', runs]]),
      findings: [{ goal: 'verify', value, least, most }],
    } satisfies Section
  },
}

/** On each of the ledgers in turn; returns the runs of each. */
export async function verifyOn(
  bench: Bench,
  ...ledgers: readonly string[]
): Promise<readonly (readonly Verifying[])[]> {
  const runs: Verifying[][] = ledgers.map(() => [])
  for (let round = 0; round < bench.options.rounds; round += 1) {
    for (const [index, ledger] of ledgers.entries()) {
      const out = await output({
        program: process.execPath,
        args: [bench.work('verify'), ledger],
        core: bench.serverCore,
      })
      runs[index]?.push(JSON.parse(out) as Verifying)
    }
  }
  return runs
}

const STEPS = {
  pure: 'parse, HMAC, clear',
  narrowed: 'the same, narrowed twice',
  first: 'admitted, ledger asked, first seen',
  again: 'admitted, ledger asked, seen before',
} as const

/** @param ledgers what each is called, and the runs on it */
export function verifyTable(
  ledgers: readonly (readonly [name: string, runs: readonly Verifying[]])[],
): Section['table'] {
  const steps = Object.entries(STEPS) as [keyof Verifying, string][]
  return {
    columns: ['', ...ledgers.flatMap(([name]) => [`${name} µs`.trim(), 'min–max'])],
    lines: steps.map(([step, words]) => [
      words,
      ...ledgers.flatMap(([, runs]) => {
        const spread = spreadOf(runs.map((run) => run[step]))
        return [figure(spread.median), range(spread)]
      }),
    ]),
  }
}
