/** Somebody was asked for files, and sends them. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import { hashPin } from '../../key/node-pin.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PDF, PNG } from '../support/media.ts'
import { pattern } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { startChromium } from './support/chromium.ts'
import { startDam } from './support/dam.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
let page: Page
let opened: string[] = []
let inbox: string
let inboxes = 0

beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

const begin = async (options?: Parameters<typeof visit>[1]): Promise<void> => {
  visitor = await visit(browser, options)
  page = visitor.page
}
beforeEach(() => {
  opened = []
  inboxes += 1
  inbox = `inbox/${inboxes}/`
})
afterEach(async () => {
  expect(opened.flatMap((key) => visitor.leaks(key))).toEqual([])
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

async function open(claims: Partial<FirstBlock> = {}): Promise<string> {
  const key = house.mint({ methods: ['PUT'], path: inbox, create: true, ...claims })
  opened.push(key)
  await page.goto(`${house.gateway.url}/-/drop#${key}`)
  await page.locator('h1').waitFor()
  return key
}

const button = (name: string | RegExp) => page.getByRole('button', { name })
const send = () => button(/^Send /).click()
const rows = () => page.locator('.queue .row')
const arrived = (heading: string | RegExp) => page.getByRole('heading', { name: heading }).waitFor()
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const text = (name: string, content: string | Buffer, mimeType = 'text/plain') => ({
  name,
  mimeType,
  buffer: Buffer.from(content),
})

/** What the gateway holds under a path now. */
async function stored(path: string): Promise<string | undefined> {
  const { status, body } = await ask(house.url(path, house.mint({ methods: ['GET'] })))
  return status === 200 ? Buffer.from(body).toString('latin1') : undefined
}

/** Files and folders of the disk, let go over the middle of the page. */
async function drop(...files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: [...files], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
  }
}

