/** What every page has to be, whatever it shows: quiet, strict, cached, below any path. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { startChromium } from './support/chromium.ts'
import { visit } from './support/visitor.ts'

let house: House
let browser: Browser

beforeAll(async () => {
  ;[house, browser] = await Promise.all([
    openHouse({ gateway: { basePath: '/files' } }),
    startChromium(),
  ])
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

const PAGES = ['share', 'drop'] as const

describe.each(PAGES)('the %s page', (name) => {
  test('opens, also below a path of a proxy, with nothing from elsewhere', async () => {
    for (const base of ['', '/files']) {
      const visitor = await visit(browser)
      await visitor.page.goto(`${house.gateway.url}${base}/-/${name}`)
      await visitor.page.locator('main :first-child').first().waitFor()
      expect(visitor.complaints).toEqual([])
      expect(visitor.requests.filter((url) => /^https?:/.test(url))).toEqual([
        expect.stringMatching(new RegExp(`^${house.gateway.url}${base}/-/${name}$`)),
        ...['css', 'js'].map((kind) =>
          expect.stringMatching(
            new RegExp(`^${house.gateway.url}${base}/-/assets/${name}-[\\w-]{12}\\.${kind}$`),
          ),
        ),
      ])
      await visitor.close()
    }
  })

  test('weighs at most 40 KiB, everything included', async () => {
    const page = await ask(`${house.gateway.url}/-/${name}`)
    const assets = page.text().match(/assets\/[\w.-]+/g) ?? []
    expect(assets).toHaveLength(2)
    const answers = await Promise.all(
      assets.map((asset) =>
        ask(`${house.gateway.url}/-/${asset}`, { headers: { 'accept-encoding': 'br' } }),
      ),
    )
    const bytes = [page, ...answers].reduce((sum, { body }) => sum + body.length, 0)
    expect(bytes).toBeLessThanOrEqual(40 * 1024)
  })

  test('states a policy without anything inline, and is not kept by caches', async () => {
    const page = await ask(`${house.gateway.url}/-/${name}`)
    expect(page.status).toBe(200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.headers['cache-control']).toBe('no-cache')
    expect(page.headers['referrer-policy']).toBe('no-referrer')
    const policy = page.headers['content-security-policy']
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
    expect(policy).not.toContain('unsafe')
    expect(page.text()).not.toMatch(/<style|<script(?! type="module" src=)| style=| on[a-z]+=/)
  })
})

describe('assets', () => {
  const assetUrl = async (): Promise<string> => {
    const page = await ask(`${house.gateway.url}/-/share`)
    return `${house.gateway.url}/-/${/assets\/share-[\w-]+\.js/.exec(page.text())?.[0]}`
  }

  test.each([
    ['br, gzip', 'br'],
    ['gzip, deflate', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['identity', undefined],
    ['', undefined],
  ])('for "%s" come as %s', async (accepted, coding) => {
    const answer = await ask(await assetUrl(), { headers: { 'accept-encoding': accepted } })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-encoding']).toBe(coding)
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(answer.headers.vary).toBe('Accept-Encoding')
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
  })

  test.each(['share-000000000000.js', 'share.js', '..%2fbundle.ts', 'list.json'])(
    'of another version or elsewhere are not there: %s',
    async (file) => {
      const answer = await ask(`${house.gateway.url}/-/assets/${file}`)
      expect([answer.status, answer.code]).toEqual([404, 'resource_not_found'])
    },
  )
})
