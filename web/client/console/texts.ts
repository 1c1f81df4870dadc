/** The texts of this page, in its language. */
import { chosen } from '../common/language.ts'
import { text as de } from './texts/de.ts'
import { text as en } from './texts/en.ts'
import { rules as rulesDe } from './texts/rules-de.ts'
import { rules as rulesEn } from './texts/rules-en.ts'
import { rules as rulesZh } from './texts/rules-zh.ts'
import { text as zh } from './texts/zh.ts'

export const text = chosen<typeof en>({ en, de, zh })
export const rules = chosen({ en: rulesEn, de: rulesDe, zh: rulesZh })
