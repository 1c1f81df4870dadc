import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { depart } from '../../../gateway/departures.ts'

it('what departs in one turn leaves at its end, together and in order', async () => {
  const left: string[] = []
  depart(() => left.push('first'))
  await Promise.resolve()
  depart(() => left.push('second'))
  expect(left).toEqual([])
  const ended = new Promise((resolve) => setImmediate(resolve)).then(() => left.push('end of turn'))
  await ended
  expect(left).toEqual(['first', 'second', 'end of turn'])
})

it('what departs while others leave waits for the next turn, and nothing leaves twice', async () => {
  const left: string[] = []
  depart(() => {
    left.push('first')
    depart(() => left.push('of the next turn'))
  })
  depart(() => left.push('second'))
  await turn()
  expect(left).toEqual(['first', 'second'])
  await turn()
  await turn()
  expect(left).toEqual(['first', 'second', 'of the next turn'])
})
