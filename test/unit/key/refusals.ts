import { Refusal, type RefusalCode } from '../../../key/refusal.ts'

/** The code with which something is refused; undefined where it is done. Other errors pass through. */
export function codeOf(act: () => unknown): RefusalCode | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}
