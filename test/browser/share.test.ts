/** Somebody opens a link, looks at what is there, and takes it along. */
import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readBlocks, readKey } from '../../key/sign.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { unzip } from '../support/zip.ts'
import { startChromium } from './support/chromium.ts'
import { ARABIC, fillFolder, store } from './support/stored.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
let page: Page
/** every key that was in a fragment during a test */
let opened: string[] = []

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  await fillFolder(house, 'team/summer/')
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

beforeEach(async () => {
  opened = []
  visitor = await visit(browser)
  page = visitor.page
})
afterEach(async () => {
  expect(opened.flatMap((key) => visitor.leaks(key))).toEqual([])
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

const FOLDER = { path: 'team/summer/', methods: ['GET' as const, 'LIST' as const] }

async function open(key: string): Promise<void> {
  opened.push(key)
  await page.goto(`${house.gateway.url}/-/share#${key}`)
  await page.locator('h1').waitFor()
}

const names = (): Promise<string[]> => page.locator('.row .name').allInnerTexts()
const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true })

/** What the browser saved when a button was clicked, and the link it was saved from. */
async function saved(click: () => Promise<void>) {
  const [download] = await Promise.all([page.waitForEvent('download'), click()])
  return {
    url: new URL(download.url()),
    name: download.suggestedFilename(),
    content: await readFile(await download.path()),
  }
}

