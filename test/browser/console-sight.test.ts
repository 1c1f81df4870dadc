/** What an operator sees of the console: nothing hides what the focus is on, nor where they are. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/http.ts'
import { startChromium } from './support/chromium.ts'
import { enter, type Office, openOffice } from './support/office.ts'
import { type VisitOptions, type Visitor, visit } from './support/visitor.ts'

let office: Office
let browser: Browser
let visitor: Visitor
let page: Page

beforeAll(async () => {
  ;[office, browser] = await Promise.all([openOffice(), startChromium()])
  for (const [path, said] of [
    ['policies/partners', { ip: ['192.0.2.0/24'] }],
    ['plans/free', { rate: '10/s' }],
  ] as const) {
    const headers = { authorization: `Bearer ${office.token}` }
    const body = JSON.stringify(said)
    await ask(`${office.issuer.url}/v1/${path}`, { method: 'PUT', headers, body })
  }
})
afterAll(async () => {
  await browser.close()
  await office.close()
})
afterEach(async () => {
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

async function come(view: string, options: VisitOptions = {}): Promise<void> {
  visitor = await visit(browser, options)
  page = visitor.page
  await enter(visitor, office, view)
}

/** How far the focused element lies beneath the bar: negative where the bar covers it. */
const clearance = () =>
  page.evaluate(() => {
    const bar = document.querySelector('.bar') as HTMLElement
    const top = (document.activeElement as HTMLElement).getBoundingClientRect().top
    return getComputedStyle(bar).position === 'sticky' ? top - bar.offsetHeight : top
  })

describe.each([
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
  { width: 640, height: 400 },
])('at $width × $height, the bar at the top', (size) => {
  test('covers neither what is gone back to nor the heading of a new key', async () => {
    await come('mint', size)
    await page.locator('summary').click()
    await page.getByRole('button', { name: 'Make the key' }).focus()
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Shift+Tab')
      if (await page.evaluate(() => document.activeElement?.closest('.bar') !== null)) break
      expect(await clearance()).toBeGreaterThanOrEqual(0)
    }
    await page.getByLabel('Path', { exact: true }).fill('team/')
    await page.getByRole('button', { name: 'Make the key' }).click()
    const title = page.getByRole('heading', { name: 'Here is the key' })
    await title.waitFor()
    await expect.poll(clearance).toBeGreaterThanOrEqual(0)
    expect(await title.evaluate((one) => one === document.activeElement)).toBe(true)
  })
})

test('where colours are forced, the current view can be told', async () => {
  await come('audit')
  await page.emulateMedia({ forcedColors: 'active' })
  const colours = await page
    .locator('.bar nav a')
    .evaluateAll((all) => all.map((one) => getComputedStyle(one).borderBottomColor))
  expect(new Set(colours).size).toBe(2)
  expect(colours.filter((colour) => colour === colours[2])).toHaveLength(1)
})

test('columns without a visible name have one nevertheless', async () => {
  await come('rules')
  await page.getByRole('table').first().waitFor()
  for (const view of ['rules', 'signing']) {
    await page.goto(`${office.issuer.url}/#${view}`)
    await page.locator(`.view.${view} table`).first().waitFor()
    await page.getByRole('columnheader', { name: 'Actions' }).first().waitFor()
    const names = await page.getByRole('columnheader').allInnerTexts()
    expect(names.filter((name) => name.trim() === '')).toEqual([])
  }
})

test('a dialog is named for what it makes or changes, its boxes stand last', async () => {
  await come('rules')
  await page.getByRole('button', { name: 'New policy' }).click()
  const dialog = page.getByRole('dialog', { name: 'New policy' })
  const fields = dialog.locator('.grid > *')
  const kinds = await fields.evaluateAll((all) =>
    all.map((one) => one.classList.contains('toggle')),
  )
  expect(kinds).toContain(true)
  expect(kinds).toEqual([...kinds].sort())
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'New plan' }).click()
  const plan = page.getByRole('dialog', { name: 'New plan' })
  expect(await plan.getByLabel('Period').locator('option').allInnerTexts()).toEqual([
    'not stated',
    'day',
    'week, from Monday',
    'month',
  ])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Change free' }).click()
  await page.getByRole('dialog', { name: 'Plan free' }).waitFor()
})

test('the audit says how far it looks back, and the year where it is another', async () => {
  const before = `{"time":"2001-02-03T04:05:06.000Z","kind":"act","by":"cli","act":"mint"}`
  await come('health')
  await page.route(/\/v1\/audit\?/, (route) =>
    route.fulfill({ json: { records: [JSON.parse(before)], next: null } }),
  )
  await page.goto(`${office.issuer.url}/#audit`)
  await page.getByText('3 Feb 2001, 04:05:06').waitFor()
  const spans = page.getByLabel('Since').locator('option')
  expect((await spans.allInnerTexts()).at(-1)).toBe('the last 90 days')
  const fields = page.locator('.filters .input')
  const tops = await fields.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top))
  expect(new Set(tops).size).toBe(1)
  expect(await fields.first().evaluate((one) => one.clientWidth)).toBeGreaterThanOrEqual(160)
})

test('the reference leads back to its contents, and says in words what a value is', async () => {
  visitor = await visit(browser)
  page = visitor.page
  await page.goto(`${office.issuer.url}/docs#schema-KeyRequest`)
  const schema = page.locator('#schema-KeyRequest')
  await schema.waitFor()
  expect(await schema.innerText()).not.toContain('\\d')
  expect(await schema.innerText()).toContain('"10MiB", or whole bytes')
  await schema.getByRole('link', { name: 'Contents' }).click()
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('contents')
})