describe('sending', () => {
  test('files that were chosen arrive, and a receipt tells which', async () => {
    await begin()
    await open()
    const large = Buffer.from(pattern(1_500_000))
    await page.setInputFiles('#files', [text('a b#1.txt', 'hello'), text('large.bin', large)])
    await button(/^Send 2 files/).waitFor()
    expect(await rows().allInnerTexts()).toEqual([
      expect.stringMatching(/^a b#1\.txt\s+5 bytes · Ready to send/),
      expect.stringMatching(/^large\.bin\s+1\.4\sMiB · Ready to send/),
    ])
    expect(await stored(`${inbox}a b#1.txt`)).toBeUndefined()
    await send()
    await arrived('All 2 files have arrived')
    expect(await stored(`${inbox}a b#1.txt`)).toBe('hello')
    expect(await stored(`${inbox}large.bin`)).toBe(large.toString('latin1'))
    const lines = [`${sha256(Buffer.from('hello'))}  a b#1.txt`, `${sha256(large)}  large.bin`]

    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      button('Receipt as text').click(),
    ])
    const receipt = await readFile(await saved.path(), 'utf8')
    expect(receipt).toMatch(/^# Sent to 127\.0\.0\.1:\d+, /)
    expect(receipt.trim().split('\n').slice(1).sort()).toEqual(lines.sort())
    const [table] = await Promise.all([page.waitForEvent('download'), button('as a table').click()])
    expect(await readFile(await table.path(), 'utf8')).toContain(
      `large.bin,1500000,${sha256(large)}`,
    )
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await button('Copy').click()
    await page.getByText('The receipt has been copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(lines[0])

    await page.reload()
    await arrived('All 2 files have arrived')
    expect(await page.locator('.digest').allInnerTexts()).toHaveLength(2)
  })

  test('a folder that was dropped keeps its shape; what systems leave in it stays behind', async () => {
    const folder = tempFolder()
    try {
      mkdirSync(join(folder.path, 'album/day 1'), { recursive: true })
      writeFileSync(join(folder.path, 'album/cover.png'), PNG)
      writeFileSync(join(folder.path, 'album/.DS_Store'), 'litter')
      for (let at = 0; at < 120; at += 1) {
        writeFileSync(join(folder.path, `album/day 1/${at}.txt`), String(at))
      }
      writeFileSync(join(folder.path, 'beside.txt'), 'beside')
      await begin()
      await open()
      await drop(join(folder.path, 'album'), join(folder.path, 'beside.txt'))
      await button(/^Send 122 files/).waitFor()
      expect(await rows().count()).toBe(100)
      expect(await page.getByText('and 22 files more').isVisible()).toBe(true)
      await send()
      await arrived('All 122 files have arrived')
      expect(await stored(`${inbox}album/cover.png`)).toBe(PNG.toString('latin1'))
      expect(await stored(`${inbox}album/day 1/119.txt`)).toBe('119')
      expect(await stored(`${inbox}beside.txt`)).toBe('beside')
      expect(await stored(`${inbox}album/.DS_Store`)).toBeUndefined()
    } finally {
      folder.remove()
    }
  })

  test('what was pasted is sent, too', async () => {
    await begin()
    await open()
    await page.evaluate(() => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(['pasted'], 'image.png', { type: 'image/png' }))
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
    })
    await send()
    await arrived('Your file has arrived')
    expect(await stored(`${inbox}image.png`)).toBe('pasted')
  })

  test('a name that is taken gets a number, and nobody loses a file', async () => {
    await begin()
    await open()
    const put = house.mint({ methods: ['PUT'] })
    for (const name of ['note.txt', 'large.bin']) {
      await ask(house.url(inbox + name, put), { method: 'PUT', body: 'theirs' })
    }
    const large = Buffer.from(pattern(1_200_000))
    await page.setInputFiles('#files', [text('note.txt', 'mine'), text('large.bin', large)])
    await send()
    await arrived('All 2 files have arrived')
    expect(await stored(`${inbox}note.txt`)).toBe('theirs')
    expect(await stored(`${inbox}note (1).txt`)).toBe('mine')
    expect(await stored(`${inbox}large (1).bin`)).toBe(large.toString('latin1'))
    await page.getByText('Sent as note.txt; that name was taken').waitFor()
  })

  test('a key for one object takes one file, whatever it is called', async () => {
    await begin()
    await open({ path: `${inbox}report.pdf`, uses: 1, size: [1, 2048] })
    expect(await page.locator('h1').innerText()).toBe('Send a file')
    expect(await page.locator('.facts').innerText()).toMatch(/^Up to 2\sKiB\s+One file/)
    expect(await page.getByRole('heading', { name: 'Drop the file here' }).count()).toBe(1)
    expect(await page.locator('.zone button').allInnerTexts()).toEqual(['Choose a file'])
    await page.setInputFiles('#files', text('anything.pdf', PDF, 'application/pdf'))
    await send()
    await arrived('Your file has arrived')
    expect(await stored(`${inbox}report.pdf`)).toBe(PDF.toString('latin1'))
    await page.locator('.notice.good').getByText('As many files as this link allows').waitFor()
  })

  test('a key for several folders lets one say into which', async () => {
    await begin()
    await open({ path: [`${inbox}a/`, `${inbox}b/`] })
    await page.getByLabel('Into the folder').selectOption(`${inbox}b/`)
    await page.setInputFiles('#files', text('here.txt', 'x'))
    await send()
    await arrived('Your file has arrived')
    expect(await stored(`${inbox}b/here.txt`)).toBe('x')
  })

  test('below a path of a proxy nothing is different', async () => {
    const below = await openHouse({ gateway: { basePath: '/files' } })
    try {
      await begin()
      const key = below.mint({ methods: ['PUT', 'GET'], path: 'inbox/', create: true })
      await page.goto(`${below.gateway.url}/files/-/drop#${key}`)
      await page.setInputFiles('#files', [
        text('small.txt', 'small'),
        text('large.bin', Buffer.from(pattern(1_200_000))),
      ])
      await send()
      await arrived('All 2 files have arrived')
      const url = `${below.gateway.url}/files/inbox/large.bin?vk=${key}`
      expect((await ask(url)).body).toHaveLength(1_200_000)
    } finally {
      await below.close()
    }
  })
})