describe('a folder', () => {
  test('shows folders and files, by name as people count', async () => {
    await open(house.mint({ ...FOLDER, exp: house.now() + 86_400 }))
    expect(await page.locator('h1').innerText()).toBe('summer')
    expect(await page.title()).toBe('summer')
    expect(await page.locator('.facts').innerText()).toMatch(
      /^1 folder\s+10 files\s+Until \d+ \w+ \d{4}, \d\d:\d\d$/,
    )
    expect(await names()).toEqual([
      'inner',
      'big.bin',
      'drawing.svg',
      'file 9.txt',
      'file 10.txt',
      'notes.txt',
      'page.html',
      'photoU+202Egpj.exe',
      'picture.png',
      'tone.wav',
      ARABIC,
    ])
    expect(await visitor.flaws()).toEqual([])
  })

  test('is sorted and searched', async () => {
    await open(house.mint(FOLDER))
    await page.getByLabel('Sort by').selectOption('Size')
    expect((await names()).slice(0, 3)).toEqual(['inner', 'big.bin', 'tone.wav'])
    await page.getByRole('searchbox').fill('FILE')
    expect(await names()).toEqual(['file 9.txt', 'file 10.txt'])
    expect(await page.getByText('2 results').count()).toBe(1)
    await page.getByRole('searchbox').fill('none such')
    expect(await names()).toEqual([])
    expect(await page.getByText('Nothing here is called “none such”.').isVisible()).toBe(true)
  })

  test('is walked into and out of, also with the browser’s own buttons', async () => {
    await open(house.mint(FOLDER))
    await button('Open folder inner').click()
    await button('Open folder deeper').click()
    await button('Preview last.txt').waitFor()
    expect(await page.locator('.crumbs').innerText()).toMatch(/^summer\s+inner$/)
    await page.reload()
    await button('Preview last.txt').waitFor()
    await page.goBack()
    await button('Preview one.txt').waitFor()
    await button('summer').click()
    await button('Preview notes.txt').waitFor()
    expect(await page.locator('h1').innerText()).toBe('summer')
  })

  test('that answers late is not shown over the one that was gone to after it', async () => {
    await open(house.mint(FOLDER))
    let answer = (): void => {}
    const held = new Promise<void>((resolve) => {
      answer = resolve
    })
    await page.route('**/team/summer/inner/?*', async (route) => {
      await held
      await route.continue()
    })
    await button('Open folder inner').click()
    await page.evaluate(() => history.back())
    await button('Preview notes.txt').waitFor()
    const late = page.waitForResponse('**/team/summer/inner/?*')
    answer()
    await (await late).finished()
    await page.evaluate(() => new Promise(requestAnimationFrame))
    expect(await page.locator('h1').innerText()).toBe('summer')
  })

  test('with more than a page of files shows more on demand', async () => {
    for (let at = 0; at < 4; at += 1) await store(house, `team/many/${at}`, 'text/plain', 'x')
    const entry = (at: number) => ({
      path: `team/many/${at}`,
      size: 1,
      type: 'text/plain',
      etag: '"x"',
      modified: '2026-01-01T00:00:00Z',
    })
    await page.route('**/team/many/**', (route) => {
      const isFirst = !route.request().url().includes('after=')
      const objects = Array.from({ length: 150 }, (_, at) => entry(isFirst ? at : at + 150))
      return route.fulfill({
        json: {
          prefix: 'team/many/',
          objects,
          prefixes: [],
          ...(isFirst && { next: 'team/many/149' }),
        },
      })
    })
    await open(house.mint({ ...FOLDER, path: 'team/many/' }))
    expect(await page.locator('.row').count()).toBe(150)
    await button('Show more').click()
    await page.locator('.row').nth(299).waitFor()
    expect(await button('Show more').count()).toBe(0)
    expect(await focused()).toBe('Preview 150')
  })

  test('of which only the beginning is there says what it searched, and searches the rest', async () => {
    await store(house, 'team/huge/x', 'text/plain', 'x')
    const pages = ['', 'b', 'c']
    await page.route('**/team/huge/?**', (route) => {
      const at = pages.indexOf(new URL(route.request().url()).searchParams.get('after') ?? '')
      const objects = ['one', 'two'].map((name) => ({
        path: `team/huge/${name} of ${at}`,
        size: 1,
        type: 'text/plain',
        modified: '2026-01-01T00:00:00Z',
      }))
      return route.fulfill({ json: { objects, prefixes: [], next: pages[at + 1] } })
    })
    await open(house.mint({ ...FOLDER, path: 'team/huge/' }))
    await page.getByRole('searchbox').fill('one of 2')
    await page.getByText('Nothing searched so far is called “one of 2”.').waitFor()
    expect(await page.getByText('Only the first 2 were searched.', { exact: true }).count()).toBe(1)
    expect(await visitor.flaws()).toEqual([])
    await button('Search the rest').click()
    await page.locator('.row').waitFor()
    expect(await names()).toEqual(['one of 2'])
    expect(await focused()).toBe('Preview one of 2')
    expect(await page.getByText('were searched').count()).toBe(0)
    await page.getByRole('searchbox').fill('none such')
    expect(await page.getByText('Nothing here is called “none such”.').isVisible()).toBe(true)
  })

  test('deep inside has a way back that fits, and unfolds', async () => {
    const inner = Array.from({ length: 6 }, (_, at) => `${at}/`)
    await store(house, `team/deep/${inner.join('')}last.txt`, 'text/plain', 'x')
    await open(house.mint({ ...FOLDER, path: 'team/deep/' }))
    for (const at of inner) await button(`Open folder ${at.slice(0, -1)}`).click()
    await button('Preview last.txt').waitFor()
    const crumbs = () => page.locator('.crumbs button').allInnerTexts()
    expect(await crumbs()).toEqual(['deep', '…', '3', '4'])
    await button('Show the folders in between').click()
    expect(await crumbs()).toEqual(['deep', '0', '1', '2', '3', '4'])
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('0')
    await button('2').click()
    await button('Open folder 3').waitFor()
  })

  test('whose names differ by spaces alone shows them', async () => {
    await store(house, 'team/spaces/a  b.txt', 'text/plain', 'x')
    await open(house.mint({ ...FOLDER, path: 'team/spaces/' }))
    expect(await names()).toEqual(['a  b.txt'])
  })

  test('that is empty says so; one whose key does not list asks for a name', async () => {
    await open(house.mint({ ...FOLDER, path: 'team/empty/' }))
    expect(await page.getByText('There is nothing here.').isVisible()).toBe(true)
    await open(house.mint({ path: 'team/summer/', methods: ['GET'] }))
    await page.getByText('it does not show what is there').waitFor()
    await page.getByLabel('Name of the file').fill('notes.txt')
    await button('Open').click()
    await page.getByText('first line').waitFor()
    expect(await visitor.flaws()).toEqual([])
    await button('summer').click()
    await page.getByLabel('Name of the file').fill('nothing')
    await button('Open').click()
    await page.getByRole('alert').getByText('There is no file of this name here.').waitFor()
    expect(await page.getByLabel('Name of the file').getAttribute('aria-invalid')).toBe('true')
    expect(await visitor.flaws()).toEqual([])
  })

  test('whose key does not download shows names only', async () => {
    await open(house.mint({ path: 'team/summer/', methods: ['LIST'] }))
    await page.getByText('does not let you download it').waitFor()
    expect(await page.getByRole('button', { name: /Preview|Download/ }).count()).toBe(0)
  })
})

