import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Attempt, clear } from '../../key/clear.ts'
import { nodeMac } from '../../key/node-mac.ts'
import type { RefusalCode } from '../../key/refusal.ts'
import {
  beginWith,
  type Grant,
  mintKey,
  narrowKey,
  readBlocks,
  readKey,
  verifyKey,
} from '../../key/sign.ts'
import { derivedKey, formatSigningKey, isWeakSecret, parseSigningKey } from '../../key/signer.ts'
import { codeOf } from '../unit/key/refusals.ts'
import { generate } from './generate.ts'

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

interface KeysFile {
  readonly signingKeys: readonly { kid: string; secret: string; text: string }[]
  readonly keys: readonly {
    name: string
    kid: string
    secret: string
    derived: string
    blocks: readonly { json: string; claims: object; text: string; link: string }[]
    key: string
  }[]
}
interface RequestsFile {
  readonly requests: readonly {
    name: string
    key: string
    code: RefusalCode | null
    attempt: Omit<Attempt, 'header'> & { headers: Record<string, string> }
  }[]
}
interface BadKeysFile {
  readonly keys: readonly { name: string; code: RefusalCode; key: string }[]
}

const good = JSON.parse(read('keys.json')) as KeysFile
const { requests } = JSON.parse(read('requests.json')) as RequestsFile
const bad = JSON.parse(read('bad-keys.json')) as BadKeysFile

const signers = new Map(
  good.signingKeys.map(({ text }) => {
    const { kid, secret } = parseSigningKey(text)
    return [kid, { kid, status: 'active' as const, begin: beginWith(secret, nodeMac) }]
  }),
)

function verified(text: string): Grant {
  const key = readKey(text)
  return verifyKey(key, signers.get(key.kid), nodeMac)
}

describe('the committed files', () => {
  test('are what the generator makes', () => {
    const made = generate()
    expect(Object.keys(made)).toEqual(['keys.json', 'requests.json', 'bad-keys.json'])
    for (const [name, text] of Object.entries(made)) expect(read(name), name).toBe(text)
  })

  test('are many enough, and every name is there once', () => {
    expect(good.keys.length).toBeGreaterThanOrEqual(25)
    expect(requests.length).toBeGreaterThanOrEqual(30)
    expect(bad.keys.length).toBeGreaterThanOrEqual(60)
    for (const list of [good.keys, bad.keys, requests.map((r) => ({ name: r.key + r.name }))]) {
      expect(new Set(list.map(({ name }) => name)).size).toBe(list.length)
    }
    expect(new Set(bad.keys.map(({ key }) => key)).size).toBe(bad.keys.length)
  })

  test('use a secret that running gateways refuse', () => {
    const [example] = good.signingKeys
    expect(example?.secret).toBe(hex(Uint8Array.from({ length: 32 }, (_, index) => index)))
    expect(isWeakSecret(Buffer.from(example?.secret ?? '', 'hex'))).toBe(true)
  })
})

test.each(good.signingKeys)('signing key $kid: text', ({ kid, secret, text }) => {
  expect(formatSigningKey({ kid, secret: Buffer.from(secret, 'hex') })).toBe(text)
  expect(hex(parseSigningKey(text).secret)).toBe(secret)
})

describe.each(good.keys)('$name', (vector) => {
  const secret = Buffer.from(vector.secret, 'hex')

  test('has these links', () => {
    expect(hex(derivedKey(secret, nodeMac))).toBe(vector.derived)
    let link = beginWith(secret, nodeMac)(vector.blocks[0]?.text ?? '')
    expect(hex(link)).toBe(vector.blocks[0]?.link)
    for (const { text, link: expected } of vector.blocks.slice(1)) {
      link = nodeMac(link, text)
      expect(hex(link)).toBe(expected)
    }
    expect(hex(readKey(vector.key).signature)).toBe(hex(link))
  })

  test('verifies and says these claims', () => {
    const grant = verified(vector.key)
    expect(grant.kid).toBe(vector.kid)
    expect(grant.blocks).toEqual(vector.blocks.map(({ claims }) => claims))
    expect(readBlocks(readKey(vector.key))).toEqual(grant.blocks)
  })

  test('can be minted and narrowed to a key that says the same', () => {
    const [first, ...later] = vector.blocks.map(({ claims }) => claims)
    const minted = mintKey(first as never, { kid: vector.kid, secret }, nodeMac)
    const key = later.reduce<string>((sofar, block) => narrowKey(sofar, block, nodeMac), minted)
    expect(verified(key).blocks).toEqual(verified(vector.key).blocks)
  })
})

test.each(requests)('under "$key": $name', ({ key, attempt, code }) => {
  const vector = good.keys.find(({ name }) => name === key)
  const { headers, ...rest } = attempt
  const refusal = clear(verified(vector?.key ?? ''), { ...rest, header: (name) => headers[name] })
  expect(refusal?.code ?? null).toBe(code)
})

test.each(bad.keys)('is refused: $name', ({ key, code }) => {
  expect(codeOf(() => verified(key))).toBe(code)
})
