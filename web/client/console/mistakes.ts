/** What kind of mistake the issuer means: it says so in English, and by no code. */

export type MistakeKind = 'required' | 'longest' | 'past' | 'beside' | 'order' | 'value'

export interface Meant {
  readonly kind: MistakeKind
  /** of `longest`: the most, such as `4w2d` */
  readonly most?: string
}

const KINDS: readonly (readonly [RegExp, MistakeKind])[] = [
  [/^is required|^must not be empty|^must be text, /, 'required'],
  [/the longest life of a key is (?<most>\w+)/, 'longest'],
  [/must lie in the future/, 'past'],
  [/^can not stand beside/, 'beside'],
  [/^must not be larger than|^must be before/, 'order'],
]

/** @param message as `issuer/options.ts` words it */
export function meantBy(message: string): Meant {
  for (const [pattern, kind] of KINDS) {
    const match = pattern.exec(message)
    if (match === null) continue
    const most = match.groups?.most
    return { kind, ...(most !== undefined && { most }) }
  }
  return { kind: 'value' }
}
