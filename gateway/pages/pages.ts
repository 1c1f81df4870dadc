/** The pages for people, and what they are made of. */
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { PAGE_HEADERS, type Page, renderPage } from '../../web/page.ts'
import { sendAsset } from '../../web/send.ts'

const PAGES: readonly Page[] = [
  { name: 'share', title: 'Shared files' },
  { name: 'drop', title: 'Send files' },
]

export function addPages(ours: Hono<{ Bindings: HttpBindings }>): void {
  for (const page of PAGES) {
    ours.get(`/-/${page.name}`, async (c) => c.body(await renderPage(page), 200, PAGE_HEADERS))
  }
  ours.get('/-/assets/:file', async (c) => {
    const sent = await sendAsset(c.req.param('file'), c.req.header('accept-encoding'))
    return sent ?? c.notFound()
  })
}
