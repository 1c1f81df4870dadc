/** The texts of this page, in its language. */
import { chosen } from '../common/language.ts'
import { share as de } from '../common/texts/de.ts'
import { share as en } from '../common/texts/en.ts'
import { share as zh } from '../common/texts/zh.ts'

export const share = chosen({ en, de, zh })
