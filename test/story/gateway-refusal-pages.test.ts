/** Somebody follows a link that is refused: a page says so in words; a program is told as ever. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'

/** As Chromium asks when somebody follows a link. */
const BROWSER =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'

let house: House
let folder: string
beforeAll(async () => {
  house = await openHouse()
  folder = house.mint({ path: 'team/', methods: ['GET', 'PUT'] })
})
afterAll(() => house.close())

const follow = (url: string, question: Question = {}): Promise<Answer> =>
  ask(url, { ...question, headers: { accept: BROWSER, ...question.headers } })

const words = (answer: Answer): string =>
  answer
    .text()
    .replace(/^.*<body>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

const usedUp = async (): Promise<string> => {
  const url = house.url('team/a.txt', house.mint({ path: 'team/a.txt', uses: 1 }))
  await ask(house.url('team/a.txt', folder), { method: 'PUT', body: 'a' })
  await ask(url)
  return url
}

const LINKS: readonly [string, () => string | Promise<string>, number, RegExp][] = [
  [
    'expired',
    () => house.url('team/a.txt', house.mint({ exp: 1_780_000_000 })),
    403,
    /^This link has expired Ask whoever sent it for a new one\. key_expired · /,
  ],
  [
    'used up',
    usedUp,
    403,
    /^This link has been used as often as it may be Ask .* uses_exhausted · /,
  ],
  [
    'to a file that is gone',
    () => house.url('team/none.txt', folder),
    404,
    /^This file is no longer there Ask whoever sent you the link\. object_not_found · /,
  ],
  ['to a folder that is not shown', () => house.url('team/', folder), 403, /method_not_granted/],
  [
    'without its key',
    () => house.url('team/a.txt'),
    401,
    /^This link is not complete .*key_missing/,
  ],
  [
    'to a path of none',
    () => `${house.gateway.url}/team/../..%2f?vk=${folder}`,
    400,
    /^There is nothing/,
  ],
  [
    'to no page',
    () => `${house.gateway.url}/-/shares`,
    404,
    /^There is nothing .*resource_not_found/,
  ],
]

describe('a link', () => {
  test.each(LINKS)('%s is told in words, to a browser alone', async (_, make, status, said) => {
    const url = await make()
    const page = await follow(url)
    expect(page.status).toBe(status)
    expect(words(page)).toMatch(said)
    expect(words(page)).toContain(page.headers['x-request-id'])
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-/),
      vary: 'Accept, Accept-Language',
    })
    expect(page.text()).not.toMatch(/<script|vk1\./)

    for (const accept of ['*/*', 'application/json, text/html', 'image/avif,image/*,*/*;q=0.8']) {
      const told = await ask(url, { headers: { accept } })
      expect([told.status, told.headers['content-type']]).toEqual([
        status,
        'application/problem+json',
      ])
      expect(told.headers['www-authenticate']).toBe(page.headers['www-authenticate'])
    }
  })

  test('looked at without its page has the same head', async () => {
    const url = house.url('team/none.txt', folder)
    const { status, body, headers } = await follow(url, { method: 'HEAD' })
    expect([status, body.length]).toEqual([404, 0])
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8' })
  })

  test.each([
    ['de-AT,de;q=0.9,en;q=0.8', 'de', 'Dieser Link ist abgelaufen'],
    ['fr, zh-CN;q=0.5, en;q=0.4', 'zh', '链接已过期'],
    ['en;q=0.1, de;q=0', 'en', 'This link has expired'],
    ['fr', 'en', 'This link has expired'],
  ])('is told in the language of %s', async (accepted, language, said) => {
    const url = house.url('team/a.txt', house.mint({ exp: 1_780_000_000 }))
    const page = (await follow(url, { headers: { 'accept-language': accepted } })).text()
    expect(page).toContain(`<html lang="${language}">`)
    expect(page).toContain(`<h1>${said}</h1>`)
  })
})

describe('a form', () => {
  const send = (key: string, headers: Question['headers'] = {}): Promise<Answer> => {
    const part = (head: string, content: string): string =>
      `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`
    const body = `${part('name="vk"', key)}${part('name="file"; filename="a.txt"', 'abc')}--B--\r\n`
    return ask(`${house.gateway.url}/team/`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=B', ...headers },
      body,
    })
  }

  test('that a person sends is told in words, one that a script sends is not', async () => {
    const key = house.mint({ path: 'team/', methods: ['PUT'], size: [0, 2] })
    const page = await send(key, { accept: BROWSER })
    expect([page.status, words(page)]).toEqual([
      413,
      expect.stringMatching(/^The file is larger than this link allows .*too_large · /),
    ])
    expect((await send(key)).code).toBe('too_large')
  })
})

test('an upload is refused to a program, whatever it says that it takes', async () => {
  const answer = await follow(house.url('team/a.txt', house.mint({})), { method: 'PUT', body: 'a' })
  expect(answer.code).toBe('method_not_granted')
})
