/**
 * Checks of values that a stranger chose. A check says what is wrong with a value, and where in it;
 * a value in which `Check<T>` finds nothing wrong is a T. Asked of every claim of every key that is
 * verified, so a check that finds nothing allocates nothing.
 */

/** The first thing that is wrong. */
export interface Wrong {
  /** the member or entry that is meant; empty for the value itself */
  readonly at: readonly (string | number)[]
  /** what was expected, to be read after the name of the value: `is a list` */
  readonly expected: string
}

declare const type: unique symbol
export type Check<T> = ((value: unknown) => Wrong | undefined) & { readonly [type]?: T }
/** What a value is in which the check finds nothing wrong. */
export type Checked<C> = C extends Check<infer T> ? T : never

export const wrong = (expected: string, ...at: Wrong['at']): Wrong => ({ at, expected })

const within = (name: string | number, { at, expected }: Wrong): Wrong =>
  wrong(expected, name, ...at)

/** @param expected see {@link Wrong} */
export const value = <T>(is: (value: unknown) => boolean, expected: string): Check<T> => {
  const found = wrong(expected)
  return (value) => (is(value) ? undefined : found)
}

export const text = (is: (text: string) => boolean, expected: string): Check<string> =>
  value((text) => typeof text === 'string' && is(text), expected)

export const textLike = (pattern: RegExp, expected: string): Check<string> =>
  text((text) => pattern.test(text), expected)

/** Up to what is exact. */
export const wholeFrom = (least: number, expected: string): Check<number> =>
  value((number) => Number.isSafeInteger(number) && (number as number) >= least, expected)

export const oneOf = <const T>(values: readonly T[], expected: string): Check<T> =>
  value((value) => values.includes(value as T), expected)

export const listOf = <T>(entry: Check<T>, most: number): Check<T[]> => {
  const [noList, empty] = [wrong('is a list'), wrong('is not empty')]
  const tooLong = wrong(`has at most ${most} entries`)
  return (list) => {
    if (!Array.isArray(list)) return noList
    if (list.length === 0) return empty
    return list.length > most ? tooLong : wrongEntry(list, entry)
  }
}

/** A list of exactly two. */
export const pairOf = <T>(entry: Check<T>, expected: string): Check<[T, T]> => {
  const found = wrong(expected)
  return (pair) => (Array.isArray(pair) && pair.length === 2 ? wrongEntry(pair, entry) : found)
}

function wrongEntry<T>(list: readonly unknown[], entry: Check<T>): Wrong | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const found = entry(list[index])
    if (found !== undefined) return within(index, found)
  }
  return undefined
}

/** One or several: a list is taken for what it is a list of. */
export const oneOrListOf = <T>(entry: Check<T>, most: number, expected: string): Check<T | T[]> => {
  const [list, neither] = [listOf(entry, most), wrong(expected)]
  return (given) => {
    if (Array.isArray(given)) return list(given)
    return typeof given === 'string' ? entry(given) : neither
  }
}

/**
 * Holds also of the second, once the first holds.
 */
export const and = <T>(first: Check<T>, is: (value: T) => boolean, expected: string): Check<T> => {
  const found = wrong(expected)
  return (value) => first(value) ?? (is(value as T) ? undefined : found)
}

/** Members of an object, each with its check; members may be absent, and no others may be there. */
export type Members = Readonly<Record<string, Check<unknown>>>
export type ObjectOf<M extends Members> = {
  readonly [Name in keyof M]?: Checked<M[Name]> | undefined
}

/** @param unknown what to say of a member that has no check */
export function objectOf<M extends Members>(
  members: M,
  expected: string,
  unknown: string,
): Check<ObjectOf<M>> {
  // a Map: a stranger's `__proto__` or `constructor` is no member of it
  const checks = new Map(Object.entries(members))
  const noObject = wrong(expected)
  return (object) => {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return noObject
    for (const name of Object.keys(object)) {
      const stated = (object as Record<string, unknown>)[name]
      if (stated === undefined) continue
      const check = checks.get(name)
      if (check === undefined) return wrong(unknown, name)
      const found = check(stated)
      if (found !== undefined) return within(name, found)
    }
    return undefined
  }
}
