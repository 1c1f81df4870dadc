/** A refusal for people: the page that a browser gets where a program gets problem details. */
import type { Refusal } from '../../key/refusal.ts'
import { refusalWords as en, parted, type RefusalWords } from '../../key/refusal-words.ts'
import { refusalWords as de } from '../../key/refusal-words-de.ts'
import { refusalWords as zh } from '../../key/refusal-words-zh.ts'
import { ICON } from '../../web/page.ts'
import type { FlatHeaders } from '../exchange.ts'
import { strictHeaders } from './strict.ts'

const STYLE = `
:root { color-scheme: light dark; --back: #f4f5f8; --card: #fff; --text: #1a1c22; --muted: #5b606d; --line: #dfe2ea; --sign: #7a4d00; --soft: #fdf0d9; }
@media (prefers-color-scheme: dark) { :root { --back: #101115; --card: #1a1c22; --text: #eceef3; --muted: #a5abb9; --line: #2d313b; --sign: #f0c070; --soft: #35270d; } }
body { margin: 0; padding: clamp(1rem, 14vh, 8rem) 1rem 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; text-align: center; overflow-wrap: anywhere; }
main { box-sizing: border-box; width: min(100%, 27rem); margin: 0 auto; padding: clamp(1.5rem, 6vw, 2.5rem); border: 1px solid var(--line); border-radius: 16px; background: var(--card); }
svg { box-sizing: border-box; width: 4rem; padding: 1.0625rem; border-radius: 50%; background: var(--soft); fill: none; stroke: var(--sign); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
h1 { margin: .75rem 0; font-size: clamp(1.3rem, 4.5vw, 1.7rem); line-height: 1.25; text-wrap: balance; }
p { margin: .75rem 0 0; }
small { display: block; margin-top: 1.5rem; color: var(--muted); font-size: .8125rem; }
`

/** Neither of a key's holder nor of an object is there anything in it that a cache could keep. */
export const REFUSAL_PAGE_HEADERS: FlatHeaders = [
  ...strictHeaders(STYLE, 'no-store'),
  'Vary',
  'Accept, Accept-Language',
]

const LANGUAGES: ReadonlyMap<string, RefusalWords> = new Map([
  ['en', en],
  ['de', de],
  ['zh', zh],
])

/**
 * Nothing in it comes from outside: sentences and codes are of closed tables, the id is ours.
 * @param accepted as in Accept-Language
 */
export function refusalPage({ code }: Refusal, requestId: string, accepted = ''): string {
  const language = languageOf(accepted)
  const words: Readonly<Record<string, string | undefined>> = LANGUAGES.get(language) ?? en
  const [matter, advice] = parted(words[code] ?? words.not_understood ?? '')
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${matter}</title><link rel="icon" href="${ICON}"><style>${STYLE}</style></head>
<body><main><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4l9 16H3zM12 10v4M12 17h.01"/></svg>
<h1>${matter}</h1>${advice === '' ? '' : `<p>${advice}</p>`}
<small>${code} · ${requestId}</small></main></body></html>
`
}

/** The one that is liked best of those that there are words in; English where none is. */
function languageOf(accepted: string): string {
  const ranked = accepted.split(',').map((range) => {
    const [, stem = '', quality = '1'] =
      /^\s*([a-z]+)[\w-]*\s*(?:;\s*q=([\d.]+))?\s*$/i.exec(range) ?? []
    return { stem: stem.toLowerCase(), quality: Number(quality) }
  })
  const known = ranked.filter(({ stem, quality }) => LANGUAGES.has(stem) && quality > 0)
  return known.toSorted((a, b) => b.quality - a.quality)[0]?.stem ?? 'en'
}
