import { describe, expect, it } from 'vitest'
import { checkUrl, guardedLookup, mayReach } from '../../../events/guard.ts'

const PRIVATE = [
  '127.0.0.1',
  '127.9.9.9',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
]
const NEVER = [
  '0.0.0.0',
  '169.254.169.254',
  '::ffff:169.254.169.254',
  'fe80::1',
  'fe80::1%eth0',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  'ff02::1',
  '192.0.2.1',
  '198.18.0.1',
  '2001:db8::1',
  '2002:7f00:1::',
  '64:ff9b::7f00:1',
  '::7f00:1',
  '2001::1',
  '',
  'localhost',
  '1.2.3',
]
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '172.15.0.1',
  '172.32.0.1',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
]

it.each(PUBLIC)('%s may be reached', (address) => expect(mayReach(address, false)).toBe(true))
it.each(PRIVATE)('%s may be reached where that is allowed', (address) => {
  expect([mayReach(address, false), mayReach(address, true)]).toEqual([false, true])
})
it.each(NEVER)('%s may never be reached', (address) => {
  expect([mayReach(address, false), mayReach(address, true)]).toEqual([false, false])
})

describe('a URL', () => {
  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest',
    'http://1.1.1.1/',
    'ftp://1.1.1.1/',
  ])('such as %s is refused', (url) => {
    expect(() => checkUrl(new URL(url), false)).toThrow()
  })

  it('may be http, and of this machine, where that is allowed', () => {
    expect(() => checkUrl(new URL('http://127.0.0.1:80/'), true)).not.toThrow()
    expect(() => checkUrl(new URL('http://169.254.169.254/'), true)).toThrow()
    expect(() => checkUrl(new URL('https://example.com/'), false)).not.toThrow()
  })
})

it('resolves a name once, and gives no address that may not be reached', async () => {
  const looked = (allowPrivate: boolean) =>
    new Promise((resolve) =>
      guardedLookup(allowPrivate)('localhost', { all: true }, (error, addresses) =>
        resolve(error?.message ?? addresses),
      ),
    )
  expect(await looked(false)).toMatch(/is not on the internet/)
  expect(await looked(true)).toEqual(
    expect.arrayContaining([expect.objectContaining({ address: expect.any(String) })]),
  )
})
