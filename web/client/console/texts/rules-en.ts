/** What policies and plans say, in the words of the command line. */
import { describe } from '../../../../key/inspect.ts'
import { describePlan } from '../../../../key/plan.ts'
import { secondsOf } from '../../../../key/units.ts'
import type { RuleWords } from '../rule-words.ts'

export const rules: RuleWords = {
  policy: (claims) => describe(claims, secondsOf(Date.now())),
  plan: describePlan,
}
