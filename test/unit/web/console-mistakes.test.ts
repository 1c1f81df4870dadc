/** What the issuer finds wrong is known for what it is, so that the console can say it in any language. */
import { expect, it } from 'vitest'
import { firstBlockFrom, type OptionsError } from '../../../issuer/options.ts'
import { planFrom } from '../../../issuer/rules.ts'
import { type Seconds, unixSeconds } from '../../../key/units.ts'
import { meantBy } from '../../../web/client/console/mistakes.ts'

const CONTEXT = {
  now: unixSeconds(1_800_000_000),
  defaultLife: 3600 as Seconds,
  maxLife: 604_800 as Seconds,
  id: 'some',
}

function meant(make: () => unknown): Record<string, string> {
  try {
    make()
  } catch (error) {
    const { mistakes } = error as OptionsError
    return Object.fromEntries(
      mistakes.map(({ option, message }) => [option, meantBy(message).kind]),
    )
  }
  throw new Error('nothing was wrong')
}

it.each([
  [{}, { path: 'required' }],
  [{ path: '' }, { path: 'required' }],
  [{ path: 'docs/b', methods: [] }, { methods: 'required' }],
  [{ path: 'docs/b', subject: '' }, { subject: 'required' }],
  [{ path: 'docs/b', expiresIn: '99d' }, { expiresIn: 'longest' }],
  [{ path: 'docs/b', expires: 5 }, { expires: 'past' }],
  [{ path: 'docs/b', uses: 2, once: true }, { uses: 'beside' }],
  [{ path: 'docs/b', minSize: 2, maxSize: 1 }, { minSize: 'order' }],
  [{ path: 'docs/b', expiresIn: '1h', notBefore: '2h' }, { notBefore: 'order' }],
  [
    { path: '/docs/a', maxSize: 'much' },
    { path: 'value', maxSize: 'value' },
  ],
])('%j', (options, kinds) => {
  expect(meant(() => firstBlockFrom(options, CONTEXT))).toEqual(kinds)
})

it('also of a plan, and how long a key may live', () => {
  expect(meant(() => planFrom({}))).toEqual({ rate: 'required' })
  expect(meant(() => planFrom({ rate: 'fast' }))).toEqual({ rate: 'value' })
  try {
    firstBlockFrom({ path: 'docs/b', expiresIn: '99d' }, CONTEXT)
    expect.unreachable()
  } catch (error) {
    expect((error as OptionsError).mistakes.map(({ message }) => meantBy(message))).toEqual([
      { kind: 'longest', most: '1w' },
    ])
  }
})
