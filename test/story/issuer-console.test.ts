/** What protects the console, asked as an attacker would. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SESSION_LIFE } from '../../issuer/console/sessions.ts'
import { MOST_WRONG, WINDOW_SECONDS } from '../../issuer/console/tries.ts'
import { ask } from '../support/http.ts'
import { type IssuerHouse, openIssuer, send } from '../support/issuer.ts'

describe('a session of the console', () => {
  let house: IssuerHouse
  let origin: string
  beforeEach(async () => {
    house = await openIssuer()
    origin = house.issuer.url
  })
  afterEach(() => house.close())

  const signIn = (token: string, headers: Record<string, string> = { Origin: origin }) =>
    send(`${origin}/session`, 'POST', { token }, headers)

  async function session() {
    const sent = await signIn(house.token)
    const set = sent.headers.get('set-cookie') ?? ''
    return { proof: sent.json.proof as string, cookie: set.split(';')[0] ?? '', set }
  }
  const keys = (headers: Record<string, string>, method = 'GET') =>
    ask(`${origin}/v1/keys`, {
      method,
      headers,
      ...(method === 'POST' && { body: '{"path":"bkt/a"}' }),
    })

  it('opens with the admin token, in a cookie that no script reads', async () => {
    const { set, proof, cookie } = await session()
    expect(set).toMatch(
      /^valetkey-console-\d+=[\w.-]+; Path=\/; Max-Age=36000; HttpOnly; SameSite=Strict; Secure$/,
    )
    const headers = { cookie, 'x-valetkey-console': proof, origin }
    expect((await keys(headers)).status).toBe(200)
    expect((await keys(headers, 'POST')).status).toBe(201)
    expect(house.logged.join('')).not.toContain(proof)
    expect(house.logged.join('')).not.toContain(cookie)
  })

  it('is nothing without its proof, its cookie, or its origin', async () => {
    const { proof, cookie } = await session()
    const other = await session()
    const own = { cookie, 'x-valetkey-console': proof, origin }
    const refusals: [Record<string, string>, string, string][] = [
      [{ cookie }, 'GET', 'key_missing'],
      [{ cookie, origin }, 'POST', 'key_missing'],
      [{ 'x-valetkey-console': proof, origin }, 'GET', 'token_invalid'],
      [{ ...own, 'x-valetkey-console': other.proof }, 'GET', 'token_invalid'],
      [{ ...own, cookie: `${cookie}; ${cookie}` }, 'GET', 'token_invalid'],
      [{ ...own, cookie: cookie.replace(/=\d/, '=9') }, 'GET', 'token_invalid'],
      [{ cookie, 'x-valetkey-console': proof }, 'POST', 'origin_not_granted'],
      [{ ...own, origin: 'https://evil.example' }, 'POST', 'origin_not_granted'],
      [{ ...own, origin: 'null' }, 'GET', 'origin_not_granted'],
      [{ ...own, origin: 'http://127.0.0.1:1' }, 'POST', 'origin_not_granted'],
      [{ ...own, 'sec-fetch-site': 'same-site' }, 'GET', 'origin_not_granted'],
      [{ ...own, authorization: `Bearer ${house.token}` }, 'GET', 'key_ambiguous'],
    ]
    for (const [headers, method, code] of refusals) {
      expect([headers, (await keys(headers, method)).code]).toEqual([headers, code])
    }
    expect((await house.send('GET', '/v1/keys')).json.keys).toEqual([])
  })

  it('ends by itself, and its cookie goes on signing out', async () => {
    const { proof, cookie } = await session()
    const headers = { cookie, 'x-valetkey-console': proof }
    house.pass(SESSION_LIFE - 1)
    expect((await keys(headers)).status).toBe(200)
    house.pass(1)
    expect((await keys(headers)).code).toBe('token_invalid')
    const out = await send(`${origin}/session`, 'DELETE', undefined, { Origin: origin })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([
      204,
      expect.stringMatching(/^valetkey-console-\d+=; Path=\/; Max-Age=0;/),
    ])
  })

  it('is opened from here only, and not by guessing', async () => {
    expect((await signIn(house.token, {})).json.code).toBe('origin_not_granted')
    expect((await signIn(house.token, { Origin: 'https://evil.example' })).json.code).toBe(
      'origin_not_granted',
    )
    for (let tries = 0; tries < MOST_WRONG; tries += 1) {
      const wrong = await signIn('vkadm_wrong')
      expect([wrong.status, wrong.json.code]).toEqual([401, 'token_invalid'])
      expect(wrong.headers.get('set-cookie')).toBeNull()
    }
    const held = await signIn(house.token)
    expect([held.status, held.json.code, held.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      String(WINDOW_SECONDS),
    ])
    // programs, which send the token itself, are not held up
    expect((await house.send('GET', '/v1/keys')).status).toBe(200)
    house.pass(WINDOW_SECONDS)
    expect((await signIn(house.token)).status).toBe(201)
  })

  it('serves pages with a strict policy, and nothing else of theirs to write to', async () => {
    for (const path of ['/', '/docs']) {
      const { status, headers, text } = await house.send('GET', path, undefined, null)
      expect([path, status]).toEqual([path, 200])
      const policy = headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(policy).not.toContain('blob:')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(text).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|style=/)
      const asset = /assets\/[\w.-]+\.js/.exec(text)?.[0]
      const script = await house.send('GET', `/${asset}`, undefined, null)
      expect(script.headers.get('cache-control')).toContain('immutable')
      expect((await house.send('POST', path, {})).status).toBe(405)
    }
    expect((await house.send('GET', '/assets/none.js', undefined, null)).status).toBe(404)
  })
})
