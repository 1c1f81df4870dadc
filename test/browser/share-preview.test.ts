/** What strangers stored is looked at, and never runs: by link, by page, by preview. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { PDF } from '../support/media.ts'
import { startChromium } from './support/chromium.ts'
import { fillFolder, RUNNING_HTML, store } from './support/stored.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
let page: Page

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  await fillFolder(house, 'team/summer/')
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

beforeEach(async () => {
  visitor = await visit(browser)
  page = visitor.page
})
afterEach(() => visitor.close())

const FOLDER = { path: 'team/summer/', methods: ['GET' as const, 'LIST' as const] }

async function look(name: string): Promise<void> {
  await page.goto(`${house.gateway.url}/-/share#${house.mint(FOLDER)}`)
  await page.getByRole('button', { name: `Preview ${name}`, exact: true }).click()
  await page.getByRole('dialog').waitFor()
}

/** Nothing of a page ran that says so in every way it can. */
async function nothingRan(): Promise<void> {
  // what runs has had the time in which these were answered
  await page.evaluate(() => fetch('/-/health').then((answer) => answer.text())).catch(() => {})
  expect(visitor.requests.filter((url) => url.includes('ran='))).toEqual([])
  expect(await page.title()).not.toBe('ran')
}

describe('a preview', () => {
  test('of an image is that image', async () => {
    await look('picture.png')
    const image = page.locator('.stage img')
    await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1)
    expect(await image.getAttribute('alt')).toBe('picture.png')
    expect(await visitor.flaws()).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('of a sound plays, and goes on with another link when its own has run out', async () => {
    await look('tone.wav')
    const sound = page.locator('.stage audio')
    const facts = () => sound.evaluate(({ duration, src }: HTMLAudioElement) => ({ duration, src }))
    await expect.poll(async () => (await facts()).duration).toBe(1)
    const before = (await facts()).src
    // as after a minute: the page takes its time from the clock, and the link answers no more
    await page.evaluate(() => {
      const { now } = Date
      Date.now = () => now() + 50_000
      document.querySelector('audio')?.dispatchEvent(new Event('error'))
    })
    await expect.poll(async () => (await facts()).src).not.toBe(before)
    await expect.poll(async () => (await facts()).duration).toBe(1)
    expect(visitor.complaints).toEqual([])
  })

  test('of a small film has room for what plays it', async () => {
    const clip = readFileSync(new URL('support/clip.webm', import.meta.url))
    await store(house, 'team/summer/clip.webm', 'video/webm', clip)
    await look('clip.webm')
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 740 })
      const video = page.locator('.stage video')
      await expect
        .poll(() => video.evaluate((media: HTMLVideoElement) => media.readyState))
        .toBeGreaterThan(0)
      const box = await video.boundingBox()
      expect(box?.width).toBeGreaterThanOrEqual(320)
      expect(box?.width).toBeLessThanOrEqual(width)
      expect(box?.height).toBeGreaterThanOrEqual(180)
    }
  })

  test('of text is its beginning, as text', async () => {
    await store(house, 'team/summer/long.log', 'text/plain', `start ${'x'.repeat(400_000)} end`)
    await look('long.log')
    await page.getByText('This is the beginning. The whole file is 391 KiB.').waitFor()
    const text = await page.locator('.stage pre').innerText()
    expect([text.startsWith('start x'), text.length]).toEqual([true, 256 * 1024])
    expect(await visitor.flaws()).toEqual([])
  })

  test('of a PDF is left to the browser’s own reader, of bytes whose type the page states', async () => {
    await store(house, 'team/summer/report.pdf', 'application/pdf', PDF)
    // this Chromium has no reader; those of people have one
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'pdfViewerEnabled', { value: true })
      const make = URL.createObjectURL
      URL.createObjectURL = (blob) => {
        document.documentElement.dataset.made = (blob as Blob).type
        return make(blob)
      }
    })
    await look('report.pdf')
    expect(await page.locator('.stage iframe').getAttribute('src')).toMatch(/^blob:http/)
    expect(await page.locator('html').getAttribute('data-made')).toBe('application/pdf')
    expect(visitor.complaints).toEqual([])
  })

  test('of what it can not show is a sentence, also where a file is not what it says', async () => {
    await store(
      house,
      'team/summer/broken.jpg',
      'image/jpeg',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
    )
    await look('big.bin')
    await page.getByText('There is no preview of this kind of file.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Preview broken.jpg', exact: true }).click()
    await page.getByText('The preview can’t be shown.').waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test('of a file that is gone says so', async () => {
    await store(house, 'team/summer/short-lived.txt', 'text/plain', 'x')
    await page.goto(`${house.gateway.url}/-/share#${house.mint(FOLDER)}`)
    const name = page.getByRole('button', { name: 'Preview short-lived.txt', exact: true })
    await name.waitFor()
    const headers = { authorization: `Bearer ${house.mint({ methods: ['DELETE'] })}` }
    await fetch(house.url('team/summer/short-lived.txt'), { method: 'DELETE', headers })
    await name.click()
    await page.getByRole('alert').getByText('This file is no longer there.').waitFor()
    await name.waitFor({ state: 'detached' })
  })
})