describe('limits', () => {
  test('are said before anything is sent, and what does not fit is never sent', async () => {
    await begin()
    await open({
      size: [2, 1_000_000],
      types: ['image/*', 'application/pdf'],
      match: '*.png',
      uses: 2,
      exp: house.now() + 90_000,
    })
    expect(await page.locator('.facts').innerText()).toMatch(
      /^Up to 976\sKiB each\s+At least 2 bytes each\s+Only images and PDF\s+Names such as \*\.png\s+Up to 2 files\s+Until /,
    )
    await page.setInputFiles('#files', [
      text('good.png', PNG, 'image/png'),
      text('large.png', Buffer.alloc(1_000_001), 'image/png'),
      text('small.png', 'x', 'image/png'),
      text('page.html', '<b>bold</b>', 'text/html'),
      text('photo.jpg', PNG, 'image/png'),
      text('second.png', PNG, 'image/png'),
      text('third.png', PNG, 'image/png'),
    ])
    await button(/^Send 2 files/).waitFor()
    const words = (await page.locator('.queue .words').allInnerTexts()).map((said) => said.trim())
    expect(words).toEqual([
      'Ready to send',
      'Too large: this link takes files of up to 976\u00a0KiB.',
      'Too small: this link asks for at least 2 bytes.',
      'This link takes images and PDF only.',
      'The name does not fit “*.png”, which this link asks for.',
      'Ready to send',
      'One too many: this link takes no more files.',
    ])
    await send()
    await arrived('2 files have arrived')
    expect(
      visitor.requests.filter((url) => url.includes(inbox)).map((url) => url.split('/').at(-1)),
    ).toEqual(['good.png', 'second.png'])
    await page.reload()
    await page.getByText('As many files as this link allows have been sent.').waitFor()
    expect(await button('Choose files').count()).toBe(0)
    await arrived('All 2 files have arrived')
  })

  test('are told anew as files arrive, and what arrived before what did not', async () => {
    await begin({ width: 360, height: 740 })
    await open({ files: 3, bytes: 3000, types: ['text/*'] })
    const limits = () => page.locator('.facts').innerText()
    expect(await limits()).toMatch(/Up to 3 files\s+Up to 2\.9\sKiB in all/)
    const refused = Array.from({ length: 4 }, (_, at) => text(`${at}.png`, 'x', 'image/png'))
    await page.setInputFiles('#files', [...refused, text('a.txt', 'x'.repeat(1000))])
    await send()
    await page.locator('.arrived .row').waitFor()
    await expect.poll(limits).toMatch(/Up to 2 files\s+Up to 1\.9\sKiB in all/)
    await page.locator('#arrived-title:focus').waitFor()
    const [arrivedAt, queueAt] = await page.evaluate(() =>
      ['.arrived', '.queue'].map(
        (name) => document.querySelector(name)?.getBoundingClientRect().top ?? Number.NaN,
      ),
    )
    expect(arrivedAt).toBeLessThan(queueAt ?? 0)
    const title = await page.locator('#arrived-title').boundingBox()
    expect(title?.y).toBeGreaterThanOrEqual(0)
    expect(title?.y).toBeLessThan(740)
    await page.setInputFiles('#files', text('b.txt', 'b'))
    await button(/^Send 1 file/).waitFor()
    await page.locator('.queue + .arrived').waitFor()
  })

  test('a file that is not what it says is refused, and another try is not offered', async () => {
    await begin()
    await open({ types: ['image/png'] })
    await page.setInputFiles('#files', text('fake.png', 'no picture at all', 'image/png'))
    await send()
    await page.getByText('The content of the file does not fit its name.').waitFor()
    expect(await button(/again/).count()).toBe(0)
    await button('Remove fake.png').click()
    expect(await rows().count()).toBe(0)
  })

  test('a key that ends while the page is open takes nothing new, and the receipt stays', async () => {
    await begin()
    await open()
    await page.setInputFiles('#files', text('in time.txt', 'x'))
    await send()
    await arrived('Your file has arrived')
    await page.clock.install({ time: Date.now() })
    await page.reload()
    await arrived('Your file has arrived')
    await page.clock.fastForward(3_700_000)
    await page.getByText('This link has just expired.', { exact: false }).waitFor()
    expect(await page.locator('.zone').isVisible()).toBe(false)
    expect(await page.getByText('in time.txt', { exact: true }).isVisible()).toBe(true)
  })
})

