/** Limits, states and problems as people of a language read them. */
import type { KeyFacts } from '../common/ask.ts'
import type { IconName } from '../common/dom.ts'
import { atMost, count, duration, percent, size } from '../common/format.ts'
import { language } from '../common/language.ts'
import { drop, problems } from '../common/texts.ts'
import type { Item, Problem } from './item.ts'
import { foldersOf, type Limits } from './limits.ts'

const listed = new Intl.ListFormat(language, { type: 'conjunction' })

/** Of a key, what is asked of files before they are sent. */
export const limitsOf = (facts: KeyFacts): Limits => ({
  paths: facts.paths,
  match: facts.match ?? [],
  least: facts.size?.min ?? 0,
  most: Math.min(facts.size?.max ?? Number.POSITIVE_INFINITY, facts.maxObjectSize),
  types: facts.types ?? [],
  filesLeft: fewest(
    facts.files?.left,
    facts.uses?.left,
    foldersOf(facts).length > 0 ? undefined : 1,
  ),
  bytesLeft: facts.bytes?.left,
})

const fewest = (...stated: readonly (number | undefined)[]): number | undefined => {
  const known = stated.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

export interface LimitWords {
  readonly picture: IconName
  readonly words: string
}

/**
 * What to know before choosing files, a few words each.
 * @param limits as they are by now
 * @param isOne whether the page is for a single file
 */
export function limitWords(facts: KeyFacts, limits: Limits, isOne: boolean): readonly LimitWords[] {
  const { filesLeft, bytesLeft } = limits
  const { most, least } = isOne ? drop.one : drop
  const said: readonly (readonly [IconName, string | false])[] = [
    ['file', Number.isFinite(limits.most) && most(atMost(limits.most))],
    ['file', limits.least > 1 && least(size(limits.least, Math.ceil))],
    ['image', limits.types.length > 0 && drop.kinds(typeWords(limits.types))],
    ['text', limits.match.length > 0 && drop.named(listed.format(limits.match))],
    ['upload', filesLeft !== undefined && drop.filesLeft(filesLeft, count(filesLeft))],
    ['archive', bytesLeft !== undefined && drop.bytesLeft(atMost(bytesLeft))],
    ['lock', facts.sha256 !== undefined && drop.pinned],
    ['retry', facts.create !== true && drop.replaces],
  ]
  return said.flatMap(([picture, words]) => (words === false ? [] : [{ picture, words }]))
}

/** `images and PDF` for `image/*` and `application/pdf`. */
export const typeWords = (types: readonly string[]): string => {
  const known: Readonly<Record<string, string | undefined>> = drop.types
  return listed.format(types.map((type) => known[type] ?? endingOf(type)))
}

/** `PNG` for `image/png`; types that are known by nothing shorter stay as they are. */
const endingOf = (type: string): string => {
  const [, subtype = ''] = type.split('/')
  return /^[a-z0-9]{2,5}$/.test(subtype) ? subtype.toUpperCase() : type
}

export function problemWords(problem: Problem): string {
  const objection = objectionWords(problem)
  if (objection !== undefined) return objection
  const known: Readonly<Record<string, string | undefined>> = { ...problems, ...drop.problems }
  return known[problem.code] ?? problems.not_understood
}

function objectionWords(problem: Problem): string | undefined {
  if ('most' in problem) return drop.tooLarge(atMost(problem.most))
  if ('least' in problem) return drop.tooSmall(size(problem.least, Math.ceil))
  if ('types' in problem) return drop.wrongType(typeWords(problem.types))
  if ('match' in problem) return drop.wrongName(problem.match)
  if ('left' in problem) return drop.tooMuch(atMost(problem.left))
  return undefined
}

/** @param now on the clock of the queue, in milliseconds */
export function stateWords(item: Item, now: number): string {
  switch (item.state) {
    case 'chosen':
      return drop.chosen
    case 'waiting':
      return drop.waiting
    case 'uploading':
      return percent(shareOf(item))
    case 'paused':
      return drop.paused(percent(shareOf(item)))
    case 'retrying':
      return item.retryAt === undefined
        ? drop.waitingForNetwork
        : drop.retrying(duration(Math.max(1, Math.ceil((item.retryAt - now) / 1000))))
    case 'interrupted':
      return drop.interrupted
    case 'refused':
    case 'failed':
      return item.problem === undefined ? drop.failed : problemWords(item.problem)
    case 'done':
      return drop.arrivedOne
    case 'cancelled':
      return drop.cancelled
  }
}

/** From 0 to 1; of an empty file, whether it is there. */
export const shareOf = ({ sent, size, state }: Item): number =>
  size === 0 ? Number(state === 'done') : sent / size
