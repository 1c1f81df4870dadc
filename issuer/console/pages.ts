/** The console and the reference: two pages that hold nothing; their scripts ask the API. */
import type { HttpBindings } from '@hono/node-server'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { PAGE_HEADERS, type Page, renderPage } from '../../web/page.ts'
import { sendAsset } from '../../web/send.ts'

/** What is served here beside the API, all of it to be read. */
export const PAGE_PATHS = ['/', '/docs', '/assets/{file}'] as const

const PAGES: Readonly<Record<'/' | '/docs', Page>> = {
  '/': { name: 'console', title: 'valetkey' },
  '/docs': { name: 'reference', title: 'valetkey issuer: reference' },
}

/** Nothing but what the issuer itself sends: no frames, no plugins, no forms that go anywhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = { ...PAGE_HEADERS, 'Content-Security-Policy': POLICY }

export function addPages<E extends { Bindings: HttpBindings }>(app: OpenAPIHono<E>): void {
  for (const [path, page] of Object.entries(PAGES)) {
    app.get(path, async (c) => c.body(await renderPage(page), 200, HEADERS))
  }
  app.get('/assets/:file', async (c) => {
    const sent = await sendAsset(c.req.param('file') ?? '', c.req.header('accept-encoding'))
    return sent ?? c.notFound()
  })
}
