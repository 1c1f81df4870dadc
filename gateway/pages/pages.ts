/** The pages for people, and what they are made of. */
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { type Asset, assetOf } from '../../web/assets.ts'
import { PAGE_HEADERS, type Page, renderPage } from '../../web/page.ts'

const PAGES: readonly Page[] = [
  { name: 'share', title: 'Shared files' },
  { name: 'drop', title: 'Send files' },
]

/** A file of this name never changes: another content has another name. */
const FOREVER = 'public, max-age=31536000, immutable'

export function addPages(ours: Hono<{ Bindings: HttpBindings }>): void {
  for (const page of PAGES) {
    ours.get(`/-/${page.name}`, async (c) => c.body(await renderPage(page), 200, PAGE_HEADERS))
  }
  ours.get('/-/assets/:file', async (c) => {
    const asset = await assetOf(c.req.param('file'))
    return asset === undefined ? c.notFound() : sendAsset(c, asset)
  })
}

function sendAsset(c: Context, asset: Asset): Response {
  const [coding, bytes] = encoded(asset, c.req.header('accept-encoding') ?? '')
  return c.body(new Uint8Array(bytes), 200, {
    'Content-Type': asset.type,
    'Cache-Control': FOREVER,
    'Content-Length': String(bytes.length),
    Vary: 'Accept-Encoding',
    'Cross-Origin-Resource-Policy': 'same-origin',
    ...(coding !== undefined && { 'Content-Encoding': coding }),
  })
}

/** RFC 9110 §12.5.3: a coding with the weight 0 is not acceptable. */
function encoded(asset: Asset, accepted: string): readonly [string | undefined, Buffer] {
  const takes = (coding: string): boolean =>
    new RegExp(`(?:^|,)\\s*${coding}\\s*(?:,|$|;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$)))`, 'i').test(
      accepted,
    )
  if (takes('br')) return ['br', asset.brotli]
  if (takes('gzip')) return ['gzip', asset.gzip]
  return [undefined, asset.bytes]
}
