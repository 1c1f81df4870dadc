/** Sending goes on: over a pause, a broken line, a lost network, a reload. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { pattern } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { startChromium } from './support/chromium.ts'
import { type Dam, startDam } from './support/dam.ts'
import { type Visitor, visit } from './support/visitor.ts'

const MIB = 1 << 20
const FILM = Buffer.from(pattern(6 * MIB + 7))
/** Comes in pieces of 4, 8 and 4 MiB: of what waits on the line, none makes it whole. */
const LONG = Buffer.from(pattern(16 * MIB))

let house: House
let browser: Browser
let folder: ReturnType<typeof tempFolder>
let dam: Dam
let visitor: Visitor
let page: Page
let key: string
/** where each request that brought bytes began */
let offsets: number[]

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  folder = tempFolder()
  writeFileSync(join(folder.path, 'film.bin'), FILM)
  writeFileSync(join(folder.path, 'long.bin'), LONG)
})
afterAll(async () => {
  await browser.close()
  await house.close()
  folder.remove()
})

let inboxes = 0
let inbox: string
beforeEach(async () => {
  inbox = `inbox/${++inboxes}/`
  dam = await startDam(house.gateway.port)
  visitor = await visit(browser)
  page = visitor.page
  offsets = []
  visitor.context.on('request', (request: Request) => {
    if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']))
  })
  page.on('dialog', (dialog) => void dialog.accept())
})
afterEach(async () => {
  expect(visitor.leaks(key)).toEqual([])
  expect(visitor.complaints).toEqual([])
  await visitor.close()
  await dam.close()
})

const button = (name: string | RegExp) => page.getByRole('button', { name })
const words = () => page.locator('.queue .words')

async function open(claims: Partial<FirstBlock> = {}): Promise<void> {
  key = house.mint({ methods: ['PUT'], path: inbox, create: true, ...claims })
  await page.goto(`${dam.url}/-/drop#${key}`)
  await page.locator('.zone').waitFor()
}

/** Chooses the file and sends it, until so many bytes have passed. */
async function begin(bytes: number, name = 'film.bin'): Promise<void> {
  await page.setInputFiles('#files', join(folder.path, name))
  dam.let(bytes)
  await button(/^Send /).click()
  await dam.full()
}

async function expectWhole(name = 'film.bin', content = FILM): Promise<void> {
  await page.getByRole('heading', { name: 'Your file has arrived' }).waitFor()
  const url = house.url(inbox + name, house.mint({ methods: ['GET'] }))
  expect((await ask(url)).body.equals(content)).toBe(true)
}

test('a pause stops the bytes, and going on sends the rest only', async () => {
  await open()
  await begin(5 * MIB, 'long.bin')
  await button('Pause long.bin').click()
  await page.getByText('Paused at 25%').waitFor()
  // what had arrived of the piece that was cut is kept, too
  dam.open()
  await page.getByText(/Paused at (?:3[1-9]|[4-7]\d)%/).waitFor()
  await button('Go on with long.bin').click()
  await expectWhole('long.bin', LONG)
  expect(offsets.slice(0, 2)).toEqual([0, 4 * MIB])
  expect(offsets[2]).toBeGreaterThan(4 * MIB)
})

test('all of it is paused and goes on with one button, and the focus stays on it', async () => {
  await open()
  await page.setInputFiles('#files', [
    { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') },
    { name: 'b.txt', mimeType: 'text/plain', buffer: Buffer.from('b') },
  ])
  dam.let(0)
  await button(/^Send /).click()
  await dam.full()
  await button('Pause').first().press('Enter')
  await expect.poll(() => words().allInnerTexts()).toEqual(['Paused at 0%', 'Paused at 0%'])
  dam.cut()
  dam.open()
  dam.mend()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'All 2 files have arrived' }).waitFor()
})

test('a line that breaks is tried again by itself, from what had arrived', async () => {
  await open()
  await begin(5 * MIB)
  dam.cut()
  await page.getByText(/^Interrupted\. Next try in/).waitFor()
  expect(await visitor.flaws()).toEqual([])
  dam.open()
  dam.mend()
  await expectWhole()
  expect(offsets.at(-1)).toBeGreaterThanOrEqual(4 * MIB)
})

test('without a network everything waits, and goes on by itself when it is back', async () => {
  await open()
  await begin(5 * MIB)
  await visitor.context.setOffline(true)
  await page.getByText('There is no connection.', { exact: false }).waitFor()
  await expect.poll(() => words().innerText()).toBe('Waiting for the connection')
  dam.open()
  await visitor.context.setOffline(false)
  await expectWhole()
  expect(offsets.at(-1)).toBeGreaterThanOrEqual(4 * MIB)
})

