/** What every ledger promises of rules. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Ledger, Rule } from '../../ledger/ledger.ts'
import { at, issuedKey, NOW } from './ledger-contract.ts'

/** @param open a fresh, empty ledger; whatever it needs is removed by `close` */
export function rulesContract(
  name: string,
  open: () => Promise<{ ledger: Ledger; close: () => Promise<void> }>,
): void {
  describe(`rules: ${name}`, () => {
    let ledger: Ledger
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ ledger, close } = await open())
    })
    afterEach(() => close())

    const policy = (policyName: string, methods: ('GET' | 'PUT')[] = ['GET']): Rule => ({
      kind: 'policy',
      name: policyName,
      claims: { methods },
      changedAt: NOW,
    })

    test('what is set is there, by kind and name, until it is removed', async () => {
      expect(await ledger.hasRules('policy')).toBe(false)
      await ledger.setRule(policy('b'))
      await ledger.setRule(policy('a'))
      await ledger.setRule({ kind: 'plan', name: 'a', plan: { per: 'key' }, changedAt: NOW })
      expect(await ledger.rule('policy', 'a')).toEqual(policy('a'))
      expect(await ledger.rule('key', 'a')).toBeUndefined()
      expect((await ledger.rules('policy')).map((rule) => rule.name)).toEqual(['a', 'b'])
      expect(await ledger.hasRules('policy')).toBe(true)
      expect(await ledger.hasRules('key')).toBe(false)
      expect(await ledger.removeRule('policy', 'a')).toBe(true)
      expect(await ledger.removeRule('policy', 'a')).toBe(false)
      expect(await ledger.rule('policy', 'a')).toBeUndefined()
      expect(await ledger.rule('plan', 'a')).toMatchObject({ plan: { per: 'key' } })
    })

    test('one of a key is changed by several at once, and none of it is lost', async () => {
      const name = 'amended'
      await Promise.all([
        ledger.amendRule({ name, claims: { exp: NOW + 60 }, changedAt: NOW }),
        ledger.amendRule({ name, claims: {}, paused: true, changedAt: NOW }),
        ledger.amendRule({ name, claims: { methods: ['GET'] }, changedAt: NOW }),
      ])
      const whole = {
        kind: 'key',
        name,
        claims: { exp: NOW + 60, methods: ['GET'] },
        paused: true,
        changedAt: NOW,
      }
      expect(await ledger.rule('key', name)).toEqual(whole)
      const later = { name, claims: { exp: NOW + 90 }, paused: false, changedAt: NOW }
      const { paused: _, ...running } = whole
      const changed = { ...running, claims: { exp: NOW + 90, methods: ['GET'] } }
      expect(await ledger.amendRule(later)).toEqual(changed)
      const nothing = { name: 'other', claims: {}, paused: true, changedAt: NOW }
      await ledger.amendRule(nothing)
      expect(await ledger.amendRule({ ...nothing, paused: false })).toBeUndefined()
      expect(await ledger.rule('key', 'other')).toBeUndefined()
    })

    test('one that is set again is replaced, and every change moves the version', async () => {
      const versions = [ledger.version()]
      await ledger.setRule(policy('a'))
      versions.push(ledger.version())
      await ledger.setRule(policy('a', ['PUT']))
      versions.push(ledger.version())
      await ledger.removeRule('policy', 'a')
      versions.push(ledger.version())
      expect(new Set(versions).size).toBe(4)
    })

    test('a renewable key has its rule from the beginning, and loses it when it is forgotten', async () => {
      await ledger.recordIssued([issuedKey('a', { renewed: at(NOW + 60) }), issuedKey('b')])
      expect(await ledger.rule('key', 'a')).toMatchObject({ claims: { exp: NOW + 60 } })
      const [b, a] = await ledger.issued({ limit: 2 })
      expect(a?.rule).toEqual({
        kind: 'key',
        name: 'a',
        claims: { exp: NOW + 60 },
        changedAt: NOW,
      })
      expect(b?.rule).toBeUndefined()
      await ledger.purge(at(NOW + 40 * 86_400))
      expect(await ledger.rule('key', 'a')).toBeUndefined()
    })

    test('what else a key states is kept beside it', async () => {
      await ledger.recordIssued([issuedKey('a', { claims: { create: true } })])
      expect(await ledger.issued({ limit: 1 })).toMatchObject([{ claims: { create: true } }])
    })
  })
}
