/** Listings: what lies beneath a prefix, in pages, as JSON and as a page for people. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'

const NAMES = [
  'list/a.txt',
  'list/b/1.txt',
  'list/b/2.txt',
  'list/b/deep/3.txt',
  'list/c.png',
  'list/d/4.txt',
  'list/ü.txt',
  'other/x.txt',
]
const HOSTILE = [
  'hostile/<script>alert(1)</script>',
  'hostile/"><img src=x onerror=alert(1)>/x',
  "hostile/a'b&amp;c",
  'hostile/javascript:alert(1)',
  'hostile/?vk=x#y',
  'hostile/photo\u202egpj.exe',
]

interface Page {
  readonly prefix: string
  readonly objects: readonly { readonly path: string; readonly size: number }[]
  readonly prefixes: readonly string[]
  readonly next?: string
}

let house: House
let key: string

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['LIST', 'GET', 'PUT'] })
  for (const name of NAMES) {
    await ask(house.url(`bucket/${name}`, key), { method: 'PUT', body: name })
  }
  for (const name of HOSTILE) {
    await ask(house.url(`hostile/${name}`, key), { method: 'PUT', body: name })
  }
})
afterAll(() => house.close())

const list = async (prefix: string, query = '', as = key): Promise<Page> =>
  (await ask(`${house.url(prefix, as)}${query}`)).json()

const namesOf = ({ objects, prefixes }: Page) => ({
  objects: objects.map(({ path }) => path.replace(/^bucket\//, '')),
  prefixes: prefixes.map((path) => path.replace(/^bucket\//, '')),
})

describe('as JSON', () => {
  test('all beneath a prefix, with what there is to know of each', async () => {
    const page = await ask(house.url('bucket/list/', key))
    expect(page.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'private, no-store',
    })
    const { prefix, objects, prefixes, next } = page.json()
    expect([prefix, prefixes, next]).toEqual(['bucket/list/', [], undefined])
    expect(objects[0]).toEqual({
      path: 'bucket/list/a.txt',
      size: 10,
      type: 'application/octet-stream',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/),
    })
    expect(objects.map(({ path }: { path: string }) => path)).toEqual(
      NAMES.filter((name) => name.startsWith('list/')).map((name) => `bucket/${name}`),
    )
  })

  test('grouped by a delimiter', async () => {
    expect(namesOf(await list('bucket/list/', '&delimiter=/'))).toEqual({
      objects: ['list/a.txt', 'list/c.png', 'list/ü.txt'],
      prefixes: ['list/b/', 'list/d/'],
    })
    expect(namesOf(await list('bucket/', '&delimiter=/')).prefixes).toEqual(['list/', 'other/'])
    expect((await list('', '&delimiter=/')).prefixes).toEqual(['bucket/', 'hostile/'])
  })

  test.each([1, 2, 3, 7, 1000])('in pages of %i, each thing once', async (limit) => {
    for (const delimiter of ['', '&delimiter=/']) {
      const whole = namesOf(await list('bucket/list/', delimiter))
      const found = { objects: [] as string[], prefixes: [] as string[] }
      let after: string | undefined = ''
      while (after !== undefined) {
        const query: string = `${delimiter}&limit=${limit}&after=${encodeURIComponent(after)}`
        const page: Page = await list('bucket/list/', query)
        expect(page.objects.length + page.prefixes.length).toBeLessThanOrEqual(limit)
        found.objects.push(...namesOf(page).objects)
        found.prefixes.push(...namesOf(page).prefixes)
        after = page.next
      }
      expect(found).toEqual(whole)
    }
  })

  test('of only what the names in the key match', async () => {
    const text = house.mint({ path: 'bucket/list/', methods: ['LIST', 'GET'], match: '**.txt' })
    expect(namesOf(await list('bucket/list/', '', text)).objects).not.toContain('list/c.png')
    const narrow = house.narrow(text, { match: 'b/**' })
    expect(namesOf(await list('bucket/list/', '', narrow)).objects).toEqual([
      'list/b/1.txt',
      'list/b/2.txt',
      'list/b/deep/3.txt',
    ])
    const grouped = await list('bucket/list/', '&delimiter=/', narrow)
    expect(namesOf(grouped)).toEqual({ objects: [], prefixes: ['list/b/'] })
    const found: string[] = []
    let page = await list('bucket/list/', '&limit=1', narrow)
    for (;;) {
      found.push(...namesOf(page).objects)
      if (page.next === undefined) break
      page = await list('bucket/list/', `&limit=1&after=${encodeURIComponent(page.next)}`, narrow)
    }
    expect(found).toEqual(['list/b/1.txt', 'list/b/2.txt', 'list/b/deep/3.txt'])
  })

  test('of nothing is empty, not 404', async () => {
    expect(await list('bucket/nothing/')).toEqual({
      prefix: 'bucket/nothing/',
      objects: [],
      prefixes: [],
    })
  })

  test('is for keys that grant LIST on the prefix', async () => {
    const codeOf = async (claims: Parameters<House['mint']>[0]) =>
      (await ask(house.url('bucket/list/', house.mint(claims)))).code
    expect(await codeOf({ methods: ['GET', 'PUT', 'DELETE'] })).toBe('method_not_granted')
    expect(await codeOf({ methods: ['LIST'], path: 'bucket/list/b/' })).toBe('path_not_granted')
    expect(await codeOf({ methods: ['LIST'], path: 'bucket/list/a.txt' })).toBe('path_not_granted')
    const listOnly = house.mint({ methods: ['LIST'] })
    expect((await ask(house.url('bucket/list/a.txt', listOnly))).code).toBe('method_not_granted')
  })

  test.each(['0', '1001', '-1', '1.5', 'ten', '', '1&limit=2', '0x10', '１'])(
    'refuses the limit %s',
    async (limit) => {
      const { status, code } = await ask(`${house.url('bucket/', key)}&limit=${encodeURI(limit)}`)
      expect([status, code]).toEqual([400, 'request_malformed'])
    },
  )

  test('costs HEAD nothing, and GET a use', async () => {
    const once = house.mint({ methods: ['LIST'], uses: 1 })
    const url = house.url('bucket/list/', once)
    for (let i = 0; i < 3; i += 1) {
      const head = await ask(url, { method: 'HEAD' })
      expect([head.status, head.body.length]).toEqual([200, 0])
    }
    expect((await ask(url)).status).toBe(200)
    expect((await ask(url)).code).toBe('uses_exhausted')
  })
})

describe('as a page', () => {
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

  test('is for who asks for HTML first', async () => {
    const typeFor = async (header: string) =>
      (await ask(house.url('bucket/list/', key), { headers: { accept: header } })).headers[
        'content-type'
      ]
    expect(await typeFor(accept)).toBe('text/html; charset=utf-8')
    expect(await typeFor('application/json, text/html')).toBe('application/json')
    expect(await typeFor('*/*')).toBe('application/json')
  })

  test('runs nothing, and keeps its key from other sites', async () => {
    const { headers, body } = await ask(house.url('hostile/hostile/', key), { headers: { accept } })
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
    })
    const page = body.toString()
    const text = page.replace(/<style>[\s\S]*?<\/style>/, '')
    expect(text).not.toMatch(/<(?:script|img)\b/i)
    expect(text).not.toMatch(/<[^>]*\sonerror=/i)
    expect(text).not.toMatch(/href="javascript:/i)
    for (const name of ['&lt;script&gt;alert(1)&lt;/', 'a&#39;b&amp;amp;c', '?vk=x#y']) {
      expect(text).toContain(name)
    }
  })

  test('shows what nobody would see in a name', async () => {
    const { body } = await ask(house.url('hostile/hostile/', key), { headers: { accept } })
    expect(body.toString()).toContain('>photoU+202Egpj.exe</a>')
    expect(body.toString()).not.toContain('\u202e')
  })

  test('has a way up as far as the key reaches, also where nothing is', async () => {
    const page = async (path: string, as: string): Promise<string> =>
      (await ask(house.url(path, as), { headers: { accept } })).text()
    const inner = house.mint({ path: 'bucket/list/', methods: ['LIST'] })
    const up = `<a href="../?vk=${inner}">../</a>`
    expect(await page('bucket/list/b/', inner)).toContain(up)
    expect(await page('bucket/list/none/', inner)).toContain(up)
    expect(await page('bucket/list/none/', inner)).toContain('Nothing here.')
    expect(await page('bucket/list/', inner)).not.toContain('../')
    expect(await page('bucket/', key)).toContain(`<a href="../?vk=${key}">../</a>`)
    expect(await page('', key)).not.toContain('../')
  })

  test('says times as people read them, and as programs do', async () => {
    const { body } = await ask(house.url('bucket/list/', key), { headers: { accept } })
    expect(body.toString()).toMatch(
      /<time datetime="(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ">\1 \2 UTC<\/time>/,
    )
  })

  test('links to what the key opens', async () => {
    const { body } = await ask(house.url('hostile/hostile/', key), { headers: { accept } })
    const links = [...body.toString().matchAll(/<a href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&#39;', "'").replaceAll('&amp;', '&'),
    )
    // and the way up
    expect(links).toHaveLength(HOSTILE.length + 1)
    for (const link of links) {
      const url = new URL(link, house.url('hostile/hostile/'))
      expect(url.origin).toBe(house.gateway.url)
      expect((await ask(url.href)).status).toBe(200)
    }
  })

  test('goes on to a next page', async () => {
    const first = await ask(`${house.url('bucket/list/', key)}&limit=2`, { headers: { accept } })
    const more = /<a href="([^"]*after=[^"]*)">More</.exec(first.text())?.[1] ?? ''
    const next = new URL(more.replaceAll('&amp;', '&'), house.url('bucket/list/'))
    expect((await ask(next.href, { headers: { accept } })).text()).toContain('c.png')
  })
})
