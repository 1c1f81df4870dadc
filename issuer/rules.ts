/** Stored policies and usage plans: what people write of them, kept and changed while keys are in use. */

import { isId } from '../key/claims.ts'
import type { Plan } from '../key/plan.ts'
import { COUNTED_PER, PERIODS } from '../key/plan.ts'
import { parsePolicy } from '../key/policy.ts'
import { Refusal } from '../key/refusal.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { RuleKind, RuleOf, Rules } from '../ledger/ledger.ts'
import { randomId } from './mint.ts'
import { countOf, isObject, sizeOf, textOf } from './option-values.ts'
import { type Mistake, OptionsError, restrictionsFrom } from './options.ts'

export interface RulesContext {
  readonly ledger: Rules
  readonly now: UnixSeconds
}

/**
 * In force when it resolves, in other processes within a second.
 * @param options restrictions, as of a narrower key
 * @throws OptionsError; Refusal key_malformed for what does not belong into a policy
 */
export async function setPolicy(
  name: string,
  options: unknown,
  { ledger, now }: RulesContext,
): Promise<RuleOf<'policy'>> {
  const claims = parsePolicy(restrictionsFrom(options, { now, id: randomId() }))
  const rule = { kind: 'policy', name: checkedName(name), claims, changedAt: now } as const
  await ledger.setRule(rule)
  return rule
}

/** @throws OptionsError with every mistake */
export async function setPlan(
  name: string,
  options: unknown,
  { ledger, now }: RulesContext,
): Promise<RuleOf<'plan'>> {
  const plan = planFrom(options)
  const rule = { kind: 'plan', name: checkedName(name), plan, changedAt: now } as const
  await ledger.setRule(rule)
  return rule
}

/** @throws Refusal resource_not_found */
export async function showRule<Kind extends RuleKind>(
  kind: Kind,
  name: string,
  { ledger }: Pick<RulesContext, 'ledger'>,
): Promise<RuleOf<Kind>> {
  const rule = await ledger.rule(kind, name)
  if (rule !== undefined) return rule
  throw new Refusal('resource_not_found', `there is no ${kind} "${name}"`)
}

/** Keys that name it are refused from now on. @throws Refusal resource_not_found */
export async function removeRule(
  kind: RuleKind,
  name: string,
  { ledger }: Pick<RulesContext, 'ledger'>,
): Promise<void> {
  if (await ledger.removeRule(kind, name)) return
  throw new Refusal('resource_not_found', `there is no ${kind} "${name}"`)
}

function checkedName(name: string): string {
  if (isId(name)) return name
  throw new OptionsError([{ option: 'name', message: 'must be 1 to 64 of A-Z a-z 0-9 _ -' }])
}

/** A plan, as people write it. */
export interface PlanOptions {
  /** requests in a time: `10/s`, `600/m`, `1000/h` */
  readonly rate?: string
  /** requests that may come at once; as many as the rate has unless stated */
  readonly burst?: number | string
  /** requests of a period */
  readonly requests?: number | string
  /** of content in a period: `1GiB`, or bytes */
  readonly bytes?: number | string
  /** `day`, `week` or `month`; day unless stated */
  readonly period?: string
  /** `key`, `subject` or `signing-key`; key unless stated */
  readonly per?: string
}

const SECONDS = { s: 1, m: 60, h: 3600 } as const

function rateOf(value: unknown): NonNullable<Plan['rate']> {
  const [, count, unit] = /^([1-9]\d{0,8})\/([smh])$/.exec(textOf(value)) ?? []
  if (count !== undefined) {
    return { requests: Number(count), seconds: SECONDS[unit as keyof typeof SECONDS] }
  }
  throw new RangeError('must be requests in a second, minute or hour: 10/s, 600/m, 1000/h')
}

const oneOf =
  <const T extends string>(words: readonly T[]) =>
  (value: unknown): T => {
    const found = words.find((word) => word === value)
    if (found !== undefined) return found
    throw new RangeError(`must be one of ${words.join(', ')}`)
  }

const READERS = {
  rate: rateOf,
  burst: countOf,
  requests: countOf,
  bytes: sizeOf,
  period: oneOf(PERIODS),
  per: oneOf(COUNTED_PER),
} as const satisfies { readonly [O in keyof Required<PlanOptions>]: (value: unknown) => unknown }

type Values = { -readonly [O in keyof typeof READERS]?: ReturnType<(typeof READERS)[O]> }

/** @throws OptionsError with every mistake */
export function planFrom(options: unknown): Plan {
  if (!isObject(options)) {
    throw new OptionsError([{ option: 'plan', message: 'must be an object' }])
  }
  const values: Values = {}
  const mistakes: Mistake[] = []
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    const mistake = readInto(values, option, value)
    if (mistake !== undefined) mistakes.push({ option, message: mistake })
  }
  const { rate, burst, requests, bytes, period = 'day', per = 'key' } = values
  const isQuota = requests !== undefined || bytes !== undefined
  if (mistakes.length === 0 && rate === undefined && !isQuota) {
    mistakes.push({ option: 'rate', message: 'is required, or requests, or bytes' })
  }
  if (burst !== undefined && rate === undefined && mistakes.length === 0) {
    mistakes.push({ option: 'burst', message: 'needs a rate beside it' })
  }
  if (mistakes.length > 0) throw new OptionsError(mistakes)
  const quota = { ...(requests && { requests }), ...(bytes && { bytes }), period }
  return { ...(rate && { rate }), ...(burst && { burst }), ...(isQuota && { quota }), per }
}

/** What is wrong with it; undefined where nothing is. */
function readInto(values: Values, option: string, value: unknown): string | undefined {
  if (!Object.hasOwn(READERS, option)) {
    return `is not known; a plan has ${Object.keys(READERS).join(', ')}`
  }
  try {
    const read = READERS[option as keyof typeof READERS](value)
    Object.assign(values, { [option]: read })
    return option === 'bytes' && read === 0 ? 'must be at least 1' : undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}
