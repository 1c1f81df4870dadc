/** An operator for whom something does not work: the console says what, where, and what to do. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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
})
afterAll(async () => {
  await browser.close()
  await office.close()
})

const come = async (options: VisitOptions = {}): Promise<void> => {
  visitor = await visit(browser, options)
  page = visitor.page
}
beforeEach(() => come())
afterEach(async () => {
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

const button = (name: string) => page.getByRole('button', { name, exact: true })
const fieldOf = (name: string) => page.locator('.field', { has: page.locator(`[name=${name}]`) })
const focused = () => page.evaluate(() => document.activeElement?.getAttribute('name'))
const admin = () => ({ authorization: `Bearer ${office.token}` })
const mint = (options: object) =>
  ask(`${office.issuer.url}/v1/keys`, {
    method: 'POST',
    headers: admin(),
    body: JSON.stringify(options),
  })

const API = /\/(v1\/|openapi\.json)/

describe('where the issuer does not answer', () => {
  test.each(['mint', 'keys', 'audit', 'refusals', 'storage', 'rules', 'signing', 'health'])(
    '%s says so once, in its place, and goes on when asked to',
    async (view) => {
      await enter(visitor, office, 'keys')
      await page.getByRole('table').or(page.getByText('No key was found.')).waitFor()
      await page.route(API, (route) => route.abort())
      await page.goto(`${office.issuer.url}/#${view === 'keys' ? 'keys?id=none' : view}`)
      const told = page.locator(`.view.${view} .failure`)
      await told.getByText('The issuer can’t be reached.').waitFor()
      expect(await page.getByText('The issuer can’t be reached.').count()).toBe(1)
      await expect.poll(() => page.getByText('Loading…').filter({ visible: true }).count()).toBe(0)
      expect(await visitor.flaws()).toEqual([])
      await page.unroute(API)
      await button('Try again').click()
      await told.waitFor({ state: 'detached' })
      await page.locator(`.view.${view} :is(.card:not(.filters), .nothing)`).first().waitFor()
    },
  )

  test('the reference says so, with a link to what it is made of', async () => {
    await page.route(API, (route) => route.abort())
    await page.goto(`${office.issuer.url}/docs`)
    await page.getByRole('heading', { name: 'The reference can’t be shown' }).waitFor()
    const link = page.getByRole('link', { name: 'openapi.json' })
    expect(await link.getAttribute('href')).toBe('openapi.json')
    expect(await visitor.flaws()).toEqual([])
    await page.unroute(API)
    await button('Try again').click()
    await page.locator('#get--v1-keys').waitFor()
  })
})

describe('what is wrong with a field', () => {
  test('is said at it, goes when it is corrected, and at no other', async () => {
    await enter(visitor, office, 'mint')
    await page.getByLabel('Path', { exact: true }).fill('team/a')
    await page.getByLabel('Works for').fill('99d')
    await page.getByLabel('Download').uncheck()
    await button('Make the key').click()
    const methods = page.locator('.methods')
    await methods.getByText('Choose at least one.').waitFor()
    const life = fieldOf('expiresIn').locator('.wrong')
    expect(await life.innerText()).toMatch(/^That is too long: a key lives \w+ at most\.\n/)
    const invalid = () =>
      page
        .locator('[aria-invalid]')
        .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).name))
    expect(await invalid()).toEqual(['expiresIn', ...Array(4).fill('methods')])
    expect(await focused()).toBe('expiresIn')
    expect(await visitor.flaws()).toEqual([])
    await page.getByLabel('Works for').fill('1h')
    expect(await life.innerText()).toBe('')
    await page.getByLabel('Download').check()
    expect(await invalid()).toEqual([])
    await button('Make the key').click()
    await page.getByRole('heading', { name: 'Here is the key' }).waitFor()
  })

  test('is said by an example where it can’t be read', async () => {
    await enter(visitor, office, 'mint')
    await page.getByLabel('Path', { exact: true }).fill('/team/a')
    await page.getByLabel('Works for').fill('soon')
    await button('Make the key').click()
    await fieldOf('expiresIn').getByText('Write it like this: 15m, 12h, 7d').waitFor()
    const small = fieldOf('path').locator('small')
    expect(await small.innerText()).toBe('must not start with a slash: write "team/a"')
  })

  test('is an address that is none, in the audit', async () => {
    await enter(visitor, office, 'audit')
    await page.getByLabel('Address').fill('foo')
    await page.keyboard.press('Enter')
    await fieldOf('address').getByText('Write it like this: 10.0.0.0/8').waitFor()
    expect(await page.getByText('Nothing is on record.').count()).toBe(0)
    await expect.poll(focused).toBe('address')
    await page.getByLabel('Address').fill('127.0.0.0/8')
    await page.keyboard.press('Enter')
    await page.locator('.rows tbody tr').first().waitFor()
  })

  test('is said in the dialog of a key', async () => {
    await mint({ path: 'team/b', subject: 'dialog' })
    await enter(visitor, office, 'keys?subject=dialog')
    await page.locator('.opens').click()
    await page.getByLabel('Ends in').fill('never')
    await page.keyboard.press('Enter')
    await fieldOf('expiresIn').getByText('Write it like this: 15m, 12h, 7d').waitFor()
    await page.route(API, (route) => route.abort())
    await button('Pause').click()
    const trouble = page.getByRole('dialog').locator('.trouble')
    await trouble.getByText('The issuer can’t be reached.').waitFor()
    expect(await page.locator('.shelf .notice').count()).toBe(0)
  })
})

test('what fails in a dialog is said above its buttons, which stay reachable', async () => {
  await enter(visitor, office, 'signing')
  await button('Rotate').click()
  const dialog = page.getByRole('dialog')
  await page.route(API, (route) => route.abort())
  await dialog.getByRole('textbox').fill('test')
  await dialog.getByRole('button', { name: 'Rotate' }).click()
  await dialog.locator('.trouble').getByText('The issuer can’t be reached.').waitFor()
  expect(await visitor.flaws()).toEqual([])
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
})

describe('a warning', () => {
  const failToSignOut = async (): Promise<void> => {
    await enter(visitor, office, 'health')
    await page.locator('.parts').waitFor()
    await page.clock.install()
    await page.route('**/session', (route) => route.abort())
    await button('Sign out').click()
    await page.getByLabel('Admin token').waitFor()
    await page.locator('.shelf .notice').waitFor()
  }

  test('stays until it is closed, and gives the focus back', async () => {
    await failToSignOut()
    await page.clock.runFor(60_000)
    expect(await page.locator('.shelf .notice').isVisible()).toBe(true)
    expect(await visitor.flaws()).toEqual([])
    await button('Close').click()
    expect(await page.locator('.shelf .notice').count()).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT')
  })

  test('goes with the view that it was about', async () => {
    await failToSignOut()
    await page.unroute('**/session')
    await page.getByLabel('Admin token').fill(office.token)
    await page.keyboard.press('Enter')
    await page.locator('.bar').waitFor()
    await page.locator('.shelf .notice').waitFor({ state: 'detached' })
  })
})

