/**
 * Globs of the claim `match`: `*` any run without a slash, `**` any run, `?` one character that is
 * not a slash; everything else is itself. Characters are Unicode code points.
 *
 * All ways to match are followed at once, as bits of one number, so that the time is proportional
 * to the text whatever the pattern: a regular expression made from a stranger's pattern would not be.
 */
interface Glob {
  /** bit i is set where symbol i is this character */
  readonly literals: ReadonlyMap<string, bigint>
  /** where symbol i is `?` */
  readonly singles: bigint
  /** where symbol i is `*` or `**` */
  readonly stars: bigint
  /** where symbol i is `**` */
  readonly deep: bigint
  /** the bit behind the last symbol */
  readonly end: bigint
}

export function matchesGlob(pattern: string, text: string): boolean {
  const { literals, singles, stars, deep, end } = compile(pattern)
  // bit i of `reached` is set where the first i symbols match the text read so far
  let reached = skipStars(1n, stars)
  for (const character of text) {
    const isSlash = character === '/'
    const literal = literals.get(character) ?? 0n
    const stays = reached & (isSlash ? deep : stars)
    const moves = reached & (isSlash ? literal : literal | singles)
    reached = skipStars(stays | (moves << 1n), stars)
    if (reached === 0n) return false
  }
  return (reached & end) !== 0n
}

/** A star may match nothing; two never stand side by side. */
const skipStars = (reached: bigint, stars: bigint): bigint => reached | ((reached & stars) << 1n)

function compile(pattern: string): Glob {
  const literals = new Map<string, bigint>()
  let [singles, stars, deep, bit] = [0n, 0n, 0n, 1n]
  // several stars in a row are one `**`
  for (const [symbol] of pattern.matchAll(/\*+|[\s\S]/gu)) {
    if (symbol === '?') singles |= bit
    else if (symbol.startsWith('*')) stars |= bit
    else literals.set(symbol, (literals.get(symbol) ?? 0n) | bit)
    if (symbol.startsWith('**')) deep |= bit
    bit <<= 1n
  }
  return { literals, singles, stars, deep, end: bit }
}
