/** Media types and ranges, compared by essence: `text/plain; charset=utf-8` is `text/plain`. */

const TOKEN = "[\\w!#$%&'*+.^`|~-]+"
/** RFC 9110 §5.6.4, without the controls that no header holds. */
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"'

/**
 * RFC 9110 §8.3.1 and §5.6.6: "parameters = *( OWS ";" OWS [ parameter ] )", held to in full: after a
 * comma, browsers read another type, and that is the one they go by. No text can be read in two ways,
 * so that it takes one pass, however long it is.
 */
const MEDIA_TYPE = new RegExp(
  `^[ \\t]*([\\w!#$&^.+-]+/[\\w!#$&^.+-]+)(?:[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|${QUOTED}))?)*[ \\t]*$`,
)

const LONGEST = 256

/** Whether an object can be stored as of this type. */
export const isMediaType = (text: string): boolean =>
  text.length <= LONGEST && MEDIA_TYPE.test(text)

/** `type/subtype` in lower case; undefined for text that is no media type. */
export const essenceOf = (mediaType: string): string | undefined =>
  MEDIA_TYPE.exec(mediaType)?.[1]?.toLowerCase()

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
