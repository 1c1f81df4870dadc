/** Each call on the file system fails, or is the last one of the process, in turn. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Files } from '../../gateway/store/files/files.ts'
import { Refusal } from '../../key/refusal.ts'
import { contentOf, isSame, pattern, put, StoreFolder } from '../support/store.ts'
import type { Call } from '../support/store-faults.ts'
import { isTidy } from '../support/store-leftovers.ts'
import { Round, type Running, type Step, startFaulty } from '../support/store-rounds.ts'

const LARGE = 600 * 1024
const LARGER = 1300 * 1024
const OLD = pattern(LARGE, 1)
const NEW = pattern(LARGER, 2)
const SMALL = pattern(100, 3)

const STEPS: readonly Step[] = [
  { name: 'create', before: undefined, after: NEW, run: (store, path) => put(store, path, NEW) },
  { name: 'replace', before: OLD, after: NEW, run: (store, path) => put(store, path, NEW) },
  { name: 'shrink', before: OLD, after: SMALL, run: (store, path) => put(store, path, SMALL) },
  { name: 'delete', before: OLD, after: undefined, run: (store, path) => store.delete(path) },
  {
    name: 'conflict',
    before: OLD,
    after: OLD,
    run: async (store, path) => {
      const outcome = await put(store, path, NEW, { condition: { absent: true } })
      expect(outcome.done).toBe(false)
    },
  },
  {
    name: 'discard',
    before: OLD,
    after: OLD,
    run: async (store, path) => {
      const upload = await store.upload(path)
      try {
        await upload.write([pattern(LARGER, 4)])
      } finally {
        await upload.discard()
      }
    },
  },
  {
    name: 'read',
    before: OLD,
    after: OLD,
    run: async (store, path) => expect(isSame(await contentOf(store, path), OLD)).toBe(true),
  },
]

describe('a store on a disk that fails', () => {
  let folder: StoreFolder
  const hanging: Running[] = []
  beforeEach(() => {
    folder = new StoreFolder()
  })
  afterEach(async () => {
    for (const { faulty, store } of hanging.splice(0)) {
      faulty.release()
      await store.close()
    }
    await folder.remove()
  })

  /** The calls of the steps, where none fails. */
  const callsOf = async (running: Running, steps: readonly Step[]): Promise<readonly Call[]> => {
    const round = new Round('dry', steps)
    await round.run(running)
    expect(round.fates).toEqual(steps.map(() => 'done'))
    return round.calls
  }

  /** A new start finds each round as its fates say, and nothing else. */
  const checkAfterRestart = async (rounds: readonly Round[]): Promise<void> => {
    const store = await folder.start()
    for (const round of rounds) await round.check(store)
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
  }

  /** Each call with one of these names fails in a round of its own, all in one life of the store. */
  const failEach = async (
    code: string,
    names: readonly (keyof Files)[],
    check: (round: Round) => void,
  ): Promise<void> => {
    const running = await startFaulty(folder)
    const calls = await callsOf(running, STEPS)
    const rounds: Round[] = []
    for (const call of calls) {
      if (!names.includes(call.name)) continue
      const round = new Round(`${call.name}-${call.nth}`, STEPS)
      await round.run(running, call, { code })
      check(round)
      expect(await running.store.trouble()).toBeUndefined()
      await round.check(running.store)
      rounds.push(round)
    }
    expect(rounds.length).toBeGreaterThanOrEqual(names.length)
    await running.store.close()
    running.instance.close()
    await checkAfterRestart(rounds)
  }

  it('never says falsely that something is done (EIO)', async () => {
    const names = ['create', 'append', 'link', 'open', 'close', 'unlink', 'read'] as const
    await failEach('EIO', names, ({ refused }) => {
      expect(refused.length).toBeLessThanOrEqual(1)
      expect(refused.every((code) => code === 'unavailable')).toBe(true)
    })
  })

  it('refuses what does not fit, and goes on when there is room again (ENOSPC)', async () => {
    const names = ['create', 'append', 'link', 'sync'] as const
    await failEach('ENOSPC', names, ({ refused }) => expect(refused).toEqual(['storage_full']))
  })

  it('refuses what there are no descriptors for (EMFILE)', async () => {
    const names = ['create', 'open'] as const
    await failEach('EMFILE', names, ({ refused }) => expect(refused).toEqual(['unavailable']))
  })

  it.each([0, 1])('never repeats an fsync (the one of number %i failed)', async (nth) => {
    const running = await startFaulty(folder)
    const round = new Round('round', STEPS)
    await round.run(running, { name: 'sync', nth }, { code: 'EIO' })
    const fates = round.fates.map((fate) => (fate instanceof Refusal ? fate.code : fate))
    const no = 'unavailable'
    expect(fates).toEqual([no, no, no, 'done', no, no, 'done'])
    expect(round.calls.filter(({ name }) => name === 'sync')).toHaveLength(nth + 1)
    expect(await running.store.trouble()).toMatchObject({ code: 'unavailable' })
    await round.check(running.store)
    await running.store.close()
    running.instance.close()
    await checkAfterRestart([round])
  })

  it('is whole after an end at any call', async () => {
    const steps = STEPS.filter(({ name }) => CHANGES.includes(name))
    const first = await startFaulty(folder)
    const calls = await callsOf(first, steps)
    await first.store.close()
    first.instance.close()
    const rounds: Round[] = []
    for (const call of calls) {
      if (call.name === 'open' || call.name === 'close') continue
      const running = await startFaulty(folder)
      await rounds.at(-1)?.check(running.store)
      const round = new Round(`${call.name}-${call.nth}`, steps)
      await round.run(running, call, 'hang')
      expect(running.faulty.isHung).toBe(true)
      rounds.push(round)
      // its lock goes with the process; what hangs is let go when all has been looked at
      running.instance.close()
      hanging.push(running)
    }
    await checkAfterRestart(rounds)
  })
})

/** Steps that meet every call there is, without meeting most of them twice. */
const CHANGES: readonly string[] = ['replace', 'delete', 'conflict', 'discard']
