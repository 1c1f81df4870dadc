/** Media types and ranges, compared by essence: `text/plain; charset=utf-8` is `text/plain`. */

/** `type/subtype` in lower case; undefined for text that is no media type. */
export function essenceOf(mediaType: string): string | undefined {
  const [essence = ''] = mediaType.split(';', 1)
  const text = essence.trim().toLowerCase()
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(text) ? text : undefined
}

/** Whether a range such as `image/*` covers a media type. */
export function coversType(range: string, mediaType: string): boolean {
  const essence = essenceOf(mediaType)
  if (essence === undefined) return false
  const wanted = range.toLowerCase()
  if (wanted === '*/*') return true
  return wanted.endsWith('/*') ? essence.startsWith(wanted.slice(0, -1)) : essence === wanted
}

/** The ranges that both lists cover: of two that overlap, the narrower one. */
export const commonTypes = (
  ranges: readonly string[],
  others: readonly string[],
): readonly string[] => [
  ...new Set(
    ranges.flatMap((range) =>
      others.flatMap((other) => {
        if (coversRange(range, other)) return [other]
        return coversRange(other, range) ? [range] : []
      }),
    ),
  ),
]

const coversRange = (outer: string, inner: string): boolean =>
  outer === '*/*' || outer.toLowerCase() === inner.toLowerCase() || coversType(outer, inner)
