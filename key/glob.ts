/**
 * Globs of the claim `match`: `*` any run without a slash, `**` any run, `?` one character that is
 * not a slash; everything else is itself. Takes time proportional to pattern × text at most, whatever
 * the pattern: a regular expression made from a stranger's pattern would not.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const symbols = symbolsOf(pattern)
  // reached[i] is 1 where the first i symbols match the text read so far
  const reached = new Uint8Array(symbols.length + 1)
  reached[0] = 1
  stepOverStars(symbols, reached)
  for (const character of text) {
    if (!read(character, symbols, reached)) return false
  }
  return reached[symbols.length] === 1
}

/** Several stars in a row are one `**`. Characters are Unicode code points. */
const symbolsOf = (pattern: string): readonly string[] =>
  Array.from(pattern.matchAll(/\*+|[\s\S]/gu), ([symbol]) =>
    symbol.startsWith('**') ? '**' : symbol,
  )

const isStar = (symbol: string | undefined): boolean => symbol === '*' || symbol === '**'

const takes = (symbol: string | undefined, character: string): boolean =>
  symbol === character
    ? true
    : symbol === '**' || ((symbol === '*' || symbol === '?') && character !== '/')

/** Moves on by one character; false where nothing can match any more. */
function read(character: string, symbols: readonly string[], reached: Uint8Array): boolean {
  let alive = 0
  // from the right: each place still reads what its left neighbour was before this character
  for (let i = symbols.length; i > 0; i -= 1) {
    const symbol = symbols[i - 1]
    const before = isStar(symbol) ? reached[i] : reached[i - 1]
    reached[i] = before === 1 && takes(symbol, character) ? 1 : 0
    alive |= reached[i] ?? 0
  }
  reached[0] = 0
  stepOverStars(symbols, reached)
  return alive === 1
}

/** A star may match nothing. */
function stepOverStars(symbols: readonly string[], reached: Uint8Array): void {
  for (const [index, symbol] of symbols.entries()) {
    if (reached[index] === 1 && isStar(symbol)) reached[index + 1] = 1
  }
}