describe('a download', () => {
  test('is a link for a minute, to that one file', async () => {
    const key = house.mint(FOLDER)
    await open(key)
    const { url, name, content } = await saved(() => button('Download big.bin').click())
    expect([name, content.length]).toEqual(['big.bin', 150_000])
    const link = url.searchParams.get('vk') ?? ''
    const block = readBlocks(readKey(link)).at(-1)
    expect(block).toEqual({
      path: 'team/summer/big.bin',
      methods: ['GET'],
      exp: expect.any(Number),
    })
    expect(block?.exp).toBeLessThanOrEqual(house.now() + 60)
    expect((await ask(house.url('team/summer/notes.txt', link))).code).toBe('path_not_granted')
    expect((await ask(house.url('team/summer/', link))).code).toBe('method_not_granted')
    await page.getByText('The download of big.bin has begun.').waitFor()
  })

  test('of a file that is gone is told, and the list read anew', async () => {
    await store(house, 'team/going/a.txt', 'text/plain', 'a')
    await store(house, 'team/going/b.txt', 'text/plain', 'b')
    await open(house.mint({ ...FOLDER, path: 'team/going/' }))
    const remover = house.mint({ methods: ['DELETE'] })
    await ask(house.url('team/going/a.txt', remover), { method: 'DELETE' })
    await button('Download a.txt').click()
    await page.getByRole('alert').getByText('This file is no longer there.').waitFor()
    await button('Preview a.txt').waitFor({ state: 'detached' })
    expect(await names()).toEqual(['b.txt'])
  })

  test('of one file on a page of its own', async () => {
    await open(house.mint({ path: `team/summer/${ARABIC}`, methods: ['GET'] }))
    expect(await page.locator('h1 bdi').innerText()).toBe(ARABIC)
    const { name, content } = await saved(() => button('Download').click())
    expect([name, content.toString()]).toEqual([ARABIC, 'نص'])
    expect(await visitor.flaws()).toEqual([])
  })

  test('of what a key of several paths opens', async () => {
    const path = ['team/summer/notes.txt', 'team/summer/inner/', 'team/nowhere.txt']
    await open(house.mint({ ...FOLDER, path }))
    expect(await names()).toEqual(['inner', 'notes.txt'])
    await button('Open folder inner').click()
    await button('Preview one.txt').waitFor()
    await button('Shared files').click()
    await button('Preview notes.txt').waitFor()
    await page.goBack()
    await button('Preview one.txt').waitFor()
    await page.goBack()
    const { content } = await saved(() => button('Download notes.txt').click())
    expect(content.toString()).toContain('second')
  })
})

describe('a key that can be narrowed no further', () => {
  test('shows and gives the file all the same, and still is in no URL', async () => {
    const full = Array.from({ length: 7 }).reduce<string>(
      (key) => house.narrow(key, { methods: ['GET'] }),
      house.mint({ path: 'team/summer/picture.png', methods: ['GET'] }),
    )
    await open(full)
    const image = page.locator('.stage img')
    await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1)
    const { url, name, content } = await saved(() => button('Download').click())
    expect([url.protocol, name]).toEqual(['blob:', 'picture.png'])
    expect(content).toEqual(PNG)
  })
})

