/** Pages without any script: what they may load is their own style and an icon, and nothing else. */
import { createHash } from 'node:crypto'
import type { FlatHeaders } from '../exchange.ts'

/** @param style all of the page's, as it stands between its tags */
export function strictHeaders(style: string, caching: string): FlatHeaders {
  const hash = createHash('sha256').update(style).digest('base64')
  return [
    'Content-Type',
    'text/html; charset=utf-8',
    'Cache-Control',
    caching,
    'Content-Security-Policy',
    `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'no-referrer',
  ]
}

/** Whether HTML is asked for before JSON: a browser does, a program does not. */
export const wantsHtml = (accept: string | undefined): boolean => {
  const html = accept?.search(/\btext\/html\b/i) ?? -1
  const json = accept?.search(/\bapplication\/json\b/i) ?? -1
  return html !== -1 && (json === -1 || html < json)
}
