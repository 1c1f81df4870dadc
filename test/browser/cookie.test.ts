/** A page that shows what a key opens without writing the key into any URL: it has a cookie. */
import { readFileSync } from 'node:fs'
import type { Browser, Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { startChromium } from './support/chromium.ts'
import { store, wave } from './support/stored.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
let page: Page
let key: string

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  const clip = readFileSync(new URL('support/clip.webm', import.meta.url))
  await store(house, 'films/clip.webm', 'video/webm', clip)
  await store(house, 'films/long.wav', 'audio/wav', wave(30 << 20))
  await store(house, 'other/secret.txt', 'text/plain', 'not yours')
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

beforeEach(async () => {
  visitor = await visit(browser)
  page = visitor.page
  key = house.mint({ path: 'films/', methods: ['GET', 'LIST'] })
  await page.goto(`${house.gateway.url}/-/health`)
  expect(await exchange('POST')).toBe(204)
})
afterEach(async () => {
  expect(visitor.leaks(key)).toEqual([])
  expect(visitor.requests.filter((url) => url.includes('vk='))).toEqual([])
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

const exchange = (method: string): Promise<number> =>
  page.evaluate(
    async ([method, key]) => {
      const headers = { Authorization: `Bearer ${key}` }
      return (await fetch('/-/cookie', { method, headers })).status
    },
    [method, key] as const,
  )

const statusOf = (path: string): Promise<number> =>
  page.evaluate(async (url) => (await fetch(url)).status, path)

test('a video plays by its plain address', async () => {
  await page.setContent('<video src="/films/clip.webm" muted autoplay></video>')
  const video = page.locator('video')
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.ended)).toBe(true)
  const size = await video.evaluate(({ videoWidth, videoHeight }: HTMLVideoElement) => [
    videoWidth,
    videoHeight,
  ])
  expect(size).toEqual([64, 64])
})

test('a long recording is fetched in the parts that are listened to', async () => {
  const responses: Response[] = []
  page.on('response', (response) => void responses.push(response))
  // headers come when they come, responses in order
  const ranges = async (): Promise<readonly string[]> => {
    const all = responses.map(async (response) => {
      const { range } = await response.request().allHeaders()
      return `${range} ${response.status()}`
    })
    return Promise.all(all)
  }
  await page.setContent('<video src="/films/long.wav" preload="metadata"></video>')
  await page.locator('video').evaluate(async (video: HTMLVideoElement) => {
    const told = (name: string) =>
      new Promise((resolve) => video.addEventListener(name, resolve, { once: true }))
    if (video.readyState < 1) await told('loadedmetadata')
    video.currentTime = video.duration - 2
    await told('seeked')
  })
  await expect
    .poll(async () => (await ranges()).some((one) => /^bytes=[1-9]\d+-\S* 206$/.test(one)))
    .toBe(true)
  expect((await ranges())[0]).toBe('bytes=0- 206')
})

test('only what the key opens is open, to no script, and only until it is taken away', async () => {
  expect(await statusOf('/films/')).toBe(200)
  expect(await statusOf('/other/secret.txt')).toBe(401)
  expect(await page.evaluate(() => document.cookie)).toBe('')
  expect(await exchange('DELETE')).toBe(204)
  expect(await statusOf('/films/clip.webm')).toBe(401)
})
