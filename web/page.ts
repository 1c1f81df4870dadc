/** Pages for people: a shell that the server renders, a script that does the rest, a strict policy. */
import { html, raw } from 'hono/html'
import { fileOf } from './assets.ts'

export interface Page {
  /** of the script and the style sheet: `share` */
  readonly name: string
  /** until the script knows a better one */
  readonly title: string
}

/**
 * Nothing from elsewhere, nothing inline. `blob:` and `data:` are what the page itself made: a
 * preview of bytes that it fetched with the key in a header.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  'frame-src blob:',
  // what a browser's own reader of PDF counts as
  'object-src blob:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'X-Robots-Tag': 'noindex, nofollow',
}

/** A key, small enough to stand in the page itself. */
export const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%233b5bdb'/%3E%3Ccircle cx='12' cy='16' r='5' fill='none' stroke='white' stroke-width='3'/%3E%3Cpath d='M17 16h9m-3 0v5' stroke='white' stroke-width='3' fill='none' stroke-linecap='round'/%3E%3C/svg%3E"

/** Why each page needs its script, for whoever has turned scripts off: the server knows no language. */
const NEEDS: Readonly<Record<string, Readonly<Record<'en' | 'de' | 'zh', string>>>> = {
  share: {
    en: 'This page needs JavaScript: the key stays in your browser, and only a script can use it.',
    de: 'Diese Seite braucht JavaScript: Der Schlüssel bleibt in Ihrem Browser, und nur ein Skript kann ihn benutzen.',
    zh: '此页面需要 JavaScript：密钥只保存在您的浏览器中，只有脚本才能使用它。',
  },
  drop: {
    en: 'Sending files needs JavaScript: the key stays in your browser, and only a script can use it.',
    de: 'Zum Senden von Dateien braucht es JavaScript: Der Schlüssel bleibt in Ihrem Browser, und nur ein Skript kann ihn benutzen.',
    zh: '发送文件需要 JavaScript：密钥只保存在您的浏览器中，只有脚本才能使用它。',
  },
  console: {
    en: 'The console needs JavaScript. What it does, the command line does as well: valetkey --help.',
    de: 'Die Konsole braucht JavaScript. Was sie tut, tut auch die Kommandozeile: valetkey --help.',
    zh: '控制台需要 JavaScript。命令行也能完成同样的操作：valetkey --help。',
  },
  reference: {
    en: 'The reference needs JavaScript. What it is made of is in openapi.json, beside this page.',
    de: 'Die Referenz braucht JavaScript. Woraus sie besteht, steht in openapi.json, neben dieser Seite.',
    zh: '此参考文档需要 JavaScript。其内容来自同一目录下的 openapi.json。',
  },
}

const needOf = (name: string): string =>
  Object.entries(NEEDS[name] ?? {})
    .map(([language, sentence]) => `<p class="noscript" lang="${language}">${sentence}</p>`)
    .join('')

/** Names in it are relative, so that they hold whatever path a proxy leaves in front. */
export async function renderPage({ name, title }: Page): Promise<string> {
  const [style, script] = await Promise.all([fileOf(`${name}.css`), fileOf(`${name}.js`)])
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="assets/${style}">
<script type="module" src="assets/${script}"></script>
</head>
<body>
<main id="page"></main>
<noscript>${raw(needOf(name))}</noscript>
</body>
</html>
`
  return String(await page)
}
