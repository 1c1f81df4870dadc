/** The language of the page: the first of the browser's that there are texts in. */

const KNOWN = ['en', 'de', 'zh'] as const
export type Language = (typeof KNOWN)[number]

const ranked = navigator.languages.length > 0 ? navigator.languages : [navigator.language]
const stems = ranked.map((tag) => tag.slice(0, 2).toLowerCase())
const found = stems.find((stem): stem is Language => KNOWN.includes(stem as Language)) ?? 'en'

/** The tag that numbers and dates are written by: with its region, where the browser states one. */
export const language: string =
  ranked.find((tag) => tag.slice(0, 2).toLowerCase() === found) ?? found

document.documentElement.lang = language

/** One catalogue of every language; the page's. */
export const chosen = <T>(catalogues: Readonly<Record<Language, T>>): T => catalogues[found]
