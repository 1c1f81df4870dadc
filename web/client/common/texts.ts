/** The texts that both pages have, in the language of the page. */
import { chosen } from './language.ts'
import * as de from './texts/de.ts'
import * as en from './texts/en.ts'
import * as zh from './texts/zh.ts'

export const common = chosen({ en: en.common, de: de.common, zh: zh.common })
export const problems = chosen({ en: en.problems, de: de.problems, zh: zh.problems })
export const drop = chosen({ en: en.drop, de: de.drop, zh: zh.drop })