describe('a zip', () => {
  const ALL = [
    'big.bin',
    'drawing.svg',
    'file 10.txt',
    'file 9.txt',
    'inner/deeper/last.txt',
    'inner/one.txt',
    'notes.txt',
    'page.html',
    expect.stringMatching(/^photo.+gpj\.exe$/),
    'picture.png',
    'tone.wav',
    ARABIC,
  ]

  test('holds everything, byte for byte', async () => {
    await open(house.mint(FOLDER))
    const { url, name, content } = await saved(() => button('Download all').click())
    expect(name).toBe('summer.zip')
    const files = await unzip(content)
    expect([...files.keys()].sort()).toEqual(ALL)
    expect(files.get('big.bin')?.content).toEqual(Buffer.alloc(150_000))
    expect(files.get('inner/deeper/last.txt')?.content.toString()).toBe('last')
    const block = readBlocks(readKey(url.searchParams.get('vk') ?? '')).at(-1)
    expect([block?.path, block?.methods]).toEqual(['team/summer/', ['GET', 'LIST']])
  })

  test('holds what was chosen, files and folders, also over a search', async () => {
    await open(house.mint(FOLDER))
    await page.getByRole('checkbox', { name: 'Select inner' }).check()
    await page.getByRole('searchbox').fill('notes')
    await page.getByRole('checkbox', { name: 'Select notes.txt' }).check()
    expect(await page.getByText('2 selected').isVisible()).toBe(true)
    const { content } = await saved(() => button('Download').click())
    const files = await unzip(content)
    expect([...files.keys()].sort()).toEqual([
      'inner/deeper/last.txt',
      'inner/one.txt',
      'notes.txt',
    ])
    expect(files.get('notes.txt')?.content.toString()).toBe('Grüße, first line\nsecond')
  })

  test('of one file is that file; of more than a link can name, a sentence', async () => {
    await open(house.mint(FOLDER))
    await page.getByRole('checkbox', { name: 'Select notes.txt' }).check()
    const { name } = await saved(() => button('Download').click())
    expect(name).toBe('notes.txt')
    for (let at = 0; at < 61; at += 1) {
      await store(house, `team/sixty/${at}`, 'text/plain', 'x')
    }
    await open(house.mint({ ...FOLDER, path: 'team/sixty/' }))
    for (const box of await page.getByRole('checkbox').all()) await box.check()
    await button('Download').click()
    await page.getByRole('alert').getByText('Select at most 60 for one zip file').waitFor()
  })

  test('of what the command line shared has a name that says something', async () => {
    await store(house, 'shared/share-Zm9vYmFyYmF6/a.txt', 'text/plain', 'a')
    await open(house.mint({ ...FOLDER, path: 'shared/share-Zm9vYmFyYmF6/' }))
    expect(await page.locator('h1').innerText()).toBe('Shared files')
    const { name } = await saved(() => button('Download all').click())
    expect(name).toBe('Shared files.zip')
  })

  test('is all that the last use of a key is for', async () => {
    const key = house.mint({ ...FOLDER, uses: 1 })
    await open(key)
    await page.getByText('nothing could be downloaded afterwards').waitFor()
    const { content } = await saved(() => button('Download all').click())
    expect((await unzip(content)).size).toBe(ALL.length)
    await page.getByRole('heading', { name: 'Your download has begun' }).waitFor()
    expect(await page.locator('.badge.good').count()).toBe(1)
    expect(await visitor.flaws()).toEqual([])
  })
})

describe('a key that counts its uses', () => {
  const usesLeft = async (key: string): Promise<number> =>
    (
      await ask(`${house.gateway.url}/-/key`, { headers: { authorization: `Bearer ${key}` } })
    ).json().uses.left

  test('is not spent by opening the page of a file, but by the preview that somebody wants', async () => {
    const key = house.mint({ path: 'team/summer/notes.txt', methods: ['GET'], uses: 2 })
    await open(key)
    await page.getByText('The preview takes one of 2 uses that are left.').waitFor()
    expect(await usesLeft(key)).toBe(2)
    expect(await page.locator('.facts').innerText()).toContain('2 uses left')
    await button('Show preview').press('Enter')
    await page.getByText('first line').waitFor()
    await page.locator('pre:focus').waitFor()
    expect(await usesLeft(key)).toBe(1)
  })

  test('is not spent by opening a folder, but by the list that somebody wants', async () => {
    const key = house.mint({ ...FOLDER, uses: 3 })
    await open(key)
    await page.getByText('Looking at the list takes one of them.').waitFor()
    expect(await usesLeft(key)).toBe(3)
    await button('Show the list').click()
    await button('Preview notes.txt').waitFor()
    expect(await usesLeft(key)).toBe(2)
  })
})

