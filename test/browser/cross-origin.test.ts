/** Pages of another origin upload straight to the gateway: the examples, as they stand. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { formatSigningKey, type SigningKey } from '../../key/signer.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { digest, pattern } from '../support/store.ts'
import { startChromium } from './support/chromium.ts'
import { type Visitor, visit } from './support/visitor.ts'

let house: House
let browser: Browser
let visitor: Visitor
const examples: { readonly url: string; readonly child: ChildProcess }[] = []

async function start(example: string): Promise<string> {
  const program = fileURLToPath(new URL(`../../examples/${example}/server.mjs`, import.meta.url))
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PORT: '0',
      STORAGE: house.gateway.url,
      VALETKEY_SIGNING_KEY: formatSigningKey(house.keyring.secretOf('test') as SigningKey),
    },
  })
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer]
  const url = line.toString().trim()
  examples.push({ url, child })
  return url
}

let direct: string
let uppy: string
beforeAll(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startChromium()])
  ;[direct, uppy] = await Promise.all([start('direct-upload'), start('uppy')])
})
afterAll(async () => {
  for (const { child } of examples) {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }
  await browser.close()
  await house.close()
})
beforeEach(async () => {
  visitor = await visit(browser)
})
afterEach(async () => {
  expect(visitor.complaints).toEqual([])
  await visitor.close()
})

const told = (text: RegExp) => visitor.page.getByRole('status').getByText(text)

/** What is stored, by its path. */
async function stored(): Promise<Map<string, string>> {
  const { objects } = await house.store.list({ prefix: 'inbox/', limit: 100 })
  const key = house.mint({ methods: ['GET'] })
  const all = objects.map(async ({ path }) => {
    const { body } = await ask(house.url(path, key))
    return [path, digest(body)] as const
  })
  return new Map(await Promise.all(all))
}

/** Methods of the requests that the gateway has answered since, in order. */
const watched = (): (() => unknown[]) => {
  const before = house.logged.length
  return () => house.logged.slice(before).map(({ method }) => method)
}

test('a small page uploads directly, after a preflight, and reads what came of it', async () => {
  const methods = watched()
  await visitor.page.goto(direct)
  const file = { name: 'dot.png', mimeType: 'image/png', buffer: PNG }
  await visitor.page.locator('input').setInputFiles(file)
  await told(
    new RegExp(`^Stored ${PNG.length} bytes as inbox/.+, ETag "${digest(PNG)}"$`),
  ).waitFor()
  await expect.poll(methods).toEqual(['OPTIONS', 'PUT'])
  expect([...(await stored()).values()]).toContain(digest(PNG))
})

test('a small page reads why it was refused', async () => {
  await visitor.page.goto(direct)
  const html = { name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('<!doctype html><p>') }
  await visitor.page.locator('input').setInputFiles(html)
  await told(/^Not sent: the content .* image\/png/).waitFor()
})

test.each([
  ['tus', ['OPTIONS', 'POST', 'OPTIONS', 'PATCH', 'PATCH']],
  ['aws-s3', ['OPTIONS', 'PUT']],
])('Uppy uploads with %s', async (plugin, expected) => {
  const methods = watched()
  await visitor.page.goto(`${uppy}?with=${plugin}`)
  const content = Buffer.from(pattern((6 << 20) + 3, plugin.length))
  const name = `my ${plugin} ü.bin`
  const file = { name, mimeType: 'application/octet-stream', buffer: content }
  await visitor.page.locator('input').setInputFiles(file)
  await told(new RegExp(`^Stored ${name}$`)).waitFor()
  await expect.poll(methods).toEqual(expected)
  const found = [...(await stored())].find(([path]) => path.endsWith(`/${name}`))
  expect(found?.[1]).toBe(digest(content))
})
