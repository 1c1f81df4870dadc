import { mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Follower, newestFirst } from '../../../audit/read.ts'
import { seconds } from '../../../key/units.ts'
import { type AuditHouse, act, auditHouse } from '../../support/audit.ts'

let house: AuditHouse
beforeEach(() => {
  house = auditHouse()
})
afterEach(() => house.remove())

const DAY = 86_400_000

/** Lets a day pass whose file can not be made, since a folder has its name. */
function blockNextDay(): () => void {
  house.time += DAY
  const blocked = join(house.folder, '.2026-11-25.0.0.jsonl.new')
  mkdirSync(join(blocked, 'x'), { recursive: true })
  return () => rmSync(blocked, { recursive: true })
}

describe('an audit', () => {
  it('writes what was noted without anybody waiting for it', async () => {
    const writer = await house.open()
    const follower = new Follower(house.folder, {})
    writer.note(act('a'))
    writer.note(act('b'))
    await expect.poll(() => house.acts()).toEqual(['a', 'b'])
    expect((await follower.next()).map((record) => record.act)).toEqual(['a', 'b'])
    expect(await follower.next()).toEqual([])
    await writer.close()
  })

  it('writes much before its time comes, but after a failure only when that has come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let asked = 0
    const now = (): number => {
      asked += 1
      return house.time
    }
    const writer = await house.open({ now })
    const many = Array.from({ length: 10 }, () => act('many', `,"path":"${'x'.repeat(60_000)}"`))
    const noteAll = (): void => many.forEach((record) => void writer.note(record))
    try {
      noteAll()
      await expect.poll(() => house.acts()).toHaveLength(9)
      const unblock = blockNextDay()
      await expect(writer.keep(act('kept'))).rejects.toMatchObject({ code: 'unavailable' })
      unblock()
      asked = 0
      noteAll()
      // each record asks for the time once, and so would what begins to write
      expect(asked).toBe(many.length)
      vi.advanceTimersByTime(1000)
      await expect.poll(() => house.acts()).toHaveLength(21)
    } finally {
      vi.useRealTimers()
      await writer.close()
    }
    expect((await house.verify()).problems).toEqual([])
  })

  it('seals what is kept in one turn of the event loop at once', async () => {
    const writer = await house.open()
    await Promise.all(['a', 'b', 'c'].map((name) => writer.keep(act(name))))
    await writer.close()
    const [file = ''] = house.names()
    expect(house.read(file).match(/"count":\d+/g)).toEqual(['"count":1', '"count":3'])
  })

  it('flushes those who waited together with those who come again as soon as they are answered', async () => {
    const writer = await house.open()
    const keepFiveTimes = async (): Promise<void> => {
      for (let n = 0; n < 5; n += 1) await writer.keep(act('again'))
    }
    const first = keepFiveTimes()
    await turn()
    // the first flush is under way
    await Promise.all([first, keepFiveTimes()])
    await writer.close()
    const [file = ''] = house.names()
    const counts = house.read(file).match(/(?<="count":)\d+/g)
    // the file's own; the first one's first, four of both, the second one's last
    expect(counts).toEqual(['1', '1', '2', '2', '2', '2', '1'])
  })

  it('takes nothing any more once it is closed', async () => {
    const writer = await house.open()
    writer.note(act('a'))
    await writer.close()
    await writer.close()
    writer.note(act('b'))
    await expect(writer.keep(act('c'))).rejects.toMatchObject({ code: 'unavailable' })
    expect(await house.acts()).toEqual(['a'])
  })

  it('keeps what can not be written until it can, and says so once each', async () => {
    const writer = await house.open()
    const unblock = blockNextDay()
    await expect(writer.keep(act('a'))).rejects.toMatchObject({ code: 'unavailable' })
    await expect(writer.keep(act('b'))).rejects.toMatchObject({ code: 'unavailable' })
    expect(writer.trouble()).toMatchObject({ code: 'unavailable' })
    expect(house.troubles).toHaveLength(1)
    unblock()
    await writer.keep(act('c'))
    expect(writer.trouble()).toBeUndefined()
    expect(house.troubles).toEqual([expect.anything(), undefined])
    await writer.close()
    expect(await house.acts()).toEqual(['a', 'b', 'c'])
    expect((await house.verify()).problems).toEqual([])
  })

  it('promises nothing of what it can not hold', async () => {
    const writer = await house.open()
    const much = act('much', `,"path":"${'x'.repeat(60_000)}"`)
    for (let n = 0; n < 300; n += 1) writer.note(much)
    await expect(writer.keep(act('kept'))).rejects.toMatchObject({ code: 'unavailable' })
    await writer.close()
    expect(await house.acts()).not.toContain('kept')
  })

  it('tells how long the oldest record has waited, also while writing fails', async () => {
    const writer = await house.open()
    expect(writer.lag()).toBe(0)
    const unblock = blockNextDay()
    writer.note(act('a'))
    house.time += 3000
    await expect(writer.keep(act('b'))).rejects.toMatchObject({ code: 'unavailable' })
    writer.note(act('c'))
    expect(writer.lag()).toBe(3000)
    unblock()
    await writer.keep(act('d'))
    expect(writer.lag()).toBe(0)
    await writer.close()
  })

  it('names no seal of the day before that a power cut could take', async () => {
    const writer = await house.open()
    const handle = await open(join(house.folder, house.names()[0] ?? ''))
    const kind = Object.getPrototypeOf(handle) as typeof handle
    await handle.close()
    writer.note(act('a'))
    await expect.poll(() => house.acts()).toEqual(['a'])
    const synced: string[] = []
    const spies = (['datasync', 'sync'] as const).map((name) => {
      const original = kind[name]
      return vi.spyOn(kind, name).mockImplementation(function (this: typeof handle) {
        synced.push(name)
        return original.call(this)
      })
    })
    try {
      house.time += DAY
      await writer.keep(act('b'))
      // the old file; the new one, its folder; what is waited for
      expect(synced).toEqual(['datasync', 'sync', 'sync', 'datasync'])
    } finally {
      for (const spy of spies) spy.mockRestore()
      await writer.close()
    }
  })

  it('goes on in the newest file when the clock was set back', async () => {
    for (const offset of [0, -2 * DAY]) {
      house.time += offset
      const writer = await house.open()
      await writer.keep(act('a'))
      await writer.close()
    }
    expect(house.names()).toEqual(['2026-11-24.0.0.jsonl'])
    expect((await house.verify()).problems).toEqual([])
  })

  it('removes files that are old enough, in a way that is verified', async () => {
    const keep = { keep: seconds(3 * 86_400) }
    for (let day = 0; day < 6; day += 1) {
      const writer = await house.open(keep)
      await writer.keep(act(`day${day}`))
      await writer.close()
      house.time += DAY
    }
    expect(house.names()).toEqual([26, 27, 28, 29].map((day) => `2026-11-${day}.0.0.jsonl`))
    expect((await house.verify()).problems).toEqual([])
    rmSync(join(house.folder, '2026-11-26.0.0.jsonl'))
    expect((await house.verify()).problems).toHaveLength(1)
  })
})