describe.each([
  ['de', 'Admin-Token', 'Das ist nicht das Admin-Token.', 'Wählen Sie mindestens eines.'],
  ['zh', '管理员令牌', '管理员令牌不正确。', '请至少选择一项。'],
])('in %s', (locale, tokenLabel, wrongToken, chooseOne) => {
  test('refusals and rules are said in that language', async () => {
    await visitor.close()
    await come({ locale })
    for (const [path, said] of [
      ['policies/words', { methods: ['GET'], expires: 1_900_000_000, headers: { 'x-a': 'b' } }],
      ['plans/words', { rate: '10/s', per: 'subject' }],
    ] as const) {
      const body = JSON.stringify(said)
      await ask(`${office.issuer.url}/v1/${path}`, { method: 'PUT', headers: admin(), body })
    }
    await page.goto(`${office.issuer.url}/#mint`)
    await page.getByLabel(tokenLabel).fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText(wrongToken).waitFor()
    await page.getByLabel(tokenLabel).fill(office.token)
    await page.keyboard.press('Enter')
    await page.locator('.mint [name=methods]').first().uncheck()
    await page.locator('.mint .primary').click()
    await page.locator('.methods').getByText(chooseOne).waitFor()
    await page.goto(`${office.issuer.url}/#rules`)
    const said = page.locator('.says-that')
    await expect.poll(() => said.count()).toBe(2)
    expect(await said.allInnerTexts()).toEqual(
      locale === 'de'
        ? [
            expect.stringMatching(/^bis .*2030.*\ndarf herunterladen\nnur mit dem Header x-a: b$/),
            '10 Anfragen in 1 s\nfür alle Schlüssel von jemandem zusammen',
          ]
        : [
            expect.stringMatching(/^至 .*2030.*\n可以下载\n必须带请求头 x-a: b$/),
            '1 秒内 10 个请求\n按使用者计数',
          ],
    )
  })
})
