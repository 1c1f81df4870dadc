/** A part of a blob, by its row in the index. */
export interface Slice {
  readonly blob: number
  readonly start: number
  readonly length: number
}

/** An object or part would be of more pieces than anybody has a use for. */
export interface TooManyPieces {
  readonly done: false
  readonly failed: 'too_many_pieces'
}

export const TOO_MANY_PIECES: TooManyPieces = { done: false, failed: 'too_many_pieces' }

/** What a range of the concatenation of pieces consists of. */
export function sliced(
  pieces: readonly Slice[],
  range: { readonly start: number; readonly length: number },
): readonly Slice[] {
  const end = range.start + range.length
  const slices: Slice[] = []
  let offset = 0
  for (const { blob, start, length } of pieces) {
    const from = Math.max(range.start, offset)
    const below = Math.min(end, offset + length)
    if (from < below) slices.push({ blob, start: start + from - offset, length: below - from })
    offset += length
  }
  return slices
}