describe('reading', () => {
  beforeEach(async () => {
    const writer = await house.open()
    for (let at = 0; at < 40; at += 1) {
      house.time += 1000 + (at === 20 ? DAY : 0)
      const address = at % 2 === 0 ? '192.0.2.1' : '10.1.2.3'
      const refused = at % 10 === 0 ? ',"code":"key_expired"' : ''
      writer.note(
        `"kind":"request","by":"gateway","act":"r${at}","path":"/docs/a%20${at}.txt","keys":["k${at % 3}"],"subjects":["ann"]${at < 5 ? ',"narrowedFor":["bob"]' : ''},"address":"${address}"${refused}`,
      )
      if (at === 15) await writer.keep(act('kept'))
    }
    await writer.close()
  })

  it.each<[object, number]>([
    [{ id: 'k0' }, 14],
    [{ id: 'none' }, 0],
    [{ subject: 'ann' }, 40],
    [{ subject: 'bob' }, 5],
    [{ path: 'docs/a 7.txt' }, 1],
    [{ path: '/docs/' }, 40],
    [{ path: 'doc' }, 0],
    [{ address: '10.0.0.0/8' }, 20],
    [{ address: '192.0.2.1', id: 'k0' }, 7],
    [{ code: 'key_expired' }, 4],
    [{ refused: true }, 4],
    [{ since: Date.parse('2026-11-25T00:00:00Z'), subject: 'ann' }, 20],
    [{ until: Date.parse('2026-11-25T00:00:00Z'), subject: 'ann' }, 20],
  ])('%j finds %i', async (filter, count) => {
    const forwards = await house.acts(filter)
    expect(forwards).toHaveLength(count)
    expect(await house.newest(filter)).toEqual([...forwards].reverse())
  })

  it('goes on where it stopped, over the days', async () => {
    const found: string[] = []
    let position = {}
    for (let from: object | undefined; found.length < 41; from = position) {
      let count = 0
      for await (const one of newestFirst(house.folder, {}, from && { from: { ...from } })) {
        position = one.position()
        if (one.record?.kind !== 'note') found.push(one.record?.act ?? '')
        count += 1
        if (count === 7) break
      }
    }
    expect(found).toEqual(await house.newest())
  })

  it('stops where it has looked at enough', async () => {
    const rounds: number[] = []
    let from: Record<string, number> | undefined
    for (let isDone = false; !isDone; ) {
      let count = 0
      isDone = true
      for await (const one of newestFirst(
        house.folder,
        { id: 'k1' },
        { most: 2000, ...(from && { from }) },
      )) {
        if (one.record === undefined) {
          from = { ...one.position() }
          isDone = false
        } else count += 1
      }
      rounds.push(count)
    }
    expect(rounds.length).toBeGreaterThan(2)
    expect(rounds.reduce((sum, one) => sum + one, 0)).toBe(13)
  })
})
