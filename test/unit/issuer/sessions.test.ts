import { describe, expect, test } from 'vitest'
import { SESSION_LIFE, sessionsOf } from '../../../issuer/console/sessions.ts'
import { Tries } from '../../../issuer/console/tries.ts'
import type { UnixSeconds } from '../../../key/units.ts'

const now = 1_780_000_000 as UnixSeconds

describe('a session', () => {
  const sessions = sessionsOf('vkadm_one')

  test('holds in every process with the same token, and ends with the token', () => {
    const { cookie, proof } = sessions.open(now)
    expect(sessionsOf('vkadm_one').holds(cookie, proof, now)).toBe(true)
    expect(sessionsOf('vkadm_two').holds(cookie, proof, now)).toBe(false)
    expect(sessions.holds(cookie, proof, (now + SESSION_LIFE) as UnixSeconds)).toBe(false)
  })

  test('is refused where one character of it differs', () => {
    const { cookie, proof } = sessions.open(now)
    const changed = (text: string, at: number): string =>
      text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1)
    for (let at = 0; at < cookie.length; at += 1) {
      expect(sessions.holds(changed(cookie, at), proof, now)).toBe(false)
    }
    for (let at = 0; at < proof.length; at += 1) {
      expect(sessions.holds(cookie, changed(proof, at), now)).toBe(false)
    }
    for (const odd of ['', '.', '..', cookie.repeat(2), 'é'.repeat(43)]) {
      expect(sessions.holds(odd, proof, now)).toBe(false)
      expect(sessions.holds(cookie, odd, now)).toBe(false)
    }
  })

  test('has a proof that does not follow from its cookie, and none is like another', () => {
    const [one, other] = [sessions.open(now), sessions.open(now)]
    expect(one.cookie).not.toBe(other.cookie)
    expect(one.cookie).not.toContain(one.proof)
  })
})

test('an address that guesses is held up alone', () => {
  const tries = new Tries()
  for (let wrong = 0; wrong < 10; wrong += 1) tries.check('192.0.2.1', now, () => false)
  const looked = () => {
    throw new Error('looked')
  }
  expect(() => tries.check('192.0.2.1', now, looked)).toThrow('rate_limited')
  expect(tries.check('192.0.2.2', now, () => true)).toBe(true)
  expect(tries.check('192.0.2.1', (now + 300) as UnixSeconds, () => true)).toBe(true)
})
