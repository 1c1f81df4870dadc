import { expect, it } from 'vitest'
import { Announcer } from '../../../web/client/drop/announcer.ts'

it('says the first thing at once, then the latest after each pause, and nothing twice', () => {
  const said: string[] = []
  const pauses: (() => void)[] = []
  const announcer = new Announcer(
    (text) => said.push(text),
    (_, callback) => pauses.push(callback),
  )
  for (const text of ['one', 'two', 'three']) announcer.say(text)
  expect(said).toEqual(['one'])
  pauses.shift()?.()
  expect(said).toEqual(['one', 'three'])
  pauses.shift()?.()
  expect([said, pauses]).toEqual([['one', 'three'], []])
  announcer.say('four')
  expect(said).toEqual(['one', 'three', 'four'])
})
