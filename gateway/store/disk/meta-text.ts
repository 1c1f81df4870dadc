/** How `meta` stands in the index: as JSON, with runs of equal part sizes written once. */
import type { ObjectMeta } from '../store.ts'

type Run = readonly [count: number, size: number]

type Kept = Omit<ObjectMeta, 'partSizes'> & { readonly partRuns?: readonly Run[] }

/** Null where there is nothing to keep: the row then says so at no cost. */
export function textOf(meta: ObjectMeta | undefined): string | null {
  if (meta === undefined) return null
  const { partSizes, ...rest } = meta
  const kept: Kept = partSizes === undefined ? rest : { ...rest, partRuns: runsOf(partSizes) }
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept)
}

export function metaOf(text: string): ObjectMeta {
  const { partRuns, ...rest } = JSON.parse(text) as Kept
  if (partRuns === undefined) return rest
  return { ...rest, partSizes: partRuns.flatMap(([count, size]) => Array(count).fill(size)) }
}

function runsOf(sizes: readonly number[]): readonly Run[] {
  const runs: Run[] = []
  for (const size of sizes) {
    const last = runs.at(-1)
    if (last?.[1] === size) runs[runs.length - 1] = [last[0] + 1, size]
    else runs.push([1, size])
  }
  return runs
}
