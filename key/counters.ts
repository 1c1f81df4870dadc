/**
 * What of a grant is counted or paced, rather than asked once: how often, how much, how fast. Each
 * is known by an id of its own, on which whoever keeps count adds up.
 */
import type { Block, Claim } from './claims.ts'
import type { Grant } from './sign.ts'
import type { UnixSeconds } from './units.ts'

/** What is counted on an id, and the most that it may come to. */
export interface Counter {
  readonly id: string
  readonly most: number
}

/** A counter that may be forgotten once no key that it is for is honoured any more; absent: never. */
export interface EndingCounter extends Counter {
  readonly until?: UnixSeconds
}

/** Bytes a second, shared by all transfers under an id. */
export interface Rate {
  readonly id: string
  readonly rate: number
}

export interface Counters {
  readonly uses: readonly Counter[]
  /** bytes of content, both ways */
  readonly bytes: readonly EndingCounter[]
  /** objects that were not there before */
  readonly files: readonly EndingCounter[]
  readonly rates: readonly Rate[]
  readonly plans: readonly PlanName[]
}

/** A usage plan that a block names. */
export interface PlanName {
  readonly name: string
  /**
   * Whoever narrows a key names plans and subjects freely, and must not use up those of others: what
   * they state is counted for their own key, which is known by this id.
   */
  readonly narrowedTo?: string
}

const known = new WeakMap<Grant, { readonly counters: Counters | undefined }>()

/** Undefined where nothing is counted or paced. What a grant states never changes, so it is asked once. */
export function countersOf(grant: Grant): Counters | undefined {
  const there = known.get(grant)
  if (there !== undefined) return there.counters
  const counters = found(grant)
  known.set(grant, { counters })
  return counters
}

const COUNTED = ['uses', 'bytes', 'files', 'rate', 'plan'] as const satisfies readonly Claim[]

function found({ blocks, stated }: Grant): Counters | undefined {
  if (blocks.every((block) => COUNTED.every((claim) => block[claim] === undefined)))
    return undefined
  return {
    uses: counted(blocks, 'uses').map(({ id, most }) => ({ id, most })),
    bytes: counted(blocks, 'bytes').map((counter) => ({ ...counter, id: `bytes:${counter.id}` })),
    files: counted(blocks, 'files').map((counter) => ({ ...counter, id: `files:${counter.id}` })),
    rates: blocks.flatMap(({ rate }, index) =>
      rate === undefined ? [] : [{ id: keptUnder(blocks, index), rate }],
    ),
    plans: blocks.flatMap(({ plan }, index) =>
      plan === undefined ? [] : [{ name: plan, ...narrowedAt(blocks, index, stated) }],
    ),
  }
}

const counted = (
  blocks: readonly Block[],
  claim: 'uses' | 'bytes' | 'files',
): readonly EndingCounter[] =>
  blocks.flatMap((block, index) => {
    const most = block[claim]
    if (block.jti === undefined || most === undefined) return []
    return [{ id: keptUnder(blocks, index), most, ...endAt(blocks, index) }]
  })

/**
 * What the ledger keeps of a block is kept under its `jti`, where it is a ceiling or block 0; that
 * of a later block under every `jti` from block 0 to it, joined by slashes: whoever narrows a key
 * chooses ids freely, and must not reach what is kept of others by that.
 */
export const keptUnder = (blocks: readonly Block[], index: number): string =>
  chainTo(blocks, index)
    .flatMap(({ jti }) => jti ?? [])
    .join('/')

/** A ceiling, block 0 and stored policies are the owner's word. */
function narrowedAt(
  blocks: readonly Block[],
  index: number,
  stated: Grant | undefined,
): Pick<PlanName, 'narrowedTo'> {
  const isPolicy = stated !== undefined && index >= stated.blocks.length
  const isNarrowing = chainTo(blocks, index).length > 1
  return isNarrowing && !isPolicy ? { narrowedTo: keptUnder(blocks, index) } : {}
}

/** When every key with this block has ended: a ceiling has no end. */
function endAt(blocks: readonly Block[], index: number): Pick<EndingCounter, 'until'> {
  const ends = chainTo(blocks, index).flatMap(({ exp }) => exp ?? [])
  return ends.length === 0 ? {} : { until: Math.min(...ends) as UnixSeconds }
}

/** The blocks of the key down to this one; of a ceiling, which stands before the key, it alone. */
function chainTo(blocks: readonly Block[], index: number): readonly Block[] {
  const first = Math.max(
    0,
    blocks.findIndex(({ kid }) => kid !== undefined),
  )
  return blocks.slice(Math.min(first, index), index + 1)
}

/** Counters of uses, with the most that each allows. */
export const countedUses = (grant: Grant): readonly Counter[] => countersOf(grant)?.uses ?? []