describe('a key that ends before anything was sent', () => {
  test('lets nothing be sent any more, and says why', async () => {
    await begin()
    await page.clock.install({ time: Date.now() })
    await open()
    await page.setInputFiles('#files', text('late.txt', 'x'))
    await button(/^Send 1 file/).waitFor()
    await page.clock.fastForward(3_700_000)
    await page.locator('.send:disabled').waitFor()
    const queue = await page.locator('.queue').innerText()
    expect(queue).toContain('This link has expired: it takes nothing new.')
    expect(queue).toMatch(/late\.txt\s+1 byte · Not sent/)
    expect(await visitor.flaws()).toEqual([])
  })
})

describe('what stands in the way', () => {
  test('a key for reading is sent to the page for reading', async () => {
    await begin()
    await open({ methods: ['GET', 'LIST'] })
    await page.getByText('This link is for fetching files, not for sending them.').waitFor()
    await page.getByRole('link', { name: 'Show the files' }).click()
    await page.waitForURL(/\/-\/share#vk1/)
  })

  test.each([
    ['', 'This link is not complete'],
    ['#vk1.nonsense', 'This link is damaged'],
  ])('a link that ends in "%s" is told in a sentence', async (fragment, sentence) => {
    await begin()
    await page.goto(`${house.gateway.url}/-/drop${fragment}`)
    await page.getByRole('heading', { name: sentence, exact: false }).waitFor()
    expect(await visitor.flaws()).toEqual([])
  })

  test('a revoked key ends what waits', async () => {
    await begin()
    const key = await open()
    await page.setInputFiles('#files', text('late.txt', 'x'))
    const id = JSON.parse(Buffer.from(key.split('.')[1] ?? '', 'base64url').toString()).jti
    await house.ledger.revoke([{ kind: 'id', value: id, revokedAt: house.now() }])
    await send()
    await page.getByText('This link has been withdrawn by whoever sent it.').waitFor()
    expect(await stored(`${inbox}late.txt`)).toBeUndefined()
  })
})

describe('a PIN', () => {
  test('is asked for before anything is shown, and again when it has to be proven anew', async () => {
    await begin()
    const note = { id: 'pinned', message: 'Please send\nyour photos', pin: await hashPin('4711') }
    await house.ledger.keepNotes([note])
    await open({ jti: note.id, pin: true })
    await page.getByRole('heading', { name: 'This link asks for a PIN' }).waitFor()
    expect(await page.getByText('Please send').count()).toBe(0)
    await page.getByLabel('PIN').fill('0815')
    await button('Continue').click()
    await page.getByText('That is not the right PIN.').waitFor()
    await page.getByLabel('PIN').fill('4711')
    await page.keyboard.press('Enter')
    await page.getByText('Please send').waitFor()
    await page.locator('h1:focus').waitFor()
    expect(await visitor.flaws()).toEqual([])

    await page.setInputFiles('#files', [text('a.txt', 'a'), text('b.txt', 'b')])
    await visitor.context.clearCookies()
    await send()
    const dialog = page.getByRole('dialog', { name: 'This link asks for a PIN' })
    await dialog.waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Paused at 0%').first().waitFor()
    await button('Go on').first().click()
    await dialog.waitFor()
    expect(await visitor.flaws()).toEqual([])
    await dialog.getByLabel('PIN').fill('4711')
    await page.keyboard.press('Enter')
    await arrived('All 2 files have arrived')
    expect(await dialog.count()).toBe(0)
    expect(await stored(`${inbox}a.txt`)).toBe('a')
  })
})

describe('for everybody', () => {
  test('works with the keyboard alone', async () => {
    await begin()
    await open()
    await page.setInputFiles('#files', [text('one.txt', '1'), text('two.txt', '2')])
    await button(/^Send /).waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Choose files')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await focused()).toMatch(/^Send 2 files/)
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Remove one.txt')
    await page.keyboard.press('Enter')
    expect(await focused()).toBe('Remove two.txt')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await arrived('Your file has arrived')
    expect(await stored(`${inbox}two.txt`)).toBe('2')
    expect(await stored(`${inbox}one.txt`)).toBeUndefined()
  })

  test.each([
    [{ width: 320 }, 'Send files', 'Your file has arrived'],
    [{ width: 320, dark: true, locale: 'de-DE' }, 'Dateien senden', 'Ihre Datei ist angekommen'],
    [{ dark: true, locale: 'zh-CN' }, '发送文件', '您的文件已送达'],
  ])('is readable at %j', async (options, title, done) => {
    await begin(options)
    await open({ types: ['text/*'] })
    expect(await page.locator('h1').innerText()).toBe(title)
    const name = `${'a very long name '.repeat(6)}\u202egnp.txt`
    await page.setInputFiles('#files', [text(name, 'x'), text('b.png', 'x', 'image/png')])
    expect(await visitor.flaws()).toEqual([])
    await page.locator('.send').click()
    await page.locator('.arrived .row').waitFor()
    await page.locator('.queue button').last().click()
    await arrived(done)
    expect(await visitor.flaws()).toEqual([])
    const cut = await page.locator('.arrived').evaluate((element) => {
      const { right } = element.getBoundingClientRect()
      return [...element.querySelectorAll('*')].filter(
        (inner) => inner.getBoundingClientRect().right > right,
      ).length
    })
    expect(cut).toBe(0)
    const wider = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
    expect(wider).toBeLessThanOrEqual(0)
  })

  test('progress is seen where colours are forced, and its button stays where it is', async () => {
    await begin({ width: 360 })
    await open()
    const dam = await startDam(Number(new URL(house.gateway.url).port))
    try {
      const key = opened[0]
      await page.goto(`${dam.url}/-/drop#${key}`)
      await page.locator('h1').waitFor()
      await page.setInputFiles('#files', text('large.bin', Buffer.alloc(3_000_000)))
      await button(/^Send /).waitFor()
      dam.let(1_000_000)
      await send()
      await dam.full()
      await page.emulateMedia({ forcedColors: 'active' })
      const bar = page.locator('.queue > progress')
      const seen: Buffer[] = []
      for (const value of [0.1, 0.9]) {
        await bar.evaluate((element: HTMLProgressElement, to) => {
          // what the page itself would set is not of interest here
          Object.defineProperty(element, 'value', { set: () => {}, configurable: true })
          element.setAttribute('value', String(to))
        }, value)
        seen.push(await bar.screenshot())
      }
      expect(seen[0]?.equals(seen[1] ?? Buffer.alloc(0))).toBe(false)
      const tops = await page.locator('.queue > header').evaluate((header) =>
        ['1%', '31% · 16.5 MiB of 53 MiB · 2.8 MiB/s · 14 seconds left'].map((said) => {
          for (const words of header.querySelectorAll('p')) words.textContent = said
          return header.querySelector('button:not([hidden])')?.getBoundingClientRect().top
        }),
      )
      expect(new Set(tops).size).toBe(1)
    } finally {
      await dam.close()
    }
  })

  test('a phone is offered its camera where pictures are taken', async () => {
    await begin()
    const phone = await browser.newContext({ hasTouch: true, isMobile: true, locale: 'en-GB' })
    try {
      const touched = await phone.newPage()
      for (const [types, isOffered] of [
        [['image/*'], true],
        [['application/pdf'], false],
      ] as const) {
        const key = house.mint({ methods: ['PUT'], path: inbox, types: [...types] })
        await touched.goto(`${house.gateway.url}/-/drop#${key}`)
        await touched.reload()
        await touched.getByText('Choose what to send').waitFor()
        expect(await touched.getByRole('button', { name: 'Take a photo' }).count()).toBe(
          Number(isOffered),
        )
      }
    } finally {
      await phone.close()
    }
  })
})
