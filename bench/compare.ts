/**
 * Contenders under the same load in turn: A B C, A B C, … A machine that becomes slower meanwhile
 * becomes so for all of them, and ratios within a round still hold.
 */
import type { Program } from './process.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** What of a program is measured; of several that serve together, the sum. */
export type Measured = Pick<Program, 'cpu' | 'resident'>

export interface Contender {
  readonly name: string
  /**
   * `anchor`: we are held against the best of these; `floor`: does the least that a Node program can;
   * `other`: shown beside
   */
  readonly role: 'ours' | 'anchor' | 'floor' | 'other'
  readonly program: Measured
}

export interface Sample {
  /** microseconds of CPU, user and system, per request */
  readonly cpu: number
  /** requests a second */
  readonly rate: number
  /** milliseconds; absent where single requests were not timed */
  readonly p50?: number
  readonly p99?: number
}

export interface Series<C extends Contender = Contender> {
  readonly contender: C
  readonly samples: readonly Sample[]
  /** bytes resident after the last run */
  readonly resident: number
}

/** One run of each first, unrecorded: caches fill, compilers compile. */
export async function interleaved<C extends Contender>(
  contenders: readonly C[],
  rounds: number,
  run: (contender: C) => Promise<Sample>,
): Promise<readonly Series<C>[]> {
  const samples = new Map<C, Sample[]>(contenders.map((contender) => [contender, []]))
  for (const contender of contenders) await run(contender)
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) samples.get(contender)?.push(await run(contender))
  }
  return contenders.map((contender) => ({
    contender,
    samples: samples.get(contender) ?? [],
    resident: contender.program.resident(),
  }))
}

/** Which number of a sample counts. */
export type Measure = (sample: Sample) => number

export const byCpu: Measure = ({ cpu }) => cpu
export const byRate: Measure = ({ rate }) => rate

/** The one over the other, round by round. */
export function ratioOf(over: Series, under: Series, measure: Measure): Spread {
  return spreadOf(
    over.samples.map((sample, round) => {
      const other = under.samples[round]
      return other === undefined ? Number.NaN : measure(sample) / measure(other)
    }),
  )
}

export const spreadBy = ({ samples }: Series, measure: Measure): Spread =>
  spreadOf(samples.map(measure))

export const ours = (all: readonly Series[]): Series | undefined =>
  all.find(({ contender }) => contender.role === 'ours')

/** The anchor that uses least CPU; undefined where none was found. */
export function bestAnchor(all: readonly Series[]): Series | undefined {
  const anchors = all.filter(({ contender }) => contender.role === 'anchor')
  return anchors.sort((a, b) => spreadBy(a, byCpu).median - spreadBy(b, byCpu).median)[0]
}