test('after a reload the same file is chosen again, and the rest is sent', async () => {
  await open()
  await begin(5 * MIB)
  await reload()
  await expect.poll(() => words().innerText()).toBe('Interrupted. Choose the same file to go on')
  const bar = page.getByRole('progressbar', { name: 'Progress of film.bin' })
  expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(0.6)
  expect(await visitor.flaws()).toEqual([])
  await page.setInputFiles('#files', join(folder.path, 'film.bin'))
  await expectWhole()
  expect(offsets.at(-1)).toBeGreaterThanOrEqual(4 * MIB)
  await page.reload()
  expect(await words().count()).toBe(0)
})

test('after a reload a file that the page may read again goes on by itself, though the key is used up', async () => {
  await page.addInitScript((size) => {
    const pick = async () => {
      const root = await navigator.storage.getDirectory()
      const handle = await root.getFileHandle('film.bin', { create: true })
      if ((await handle.getFile()).size !== size) {
        const response = await fetch('/-/film-for-the-test')
        const writable = await handle.createWritable()
        await writable.write(await response.arrayBuffer())
        await writable.close()
      }
      return [handle]
    }
    Object.assign(window, { showOpenFilePicker: pick })
  }, FILM.length)
  await page.route('**/-/film-for-the-test', (route) => route.fulfill({ body: FILM }))
  await open({ uses: 1 })
  await button('Choose a file').click()
  await button(/^Send /).waitFor()
  dam.let(5 * MIB)
  await button(/^Send /).click()
  await dam.full()
  await reload()
  await expectWhole()
  expect(offsets.at(-1)).toBeGreaterThanOrEqual(4 * MIB)
})

test('a second tab leaves alone what the first one holds, and has it when that is closed', async () => {
  await open()
  await begin(5 * MIB, 'long.bin')
  await button('Pause long.bin').click()
  dam.open()
  const first = page
  page = await visitor.context.newPage()
  await page.goto(`${dam.url}/-/drop#${key}`)
  await page.locator('.zone').waitFor()
  expect(await words().count()).toBe(0)
  await first.close()
  await expect.poll(() => words().innerText()).toBe('Interrupted. Choose the same file to go on')
  await page.setInputFiles('#files', join(folder.path, 'long.bin'))
  await expectWhole('long.bin', LONG)
})

test('a key that expires meanwhile is no loss for what had begun', async () => {
  let ahead = 0
  const own = await openHouse({
    clock: { now: () => (Math.floor(Date.now() / 1000) + ahead) as never },
  })
  const line = await startDam(own.gateway.port)
  try {
    key = own.mint({ methods: ['PUT'], path: inbox, create: true, exp: own.now() + 600 })
    await page.goto(`${line.url}/-/drop#${key}`)
    await page.setInputFiles('#files', join(folder.path, 'film.bin'))
    line.let(5 * MIB)
    await button(/^Send /).click()
    await line.full()
    ahead = 700
    line.cut()
    await page.getByText(/^Interrupted\. Next try in/).waitFor()
    line.open()
    line.mend()
    await page.getByRole('heading', { name: 'Your file has arrived' }).waitFor()
  } finally {
    await line.close()
    await own.close()
  }
})

test('what is called off is forgotten on both sides', async () => {
  await open()
  await begin(5 * MIB)
  const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE')
  await button('Remove film.bin').click()
  dam.open()
  expect((await deleted).status()).toBe(204)
  await page.locator('.queue').waitFor({ state: 'hidden' })
  await page.reload()
  await page.locator('.zone').waitFor()
  expect(await words().count()).toBe(0)
})

test('nothing that is kept holds the key', async () => {
  await open()
  await begin(5 * MIB)
  const kept = await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('valetkey-drop')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const all = await new Promise<unknown[]>((resolve) => {
      const request = database.transaction('uploads').objectStore('uploads').getAll()
      request.onsuccess = () => resolve(request.result)
    })
    return JSON.stringify([all, { ...localStorage }, { ...sessionStorage }, document.cookie])
  })
  expect(kept).toContain('film.bin')
  expect(kept).not.toContain('vk1')
})

/** The page asks whether to leave, since something is on its way; the visitor says yes. */
async function reload(): Promise<void> {
  const asked = page.waitForEvent('dialog')
  const reloaded = page.reload()
  expect((await asked).type()).toBe('beforeunload')
  dam.cut()
  dam.open()
  dam.mend()
  await reloaded
  await page.locator('.drop').waitFor()
}
