/** What somebody reads when a link does not, or no longer, do what it is for. */
import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Block } from '../../key/claims.ts'
import { hashPin } from '../../key/node-pin.ts'
import { MOST_WRONG_PINS } from '../../ledger/ledger.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { startChromium } from './support/chromium.ts'
import { store } from './support/stored.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
let page: Page

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  await store(house, 'team/notes.txt', 'text/plain', 'words')
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

beforeEach(async () => {
  visitor = await visit(browser)
  page = visitor.page
})
afterEach(async () => {
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

type Claims = Parameters<House['mint']>[0]
const FOLDER: Claims = { path: 'team/', methods: ['GET', 'LIST'] }
const FILE: Claims = { path: 'team/notes.txt', methods: ['GET'] }

const open = (key: string) => page.goto(`${house.gateway.url}/-/share#${key}`)
/** The heading of the page once it says something, with what stands under it. */
async function said(): Promise<string> {
  await page.locator('.state h1').waitFor()
  return (await page.locator('.state').innerText()).replace(/\s+/g, ' ')
}

async function revoke(key: string): Promise<string> {
  const answer = await ask(`${house.gateway.url}/-/key`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { id } = answer.json()
  await house.ledger.revoke([{ kind: 'id', value: id, revokedAt: house.now() }])
  return key
}

async function usedUp(): Promise<string> {
  const key = house.mint({ ...FILE, uses: 1 })
  await ask(house.url('team/notes.txt', key))
  return key
}

const beside = (block: Block): string => house.narrow(house.mint(FOLDER), block)

const STATES: readonly [string, () => string | Promise<string>, RegExp][] = [
  ['without a key', () => '', /^This link is not complete: the part after “#” is missing/],
  ['cut short', () => house.mint(FOLDER).slice(0, -9), /^This link is damaged/],
  [
    'of somebody else',
    () => house.mint(FOLDER).replace(/.{4}$/, 'AAAA'),
    /^This link is not valid/,
  ],
  [
    'expired',
    () => house.mint({ ...FOLDER, exp: 1_780_000_000 }),
    /^This link has expired It ended on 28 May 2026, 20:26\. Ask whoever sent it/,
  ],
  [
    'not yet valid',
    () => house.mint({ ...FOLDER, nbf: house.now() + 9999 }),
    /^This link does not work yet It works from .* Try again$/,
  ],
  ['withdrawn', () => revoke(house.mint(FOLDER)), /^This link has been withdrawn/],
  [
    'of another network',
    () => beside({ ip: ['10.9.8.0/24'] }),
    /^This link works in another network only/,
  ],
  ['over TLS only', () => beside({ tls: true }), /secure connection/],
  [
    'for programs',
    () => beside({ headers: { 'x-team': 'blue' } }),
    /^This link is made for a program/,
  ],
  [
    'used up',
    usedUp,
    /^This link has been used as often as it may be Ask whoever sent it for a new one\.$/,
  ],
  [
    'to nothing',
    () => house.mint({ ...FILE, path: 'team/none.txt' }),
    /^This file is no longer there Ask whoever sent you the link\.$/,
  ],
  [
    'that leads nowhere',
    () => beside({ path: 'other/' }),
    /^This link does not lead there Copy the whole link/,
  ],
  [
    'for sending',
    () => house.mint({ ...FOLDER, methods: ['PUT'] }),
    /^This link is for sending files/,
  ],
]

describe('a link', () => {
  // one page and one link after the other, as somebody pastes them
  test('that does not work says why, in words', async () => {
    await page.goto(`${house.gateway.url}/-/share#${house.mint(FOLDER)}`)
    for (const [what, make, words] of STATES) {
      await page.locator('.rows, .state').first().waitFor()
      const key = await make()
      await page.evaluate((hash) => {
        document.querySelector('#page')?.replaceChildren()
        location.hash = hash
      }, key)
      expect(await said(), what).toMatch(words)
    }
  })

  test('that does not work is read out, and has no flaws, dark or light', async () => {
    await open(house.mint({ ...FOLDER, exp: 1_780_000_000 }))
    await said()
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('h1')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await visitor.flaws()).toEqual([])
    }
  })

  test('that works again after all is tried again, also by itself when the network is back', async () => {
    await page.route('**/-/key', (route) => route.abort())
    await open(house.mint(FOLDER))
    expect(await said()).toMatch(/^The server can’t be reached Check your connection\. Try again$/)
    await page.getByRole('button', { name: 'Try again' }).click()
    expect(await said()).toMatch(/^The server can’t be reached/)
    await page.unroute('**/-/key')
    await page.evaluate(() => window.dispatchEvent(new Event('online')))
    await page.getByRole('button', { name: 'Preview notes.txt' }).waitFor()
  })
})

describe('a PIN', () => {
  const pinned = async (jti: string): Promise<string> => {
    const message = 'The plans,\nas promised'
    await house.ledger.keepNotes([{ id: jti, message, pin: await hashPin('4711-0815') }])
    return house.mint({ ...FOLDER, jti, pin: true })
  }
  const show = async (pin: string): Promise<void> => {
    await page.getByLabel('PIN').fill(pin)
    // the answer before may have come, and the page not have read it yet
    await page.locator('form:has(#pin) button:enabled').waitFor()
    await page.keyboard.press('Enter')
  }

  test('is asked for, checked, and then the page is open, with what the sender wrote', async () => {
    const key = await pinned('pinned')
    await open(key)
    expect(await said()).toMatch(/^This link asks for a PIN/)
    expect(await visitor.flaws()).toEqual([])
    await show('4712')
    await page.getByRole('alert').getByText('That is not the right PIN.').waitFor()
    expect(await page.getByLabel('PIN').getAttribute('aria-invalid')).toBe('true')
    await show('4711-0815')
    await page.getByText('The plans,').waitFor()
    await page.locator('h1:focus').waitFor()
    expect(await visitor.flaws()).toEqual([])
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download notes.txt' }).click()
    expect(await readFile(await (await download).path(), 'utf8')).toBe('words')
    await page.reload()
    await page.getByRole('button', { name: 'Preview notes.txt' }).waitFor()
    expect(visitor.leaks(key)).toEqual([])
    expect(visitor.requests.join()).not.toContain('4711-0815')
  })

  test('that was wrong too often has to wait, and says for how long', async () => {
    await open(await pinned('guessed'))
    for (let at = 0; at <= MOST_WRONG_PINS; at += 1) {
      const answered = page.waitForResponse('**/-/pin')
      await show(`wrong ${at}`)
      await answered
    }
    await page
      .getByRole('alert')
      .getByText(/at once.* Wait \d+ (minutes|seconds)/)
      .waitFor()
  })

  test('that has to be shown again, an hour later, is asked for where somebody is', async () => {
    await open(await pinned('later'))
    await show('4711-0815')
    const download = page.getByRole('button', { name: 'Download notes.txt' })
    await download.waitFor()
    await visitor.context.clearCookies()
    await download.click()
    expect(await said()).toMatch(/^This link asks for a PIN/)
    await show('4711-0815')
    await download.waitFor()
  })
})

describe('while the page is open', () => {
  test('the link expires: first it says so, then nothing can be had any more', async () => {
    await page.clock.install()
    const key = house.mint({ ...FOLDER, exp: house.now() + 90 })
    await open(key)
    await page.getByRole('button', { name: 'Preview notes.txt' }).click()
    await page.getByText('words').waitFor()
    await page.clock.runFor(32_000)
    await expect.poll(() => page.locator('.facts').innerText()).toMatch(/Ends in [1-5]?\d seconds/)
    await page.clock.runFor(60_000)
    expect(await said()).toMatch(/^This link has expired It ended on/)
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(visitor.leaks(key)).toEqual([])
  })

  test('the link is withdrawn: the next step says so', async () => {
    const key = house.mint(FOLDER)
    await open(key)
    const download = page.getByRole('button', { name: 'Download notes.txt' })
    await download.waitFor()
    await revoke(key)
    await download.click()
    expect(await said()).toMatch(/^This link has been withdrawn/)
  })

  test('the last use is taken: the page says so when somebody comes back to it', async () => {
    const key = house.mint({ ...FILE, uses: 1 })
    await open(key)
    await page.getByText('The preview takes the last use of this link').waitFor()
    await ask(house.url('team/notes.txt', key))
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    expect(await said()).toMatch(/^This link has been used as often as it may be Ask/)
  })

  test('the network goes: a step that needs it says so, and the page stays', async () => {
    await open(house.mint(FOLDER))
    const download = page.getByRole('button', { name: 'Download notes.txt' })
    await download.waitFor()
    await page.route('**/team/**', (route) => route.abort())
    await download.click()
    await page.getByRole('alert').getByText('The server can’t be reached.').waitFor()
    expect(await download.isVisible()).toBe(true)
  })
})
