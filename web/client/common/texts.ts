/** The texts of the pages, in the language of the page; those that a page has no use for go when it is bundled. */
import { chosen } from './language.ts'
import * as de from './texts/de.ts'
import * as en from './texts/en.ts'
import * as zh from './texts/zh.ts'

export const common = /* @__PURE__ */ chosen({ en: en.common, de: de.common, zh: zh.common })
export const problems = /* @__PURE__ */ chosen({
  en: en.problems,
  de: de.problems,
  zh: zh.problems,
})
export const drop = /* @__PURE__ */ chosen({ en: en.drop, de: de.drop, zh: zh.drop })
