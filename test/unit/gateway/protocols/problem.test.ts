import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { asRefusal } from '../../../../gateway/protocols/problem.ts'

const errorOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

it('calls an error of the operating system one that may pass, and any other a mistake of ours', () => {
  const ofTheMachine = errorOf(() => readdirSync('/there/is/no/such/folder'))
  expect(asRefusal(ofTheMachine)).toMatchObject({ code: 'unavailable' })
  expect(asRefusal(new TypeError('x is not a function'))).toMatchObject({ code: 'internal' })
})
