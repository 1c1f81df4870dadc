import { describe, expect, it } from 'vitest'
import { Gate, inLanes } from '../../../../gateway/store/lanes.ts'

/** Work whose end the test decides. */
class Work {
  readonly begun: number[] = []
  readonly #ends = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()

  readonly start = (item: number): Promise<void> => {
    this.begun.push(item)
    return new Promise((resolve, reject) => this.#ends.set(item, { resolve, reject }))
  }

  async end(item: number, error?: Error): Promise<void> {
    if (error === undefined) this.#ends.get(item)?.resolve()
    else this.#ends.get(item)?.reject(error)
    await settled()
  }
}

/** All that can happen without anybody's help has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('lanes', () => {
  it('hold so many items at a time, and ask for the next when one is free', async () => {
    const asked: number[] = []
    function* items() {
      for (let n = 1; n <= 5; n += 1) {
        asked.push(n)
        yield n
      }
    }
    const work = new Work()
    const all = inLanes(items(), 2, work.start)
    await settled()
    expect([asked, work.begun]).toEqual([
      [1, 2],
      [1, 2],
    ])
    await work.end(2)
    expect(asked).toEqual([1, 2, 3])
    for (const item of [1, 3, 4, 5]) await work.end(item)
    await all
    expect(work.begun).toEqual([1, 2, 3, 4, 5])
  })

  it('take items that come one after the other, each once', async () => {
    async function* items() {
      for (let n = 0; n < 50; n += 1) {
        if (n % 7 === 0) await settled()
        yield n
      }
    }
    const done: number[] = []
    await inLanes(items(), 4, async (item) => {
      await settled()
      done.push(item)
    })
    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it('begin nothing after a failure, and wait for what was begun', async () => {
    const work = new Work()
    let isOver = false
    const all = inLanes([1, 2, 3, 4], 2, work.start).finally(() => {
      isOver = true
    })
    all.catch(() => {})
    await settled()
    await work.end(1, new Error('broken'))
    expect([work.begun, isOver]).toEqual([[1, 2], false])
    await work.end(2)
    await expect(all).rejects.toThrow('broken')
    expect(work.begun).toEqual([1, 2])
  })

  it('fail with what the items themselves fail with, and let them tidy up', async () => {
    let isTidy = false
    async function* items() {
      try {
        yield 1
        yield 2
        yield 3
      } finally {
        isTidy = true
      }
    }
    const failing = inLanes(items(), 1, async (item) => {
      if (item === 2) throw new Error('broken')
    })
    await expect(failing).rejects.toThrow('broken')
    expect(isTidy).toBe(true)
    // biome-ignore lint/correctness/useYield: it fails before
    async function* broken(): AsyncGenerator<number> {
      throw new Error('no items')
    }
    await expect(inLanes(broken(), 3, async () => {})).rejects.toThrow('no items')
  })
})

describe('a gate', () => {
  it('lets so many through at a time, in turn, also after failures', async () => {
    const gate = new Gate(2)
    const work = new Work()
    const all = [1, 2, 3, 4].map((item) => gate.through(() => work.start(item)))
    const outcomes = Promise.allSettled(all)
    await settled()
    expect(work.begun).toEqual([1, 2])
    await work.end(2, new Error('broken'))
    expect(work.begun).toEqual([1, 2, 3])
    await work.end(1)
    await work.end(3)
    await work.end(4)
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
  })
})
