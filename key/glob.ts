/**
 * Globs of the claim `match`: `*` any run without a slash, `**` any run, `?` one character that is
 * not a slash; everything else is itself. Works in time proportional to pattern × text, whatever
 * the pattern: a regular expression made from a stranger's pattern would not.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const symbols = symbolsOf(pattern)
  // reached[i]: the first i symbols match the text read so far
  let reached = stepOverStars(symbols, [true, ...symbols.map(() => false)])
  for (const character of text) {
    const next = reached.map(() => false)
    for (const [index, symbol] of symbols.entries()) {
      if (symbol === '**' || (symbol === '*' && character !== '/')) {
        // a star takes the character and stays
        next[index + 1] ||= (reached[index + 1] ?? false) || (reached[index] ?? false)
      } else if (
        reached[index] &&
        (symbol === character || (symbol === '?' && character !== '/'))
      ) {
        next[index + 1] = true
      }
    }
    reached = stepOverStars(symbols, next)
  }
  return reached[symbols.length] ?? false
}

const symbolsOf = (pattern: string): readonly string[] =>
  [...pattern.matchAll(/\*{2,}|[\s\S]/gu)].map(([symbol]) =>
    symbol.length > 1 && symbol[0] === '*' ? '**' : symbol,
  )

/** A star may match nothing. */
function stepOverStars(symbols: readonly string[], reached: boolean[]): boolean[] {
  for (const [index, symbol] of symbols.entries()) {
    if (reached[index] && (symbol === '*' || symbol === '**')) reached[index + 1] = true
  }
  return reached
}