describe('with a keyboard alone', () => {
  test('a selection that is called off leaves one where it was', async () => {
    await open(house.mint(FOLDER))
    for (const name of ['notes.txt', 'file 9.txt']) {
      await page.getByRole('checkbox', { name: `Select ${name}` }).press('Space')
    }
    await button('Cancel').press('Enter')
    expect(await focused()).toBe('Select file 9.txt')
  })

  test('what has the focus is not beneath the bar of what is chosen', async () => {
    await page.setViewportSize({ width: 360, height: 500 })
    await open(house.mint(FOLDER))
    await page.getByRole('checkbox').first().press('Space')
    const boxes = await page.getByRole('checkbox').count()
    for (let at = 1; at < boxes; at += 1) {
      await page.keyboard.press('Tab')
      while (!(await focused())?.startsWith('Select ')) await page.keyboard.press('Tab')
      const isSeen = await page.evaluate(() => {
        const bar = document.querySelector('.selection')?.getBoundingClientRect()
        const focus = document.activeElement?.getBoundingClientRect()
        return focus !== undefined && bar !== undefined && focus.bottom <= bar.top
      })
      expect(isSeen, `checkbox ${at}`).toBe(true)
    }
  })

  test('a file is found, looked at, left, and the next one reached', async () => {
    await open(house.mint(FOLDER))
    await page.getByRole('searchbox').focus()
    for (let at = 0; at < 30 && (await focused()) !== 'Preview notes.txt'; at += 1) {
      await page.keyboard.press('Tab')
    }
    expect(await focused()).toBe('Preview notes.txt')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'notes.txt' }).waitFor()
    await page.getByText('first line').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('dialog', { name: 'page.html' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('dialog', { name: 'notes.txt' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused()).toBe('Preview notes.txt')
  })
})

describe('for other people', () => {
  test.each([
    ['de-AT', 'de-AT', 'Alles herunterladen'],
    ['zh-CN', 'zh-CN', '全部下载'],
    ['fr-FR', 'en', 'Download all'],
  ])('with a browser in %s the page is in %s', async (locale, language, words) => {
    const other = await visit(browser, { locale })
    await other.page.goto(`${house.gateway.url}/-/share#${house.mint(FOLDER)}`)
    await other.page.getByRole('button', { name: words }).waitFor()
    expect(await other.page.evaluate(() => document.documentElement.lang)).toBe(language)
    expect(other.complaints).toEqual([])
    await other.close()
  })

  test.each([true, false])('the listing of a plain link can be read, dark %s', async (dark) => {
    const other = await visit(browser, { dark })
    await other.page.goto(house.url('team/summer/', house.mint(FOLDER)))
    await other.page.getByRole('link', { name: 'photoU+202Egpj.exe' }).waitFor()
    expect(await other.flaws()).toEqual([])
    await other.page.goto(house.url('team/summer/none/', house.mint(FOLDER)))
    await other.page.getByText('Nothing here.').waitFor()
    expect(await other.flaws()).toEqual([])
    await other.close()
  })

  test.each([{ dark: true }, { width: 320, locale: 'de-DE' }])(
    'a plain link that is refused can be read at %j',
    async (options) => {
      const other = await visit(browser, options)
      const gone = house.url('team/summer/none.txt', house.mint(FOLDER))
      expect((await other.page.goto(gone))?.status()).toBe(404)
      const heading = options.locale
        ? 'Diese Datei gibt es nicht mehr'
        : 'This file is no longer there'
      await other.page.getByRole('heading', { name: heading }).waitFor()
      expect(await other.flaws()).toEqual([])
      const room = await other.page.evaluate(
        () => document.documentElement.scrollWidth - innerWidth,
      )
      expect(room).toBeLessThanOrEqual(0)
      expect([other.complaints, other.requests]).toEqual([[], [gone]])
      await other.close()
    },
  )

  test.each([
    { width: 320, dark: true },
    { width: 320, locale: 'de-DE' },
    { width: 320, locale: 'zh-CN' },
    { width: 1600, dark: true },
  ])('at %j nothing overflows or lies upon what can be pressed', async (options) => {
    const other = await visit(browser, options)
    await other.page.goto(`${house.gateway.url}/-/share#${house.mint(FOLDER)}`)
    await other.page.getByRole('checkbox').first().check()
    await other.page.getByRole('checkbox').last().check()
    expect(await other.flaws()).toEqual([])
    const room = await other.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(room).toBeLessThanOrEqual(0)
    const [take, clear] = await other.page.locator('.selection button').all()
    await take?.click()
    await other.page.locator('.shelf .notice').waitFor()
    for (const one of [take, clear]) await one?.click({ trial: true, timeout: 2000 })
    await other.close()
  })
})