describe('a page that tries to run', () => {
  test.each(['page.html', 'drawing.svg'])('does not in a preview: %s', async (name) => {
    await look(name)
    const shown = name === 'page.html' ? page.locator('.stage pre') : page.locator('.stage img')
    await shown.waitFor()
    if (name === 'page.html') expect(await shown.innerText()).toContain('<script>')
    else {
      await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(80)
    }
    await nothingRan()
    expect(visitor.complaints).toEqual([])
  })

  test.each(['page.html', 'drawing.svg'])('does not on a page of its own: %s', async (name) => {
    const key = house.mint({ path: `team/summer/${name}`, methods: ['GET'] })
    await page.goto(`${house.gateway.url}/-/share#${key}`)
    await page.locator('.stage pre, .stage img').waitFor()
    await nothingRan()
    expect(visitor.complaints).toEqual([])
  })

  const INLINE = { 'content-disposition': 'inline', 'content-type': 'text/html' }

  test.each([
    ['page.html', {}],
    ['page.html', { respond: INLINE }],
    ['drawing.svg', {}],
    ['drawing.svg', { respond: { ...INLINE, 'content-type': 'image/svg+xml' } }],
    ['notes.txt', { respond: INLINE }],
  ])('does not by link, whatever the key says: %s %j', async (name, claims) => {
    const key = house.mint({ path: `team/summer/${name}`, methods: ['GET'], ...claims })
    await page.goto(`${house.gateway.url}/-/health`)
    const download = page.waitForEvent('download')
    await page.evaluate((url) => location.assign(url), house.url(`team/summer/${name}`, key))
    await (await download).path()
    await nothingRan()
  })

  test('does not as an inline text or image that is something else', async () => {
    await store(house, 'team/summer/claimed.txt', 'text/plain', RUNNING_HTML)
    for (const name of ['claimed.txt', 'picture.png']) {
      const key = house.mint({ path: `team/summer/${name}`, methods: ['GET'] })
      await page.goto(house.url(`team/summer/${name}`, key))
      await nothingRan()
    }
    expect(await page.evaluate(() => document.contentType)).toBe('image/png')
  })

  test('does not in a frame: what is stored can not be framed', async () => {
    const key = house.mint({ path: 'team/summer/notes.txt', methods: ['GET'] })
    await page.goto(`${house.gateway.url}/-/health`)
    const url = house.url('team/summer/notes.txt', key)
    await page.evaluate((src) => {
      const frame = document.createElement('iframe')
      frame.src = src
      document.body.append(frame)
    }, url)
    await expect.poll(() => visitor.complaints.join()).toContain("frame-ancestors 'none'")
  })
})
