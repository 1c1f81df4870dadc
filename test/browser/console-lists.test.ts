/** An operator with more keys and records than fit on a page. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask } from '../support/http.ts'
import { startChromium } from './support/chromium.ts'
import { enter, type Office, openOffice } from './support/office.ts'
import { type Visitor, visit } from './support/visitor.ts'

let office: Office
let browser: Browser
let visitor: Visitor
let page: Page

beforeAll(async () => {
  ;[office, browser] = await Promise.all([openOffice(), startChromium()])
  const keys = Array.from({ length: 120 }, (_, at) => ({ path: `many/${at}`, subject: 'many' }))
  await ask(`${office.issuer.url}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${office.token}` },
    body: JSON.stringify(keys),
  })
})
afterAll(async () => {
  await browser.close()
  await office.close()
})
beforeEach(async () => {
  visitor = await visit(browser)
  page = visitor.page
})
afterEach(async () => {
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

const rows = () => page.locator('.rows tbody tr')
const more = () => page.getByRole('button', { name: 'More', exact: true })
const focusedRow = () =>
  page.evaluate(() => {
    const row = document.activeElement?.closest('tr')
    return row === null || row === undefined ? -1 : row.rowIndex
  })

describe('keys', () => {
  beforeEach(async () => {
    await enter(visitor, office, 'keys?subject=many')
    await page.getByText('50 listed').waitFor()
  })

  test('that are asked for stand beneath those that are there, and the first of them is gone to', async () => {
    const first = await rows().first().innerText()
    await more().focus()
    await page.keyboard.press('Enter')
    await page.getByText('100 listed').waitFor()
    expect(await rows().count()).toBe(100)
    expect(await rows().first().innerText()).toBe(first)
    await expect.poll(focusedRow).toBe(51)
    await more().click()
    await page.getByText('120 listed').waitFor()
    await expect.poll(focusedRow).toBe(101)
    await more().waitFor({ state: 'hidden' })
    expect(new Set(await page.locator('.rows .id').allInnerTexts()).size).toBe(120)
    expect(await visitor.flaws()).toEqual([])

    // what happens to one of them leaves the others where they are
    await page.locator('.opens').nth(110).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('The key is paused.').waitFor()
    await expect.poll(() => page.locator('.chip.warn').count()).toBe(1)
    expect(await rows().count()).toBe(120)
  })

  test('that don’t come are told of beside the button, which asks again', async () => {
    await page.route(/after=/, (route) => route.abort())
    await more().click()
    const told = page.locator('.more .failure')
    await told.getByText('The issuer can’t be reached.').waitFor()
    expect(await rows().count()).toBe(50)
    await page.unroute(/after=/)
    await more().click()
    await page.getByText('100 listed').waitFor()
    expect(await told.count()).toBe(0)
  })

  test('take two lines each, also where they were used just now', async () => {
    const activity = { lastUsed: 0, lastAddress: '', requests: 1, bytesOut: 0, bytesIn: 0 }
    await page.route(/\/v1\/keys\?/, async (route) => {
      const response = await route.fetch()
      const { keys, next } = await response.json()
      const lastUsed = Math.floor(Date.now() / 1000) - 7000
      const used = keys.map((key: object) => ({ ...key, activity: { ...activity, lastUsed } }))
      await route.fulfill({ response, json: { keys: used, next } })
    })
    await page.getByRole('button', { name: 'Refresh' }).click()
    const time = page.locator('.rows time').first()
    await time.waitFor()
    expect(await time.innerText()).toMatch(/^1\d\d ?min ago$/)
    const heights = await rows().evaluateAll((all) => all.map((row) => row.clientHeight))
    expect(Math.max(...heights)).toBeLessThanOrEqual(72)
  })
})

test('records that are asked for are gone to', async () => {
  await Promise.all(Array.from({ length: 110 }, () => ask(`${office.issuer.url}/v1/keys`)))
  await enter(visitor, office, 'audit?code=key_missing')
  await expect.poll(() => rows().count()).toBe(100)
  await more().focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => rows().count()).toBe(110)
  expect(await focusedRow()).toBe(101)
  expect(await visitor.flaws()).toEqual([])
})
