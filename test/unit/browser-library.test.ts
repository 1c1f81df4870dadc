/** The library that bundlers take for browsers: `valetkey` under the condition `browser`. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import * as browser from '../../browser.ts'
import * as node from '../../index.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { readKey, verifyKey } from '../../key/sign.ts'
import { formatSigningKey } from '../../key/signer.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const secret = Uint8Array.from({ length: 32 }, (_, at) => (at * 73 + 11) & 255)
const signingKey = formatSigningKey({ kid: 'test', secret })
const { url } = node.mint({ signingKey, path: 'photos/', methods: 'GET,LIST' })

const blocksOf = (text: string) => node.inspect(text).blocks.map(({ claims }) => claims)

test('has nothing of Node in it, and is what package.json names', async () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  expect(exports['.'].browser.default).toBe('./dist/browser.js')
  // the order of conditions decides: the first that holds
  expect(Object.keys(exports['.'])[0]).toBe('browser')
  const { errors, metafile } = await build({
    entryPoints: [`${root}browser.ts`],
    platform: 'browser',
    bundle: true,
    write: false,
    metafile: true,
  })
  expect(errors).toEqual([])
  expect(Object.keys(metafile.inputs).filter((path) => /node-|node:/.test(path))).toEqual([])
})

test('narrows as the other one does, and what it makes verifies', () => {
  const options = { path: 'photos/cat.jpg', methods: 'GET', expires: '2027-01-01T00:00:00Z' }
  const narrowed = browser.narrow(url, options)
  expect(narrowed).toBe(node.narrow(url, options))
  const once = browser.narrow(narrowed, { once: true })
  expect(blocksOf(once).at(-1)).toEqual({ uses: 1, jti: expect.stringMatching(/^[\w-]{22}$/) })
  const key = readKey(new URL(once).searchParams.get('vk') ?? '')
  const signer = {
    kid: 'test',
    status: 'active',
    begin: (block: string) => nodeMac(nodeMac(secret, 'vk1'), block),
  } as const
  expect(verifyKey(key, signer, nodeMac).blocks).toHaveLength(3)
})

test('inspects as the other one does, and refuses the same', () => {
  expect(browser.inspect(url).scopes).toEqual(node.inspect(url).scopes)
  expect(() => browser.narrow(url, { expiresIn: 'soon' })).toThrow(browser.OptionsError)
  expect(() => browser.inspect('vk1.x')).toThrow(browser.Refusal)
})
