import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Dispatcher } from '../../../events/dispatcher.ts'
import { EVENT_TYPES, type Event, type Target } from '../../../events/events.ts'
import { Outbox, queueOf } from '../../../events/outbox.ts'
import { type AuditHouse, auditHouse } from '../../support/audit.ts'

let house: AuditHouse
let data: string
let told: string[]
let isDown: boolean
const log = { warn: () => {}, error: () => {} }

beforeEach(() => {
  house = auditHouse()
  data = dirname(house.folder)
  told = []
  isDown = false
})
afterEach(() => house.remove())

const target = (name: string, types: Target['types'] = EVENT_TYPES): Target => ({
  name,
  types,
  async tell({ subject }: Event) {
    if (isDown) throw new Error('it is down')
    told.push(`${name} ${subject}`)
  },
})

const start = (targets: readonly Target[] = [target('app')]) =>
  Dispatcher.start({
    data,
    auditFolder: house.folder,
    targets,
    log,
    now: () => house.time,
    interval: 3_600_000,
    random: () => 0,
  })

const uploaded = (path: string) => `"kind":"change","by":"cli","act":"PUT","path":"/docs/${path}"`

/** Looks again and again until so many were told of. */
const untilTold = (dispatcher: Dispatcher, count: number) =>
  expect
    .poll(async () => {
      await dispatcher.look()
      return told.length
    })
    .toBe(count)

describe('a dispatcher', () => {
  it('tells each target of what it asked for, from the first start on', async () => {
    const writer = await house.open()
    await writer.keep(uploaded('before'))
    const dispatcher = await start([target('app'), target('other', ['object.deleted'])])
    await writer.keep(uploaded('a'))
    await untilTold(dispatcher, 1)
    expect(told).toEqual(['app /docs/a'])
    expect(queueOf(data)).toEqual({ waiting: 0, dead: 0 })
    await dispatcher.close()
    await writer.close()
  })

  it('tells of what happened while it did not run, and of nothing twice', async () => {
    await (await start()).close()
    const writer = await house.open()
    for (const name of ['a', 'b']) await writer.keep(uploaded(name))
    const first = await start()
    await untilTold(first, 2)
    await first.close()
    const second = await start()
    await writer.keep(uploaded('c'))
    await untilTold(second, 3)
    expect(told).toEqual(['app /docs/a', 'app /docs/b', 'app /docs/c'])
    await second.close()
    await writer.close()
  })

  it('tries again with pauses, gives up, and starts anew when it is asked to', async () => {
    const dispatcher = await start()
    const writer = await house.open()
    isDown = true
    await writer.keep(uploaded('a'))
    const outbox = await Outbox.open(data)
    const pauses: number[] = []
    for (let attempts = 1; attempts <= 10; attempts += 1) {
      await expect
        .poll(async () => {
          await dispatcher.look()
          return (await outbox.list(10))[0]?.attempts
        })
        .toBe(attempts)
      const [{ next, error } = {}] = await outbox.list(10)
      expect(error).toBe('it is down')
      if (next === undefined) break
      pauses.push((next - house.time) / 1000)
      house.time = next
    }
    expect(pauses).toEqual([5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800])
    expect(queueOf(data)).toEqual({ waiting: 0, dead: 1 })
    isDown = false
    await dispatcher.look()
    expect(told).toEqual([])
    const chosen = { all: false, now: house.time }
    expect(await outbox.retry({ ...chosen, ids: ['evt_none'] })).toBe(0)
    expect(await outbox.retry({ ...chosen, ids: [] })).toBe(1)
    await untilTold(dispatcher, 1)
    expect(await outbox.drop({ ...chosen, ids: [] })).toBe(0)
    await outbox.close()
    await dispatcher.close()
    await writer.close()
  })

  it('lets one process tell, and another when that has ended', async () => {
    const [one, two] = [await start(), await start()]
    const writer = await house.open()
    await writer.keep(uploaded('a'))
    await two.look()
    expect(told).toEqual([])
    await untilTold(one, 1)
    await one.close()
    await writer.keep(uploaded('b'))
    await untilTold(two, 2)
    expect(told).toEqual(['app /docs/a', 'app /docs/b'])
    await two.close()
    await writer.close()
  })
})
