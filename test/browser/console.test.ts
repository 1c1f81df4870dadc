/** An operator with a browser: makes keys, watches what they do, takes them back. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask } from '../support/http.ts'
import { startChromium } from './support/chromium.ts'
import { enter, type Office, openOffice } from './support/office.ts'
import { store } from './support/stored.ts'
import { type Visitor, visit } from './support/visitor.ts'

let office: Office
let browser: Browser
let visitor: Visitor
let page: Page

beforeAll(async () => {
  ;[office, browser] = await Promise.all([openOffice(), startChromium()])
  await store(office.house, 'team/plans/q3.txt', 'text/plain', 'the plan')
  await store(office.house, 'archive/old.bin', 'application/octet-stream', Buffer.alloc(5000))
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
  const strangers = visitor.requests.filter(
    (url) => /^https?:/.test(url) && !url.startsWith(office.issuer.url),
  )
  expect(strangers.filter((url) => !url.startsWith(office.house.gateway.url))).toEqual([])
  expect(visitor.requests.filter((url) => url.includes(office.token))).toEqual([])
  await visitor.close()
})

const button = (name: string) => page.getByRole('button', { name, exact: true })
const goTo = (view: string) => page.getByRole('link', { name: view, exact: true }).click()
const admin = () => ({ authorization: `Bearer ${office.token}` })

async function mint(options: object): Promise<{ id: string; key: string; url: string }> {
  const body = JSON.stringify(options)
  return (
    await ask(`${office.issuer.url}/v1/keys`, { method: 'POST', headers: admin(), body })
  ).json()
}

describe('signing in', () => {
  test('takes the admin token and no other, and keeps a cookie that no script reads', async () => {
    await page.goto(office.issuer.url)
    await page.getByLabel('Admin token').fill(`${office.token}x`)
    await page.keyboard.press('Enter')
    await page.getByText('That is not the admin token.').waitFor()
    expect(await visitor.context.cookies()).toEqual([])
    expect(await visitor.flaws()).toEqual([])

    await page.getByLabel('Admin token').fill(office.token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Keys' }).waitFor()
    expect(await visitor.context.cookies()).toEqual([
      expect.objectContaining({
        name: `valetkey-console-${office.issuer.port}`,
        httpOnly: true,
        secure: true,
        sameSite: 'Strict',
        path: '/',
      }),
    ])
    expect(await page.evaluate(() => document.cookie)).toBe('')
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('vkadm_')
  })

  test('lasts over a reload, and ends by signing out', async () => {
    await enter(visitor, office)
    await page.reload()
    await page.getByRole('heading', { name: 'Keys' }).waitFor()
    await button('Sign out').click()
    await page.getByLabel('Admin token').waitFor()
    expect(await visitor.context.cookies()).toEqual([])
    await page.reload()
    await page.getByLabel('Admin token').waitFor()
  })

  test('is asked for again where the issuer knows the session no more', async () => {
    await enter(visitor, office)
    await page.getByRole('table').or(page.getByText('No key was found.')).waitFor()
    await visitor.context.clearCookies()
    await goTo('Health')
    await page.getByText('The session has ended. Sign in again.').waitFor()
  })
})

test('a key is made, used, watched, found and taken back', async () => {
  await enter(visitor, office, 'mint')
  await page.getByLabel('Path', { exact: true }).fill('team/plans/q3.txt')
  await page.getByLabel('For whom').fill('ann')
  await page.getByLabel('Uses').fill('3')
  await page.getByLabel('Works for').fill('2h')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Here is the key' }).waitFor()
  expect(await visitor.flaws()).toEqual([])
  expect(await page.getByRole('img', { name: 'QR code: Page for people' }).isVisible()).toBe(true)
  expect(await page.locator('figcaption').innerText()).toBe('Page for people')
  const url = await page.getByRole('textbox', { name: 'Link', exact: true }).innerText()
  const line = await page.getByRole('textbox', { name: 'On a command line' }).innerText()
  expect(line).toBe(`curl --fail-with-body -o FILE '${url}'`)
  expect((await ask(url)).text()).toBe('the plan')

  // live: what happens from now on appears by itself
  await goTo('Audit')
  const rows = page.locator('.rows tbody tr')
  await rows.filter({ hasText: 'ann' }).filter({ hasText: '200' }).waitFor()
  expect(await page.getByLabel('Live').isChecked()).toBe(true)
  expect((await ask(url.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')))).code).toBe(
    'signature_invalid',
  )
  await rows.filter({ hasText: 'signature_invalid' }).first().waitFor()
  await page.getByLabel('Refusals only').check()
  await rows.filter({ hasText: '200' }).first().waitFor({ state: 'hidden' })
  await rows.filter({ hasText: 'signature_invalid' }).first().waitFor()

  await goTo('Keys')
  await page.getByRole('searchbox').fill('ann')
  await button('Search').click()
  const opener = page.locator('.opens')
  await expect.poll(() => opener.count()).toBe(1)
  expect(await page.locator('.rows tbody').innerText()).toMatch(/active[\s\S]*1 \/ 3/)
  await opener.click()
  const dialog = page.getByRole('dialog')
  const id = await dialog.locator('dd code').first().innerText()
  expect(await visitor.flaws()).toEqual([])
  await dialog.getByRole('button', { name: 'Revoke' }).click()

  const asked = page.getByRole('dialog', { name: 'Revoke this key?' })
  expect(await asked.getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true)
  await asked.getByRole('textbox').fill(id.slice(0, 3))
  await page.keyboard.press('Enter')
  expect((await ask(url)).status).toBe(200)
  await asked.getByRole('textbox').fill(id.slice(0, 4))
  await page.keyboard.press('Enter')
  await page.getByText('The key is revoked.').waitFor()
  expect((await ask(url)).code).toBe('key_revoked')
  await page.getByText('revoked', { exact: true }).waitFor()

  await page.goto(`${office.issuer.url}/#audit?code=key_revoked`)
  await rows.filter({ hasText: 'key_revoked' }).waitFor()
  await expect.poll(() => rows.count()).toBe(1)
  await goTo('Refusals')
  await page.getByRole('img', { name: 'Refusals over time' }).waitFor()
  expect(await page.locator('.rows').innerText()).toMatch(/signature_invalid\s+1/)
})

test('a key rests, goes on, and ends sooner, its link unchanged', async () => {
  const { url } = await mint({ path: 'team/plans/q3.txt', subject: 'rest' })
  await enter(visitor, office, 'keys?subject=rest')
  await page.locator('.opens').click()
  await button('Pause').click()
  await page.getByText('The key is paused.').waitFor()
  await page.getByText('paused', { exact: true }).waitFor()
  await expect.poll(async () => (await ask(url)).status).toBe(403)
  await page.locator('.opens').click()
  await button('Resume').click()
  await page.getByText('The key works again.').waitFor()
  await expect.poll(async () => (await ask(url)).status).toBe(200)
  await page.getByText('active', { exact: true }).waitFor()
  await page.locator('.opens').click()
  await page.getByRole('dialog').getByLabel('Ends in').fill('2m')
  await page.keyboard.press('Enter')
  await page.getByText('The end of the key has changed.').waitFor()
})

test('policies and plans are set, and removed', async () => {
  await enter(visitor, office, 'rules')
  await button('New policy').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('office')
  await dialog.getByLabel('From addresses').fill('everywhere')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect
    .poll(() => dialog.locator('.wrong').allInnerTexts())
    .toContainEqual(expect.stringMatching(/./))
  expect(await visitor.flaws()).toEqual([])
  await dialog.getByLabel('From addresses').fill('10.0.0.0/8')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('only from 10.0.0.0/8').waitFor()
  await button('New plan').click()
  await dialog.getByLabel('Name', { exact: true }).fill('free')
  await dialog.getByLabel('Requests in a time').fill('600/m')
  await dialog.getByLabel('Bytes in all').fill('2GiB')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('600 requests in 60 s').waitFor()
  await page.getByText('2 GiB a day').waitFor()

  // what was there is in the form: a change of one thing loses no other
  const stored = async (path: string) =>
    (await ask(`${office.issuer.url}${path}`, { headers: admin() })).json()
  const said = {
    ip: ['10.0.0.0/8'],
    methods: ['GET', 'PUT'],
    maxSize: '10MiB',
    overwrite: false,
    headers: { 'x-team': 'blue' },
    respond: { 'cache-control': 'no-cache' },
    expires: 1_900_000_000,
  }
  const body = JSON.stringify(said)
  await ask(`${office.issuer.url}/v1/policies/office`, { method: 'PUT', headers: admin(), body })
  const before = (await stored('/v1/policies/office')).claims
  await page.reload()
  await button('Change office').click()
  await dialog.getByLabel('Over TLS only').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('only over TLS').waitFor()
  expect((await stored('/v1/policies/office')).claims).toEqual({ ...before, tls: true })
  const { plan } = await stored('/v1/plans/free')
  await button('Change free').click()
  await dialog.getByLabel('At once').fill('9')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('9 at once').waitFor()
  expect((await stored('/v1/plans/free')).plan).toEqual({ ...plan, burst: 9 })

  await button('Remove office').click()
  await dialog.getByRole('textbox').fill('offi')
  await page.keyboard.press('Enter')
  await page.getByText('It is removed.').waitFor()
  await button('Remove office').waitFor({ state: 'detached' })
})

test('every key of somebody is taken back at once', async () => {
  const subjects = ['eve@example.com', 'eve@example.com', 'ann']
  const keys = await Promise.all(
    subjects.map((subject) => mint({ path: 'team/plans/q3.txt', subject })),
  )
  await enter(visitor, office)
  await button('Revoke many…').click()
  await page.getByLabel('For whom').fill('eve@example.com')
  await page.getByLabel('Reason').fill('left')
  expect(await visitor.flaws()).toEqual([])
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByLabel('Type “eve@”').fill('eve@')
  await page.keyboard.press('Enter')
  await page.getByText('The keys are revoked.').waitFor()
  const answers = await Promise.all(keys.map(({ url }) => ask(url)))
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 200])
})

test('everything is reached by keyboard', async () => {
  await enter(visitor, office)
  await page.getByRole('table').or(page.getByText('No key was found.')).waitFor()
  const reached = new Set<string>()
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press('Tab')
    reached.add(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''))
  }
  for (const name of ['Skip to the content', 'New key', 'Health', 'Sign out', 'Search']) {
    expect([...reached]).toContain(name)
  }
})

test('what is wrong with a key stands under its field', async () => {
  await enter(visitor, office, 'mint')
  await page.getByLabel('Works for').fill('99d')
  await page.getByText('More restrictions').click()
  await page.getByLabel('Largest upload').fill('much')
  await button('Make the key').click()
  const wrong = (name: string) => page.locator('.field', { has: page.locator(`[name=${name}]`) })
  await wrong('path').getByText('This is needed.').waitFor()
  expect(await wrong('expiresIn').locator('.wrong').innerText()).not.toBe('')
  expect(await wrong('maxSize').locator('.wrong').innerText()).not.toBe('')
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('path')
})

test('storage is shown as it is, level by level', async () => {
  await enter(visitor, office, 'storage')
  await page.getByRole('img', { name: 'Sizes as areas' }).waitFor()
  expect(await page.locator('.rows tbody tr').allInnerTexts()).toEqual([
    expect.stringMatching(/archive\/\s+1\s+4\.9\sKiB/),
    expect.stringMatching(/team\/\s+1\s+8 bytes/),
  ])
  await page.getByRole('cell').getByRole('link', { name: 'team/' }).click()
  await page.getByRole('cell').getByRole('link', { name: 'plans/' }).click()
  await page.getByRole('cell', { name: 'q3.txt' }).waitFor()
})

test('signing keys are rotated once somebody has typed what', async () => {
  await enter(visitor, office, 'signing')
  await page.getByRole('cell', { name: 'test', exact: true }).waitFor()
  await button('Rotate').click()
  const asked = page.getByRole('dialog')
  await asked.getByRole('textbox').fill('test')
  await asked.getByRole('button', { name: 'Rotate' }).click()
  await page.getByText('There is a new signing key.').waitFor()
  await expect.poll(() => page.locator('.rows tbody tr').count()).toBe(2)
})

describe.each([
  { width: 1280, dark: false },
  { width: 320, dark: true },
])('at $width pixels', (options) => {
  test('every view fits, reads and says nothing amiss', async () => {
    const narrow = await visit(browser, options)
    await enter(narrow, office)
    for (const view of [
      'mint',
      'keys',
      'audit',
      'refusals',
      'storage',
      'rules',
      'signing',
      'health',
    ]) {
      await narrow.page.goto(`${office.issuer.url}/#${view}`)
      await narrow.page.locator(`.view.${view} :is(.card, .nothing:not(:empty))`).first().waitFor()
      await expect.poll(() => narrow.page.locator('[aria-busy]').count()).toBe(0)
      expect([view, await narrow.flaws()]).toEqual([view, []])
      const overflow = await narrow.page.evaluate(
        () => document.documentElement.scrollWidth - innerWidth,
      )
      expect([view, overflow]).toEqual([view, 0])
    }
    await narrow.page.goto(`${office.issuer.url}/docs`)
    await narrow.page.locator('#get--v1-keys').waitFor()
    expect(await narrow.flaws()).toEqual([])
    expect(narrow.complaints).toEqual([])
    await narrow.close()
  })
})

test('a page of another port of this machine can neither read nor act', async () => {
  await enter(visitor, office)
  const { id } = await mint({ path: 'team/' })
  const other = await visitor.context.newPage()
  // what the gateway serves is of the same site, so that cookies go along
  await other.goto(`${office.house.gateway.url}/-/share`)
  const api = `${office.issuer.url}/v1/keys`
  const outcomes = await other.evaluate(
    async ([url, key]) => {
      const tries: [string, RequestInit][] = [
        [url, { credentials: 'include' }],
        [url, { credentials: 'include', method: 'POST', mode: 'no-cors', body: '{"path":"/"}' }],
        [`${url}/${key}`, { credentials: 'include', method: 'DELETE' }],
      ]
      return Promise.all(
        tries.map(([target, init]) =>
          fetch(target, init).then(
            ({ type }) => type,
            () => 'refused',
          ),
        ),
      )
    },
    [api, id] as const,
  )
  expect(outcomes.filter((outcome) => outcome === 'basic' || outcome === 'cors')).toEqual([])
  const { keys } = (await ask(api, { headers: admin() })).json()
  expect(keys[0]).toMatchObject({ id, paths: ['team/'] })
  expect(keys[0].revocation).toBeUndefined()
  // the policy of the share page says so in its console
  await other.close()
  Object.assign(visitor.complaints, { length: 0 })
})

test('the reference shows every route, and leads from it to its schemas', async () => {
  await page.goto(`${office.issuer.url}/docs`)
  const document = (await ask(`${office.issuer.url}/openapi.json`)).json()
  const routes = Object.values(document.paths as Record<string, object>).flatMap(Object.keys)
  await expect.poll(() => page.locator('.operation').count()).toBe(routes.length)
  await page.locator('#post--v1-keys').getByRole('link', { name: 'KeyRequest' }).first().click()
  expect(await page.locator('#schema-KeyRequest').innerText()).toContain('expiresIn')
})
