/** A listing for people: the page that a browser gets where a program gets JSON. */
import { html, raw } from 'hono/html'
import { visible } from '../../key/display.ts'
import { bytes, formatBytes, formatTime, type UnixSeconds } from '../../key/units.ts'
import { ICON } from '../../web/page.ts'
import type { Listing } from '../store/store.ts'
import { strictHeaders } from './strict.ts'

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --muted: #5b606d; }
body { background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th:nth-child(2) { width: 6rem; }
th:nth-child(3) { width: 12rem; }
th, td { text-align: start; padding: .4rem .5rem; border-bottom: 1px solid var(--line); }
td:first-child { overflow-wrap: anywhere; unicode-bidi: isolate; }
td a { white-space: break-spaces; }
th + th, td + td { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
a { color: #2f54d0; }
@media (prefers-color-scheme: dark) { :root { --muted: #a5abb9; } a { color: #8fadff; } }
p { color: var(--muted); }
@media (max-width: 40rem) { th:nth-child(3), td:nth-child(3) { display: none; } }
`

export const LISTING_HEADERS = strictHeaders(STYLE, 'private, no-store')

interface View {
  /** what each link carries on, so that the key that opened the page opens what it lists */
  readonly query: string
  /** whether the key opens the folder above as well */
  readonly hasParent: boolean
}

export async function listingPage(
  prefix: string,
  listing: Listing,
  { query, hasParent }: View,
): Promise<string> {
  const link = (path: string): string =>
    `${path.slice(prefix.length).split('/').map(encodeURIComponent).join('/')}${query}`
  const title = prefix === '' ? 'All buckets' : visible(prefix)
  const parent = hasParent
    ? html`<tr><td><a href="../${query}">../</a></td><td></td><td></td></tr>`
    : ''
  const folders = listing.prefixes.map(
    (path) =>
      html`<tr><td><a href="./${link(path)}">${visible(path.slice(prefix.length))}</a></td><td></td><td></td></tr>`,
  )
  const files = listing.objects.map(
    ({ path, size, modified }) => html`<tr>
<td><a href="./${link(path)}">${visible(path.slice(prefix.length))}</a></td>
<td>${formatBytes(bytes(size))}</td><td>${timeOf(modified)}</td></tr>`,
  )
  const empty = folders.length + files.length === 0
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title}</title><link rel="icon" href="${ICON}"><style>${raw(STYLE)}</style></head>
<body><main><h1>${title}</h1>
${
  empty && !hasParent
    ? ''
    : html`<table><thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Changed</th></tr></thead>
<tbody>${parent}${folders}${files}</tbody></table>`
}
${empty ? html`<p>Nothing here.</p>` : ''}
${listing.next === undefined ? '' : html`<p><a href="./${query}${query === '' ? '?' : '&'}after=${encodeURIComponent(listing.next)}">More</a></p>`}
</main></body></html>`
  return String(await page)
}

/** `2026-11-29 12:30 UTC`; to the second for programs. */
function timeOf(time: UnixSeconds): ReturnType<typeof html> {
  const exact = formatTime(time)
  return html`<time datetime="${exact}">${exact.replace(/T(\d\d:\d\d):.*$/, ' $1 UTC')}</time>`
}
