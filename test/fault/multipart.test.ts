/** Uploads in parts and copies, where each call on the file system fails or is the last one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskStore } from '../../gateway/store/disk/store.ts'
import type { MultipartInfo } from '../../gateway/store/multipart.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../support/multipart.ts'
import { contentOf, isSame, pattern, START, StoreFolder } from '../support/store.ts'
import { isTidy } from '../support/store-leftovers.ts'
import { Round, type Running, type Step, startFaulty } from '../support/store-rounds.ts'

const OLD = pattern(600 * 1024, 1)
const PARTS = [pattern(300 * 1024, 2), pattern(100, 3)]
const REPLACED = pattern(500 * 1024, 5)
const NEW = Buffer.concat([...PARTS, OLD.subarray(1000, 200_000)])

const begin = (store: DiskStore, path: ObjectPath): Promise<MultipartInfo> =>
  store.multipart.create(path, NEW_UPLOAD)

async function assemble(store: DiskStore, path: ObjectPath): Promise<void> {
  const ref = await begin(store, path)
  await putPart(store.multipart, ref, 2, REPLACED)
  for (const [n, part] of PARTS.entries()) await putPart(store.multipart, ref, n + 1, part)
  const range = { start: 1000, length: 199_000 }
  const copied = await store.multipart.copyPart(
    ref,
    3,
    { path, range },
    { etag: '"3"', modified: START },
  )
  expect(copied.done).toBe(true)
  const parts = PARTS.map((part, n) => ({ number: n + 1, etag: etagOf(part) }))
  const list = { parts: [...parts, { number: 3, etag: '"3"' }] }
  expect((await store.multipart.complete(ref, list, completedOf())).done).toBe(true)
}

async function abandon(store: DiskStore, path: ObjectPath): Promise<void> {
  const ref = await begin(store, path)
  for (const [n, part] of PARTS.entries()) await putPart(store.multipart, ref, n + 1, part)
  await store.multipart.abort(ref)
}

/** Two objects share a blob for a while. */
async function copyAndDelete(store: DiskStore, path: ObjectPath): Promise<void> {
  const copy = `${path}-copy` as ObjectPath
  expect((await store.copy(path, copy, { modified: START })).done).toBe(true)
  expect(isSame(await contentOf(store, copy), OLD)).toBe(true)
  await store.delete(copy)
}

const STEPS: readonly Step[] = [
  { name: 'assemble', before: OLD, after: NEW, run: assemble },
  { name: 'abandon', before: OLD, after: OLD, run: abandon },
  { name: 'copy', before: OLD, after: OLD, run: copyAndDelete },
]

describe('parts on a disk that fails', () => {
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

  const dryRound = async (running: Running, steps = STEPS): Promise<Round> => {
    const round = new Round('dry', steps)
    await round.run(running)
    expect(round.fates).toEqual(steps.map(() => 'done'))
    return round
  }

  /** Nothing is left when what a fault interrupted has been aborted. */
  const checkAfterRestart = async (rounds: readonly Round[]): Promise<void> => {
    const store = await folder.start()
    for (const round of rounds) await round.check(store)
    const { uploads } = await store.multipart.list({ prefix: '', limit: 1000 })
    for (const ref of uploads) expect(await store.multipart.abort(ref)).toBe(true)
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
  }

  it.each(['EIO', 'ENOSPC'])('are taken or refused, wholly (%s)', async (code) => {
    const running = await startFaulty(folder)
    const { calls } = await dryRound(running)
    const names = ['create', 'append', 'link', ...(code === 'ENOSPC' ? ['sync'] : ['unlink'])]
    const rounds: Round[] = []
    for (const call of calls) {
      if (!names.includes(call.name)) continue
      const round = new Round(`${call.name}-${call.nth}`, STEPS)
      await round.run(running, call, { code })
      expect(round.refused.length).toBeLessThanOrEqual(1)
      await round.check(running.store)
      rounds.push(round)
    }
    expect(rounds.length).toBeGreaterThan(names.length)
    await running.store.close()
    running.instance.close()
    await checkAfterRestart(rounds)
  })

  it('are whole after an end at any call', async () => {
    const steps = STEPS.slice(0, 1)
    const first = await startFaulty(folder)
    const { calls } = await dryRound(first, steps)
    await first.store.close()
    first.instance.close()
    const rounds: Round[] = []
    for (const call of calls) {
      if (!['create', 'append', 'link', 'sync', 'unlink'].includes(call.name)) continue
      const running = await startFaulty(folder)
      await rounds.at(-1)?.check(running.store)
      const round = new Round(`${call.name}-${call.nth}`, steps)
      await round.run(running, call, 'hang')
      rounds.push(round)
      running.instance.close()
      hanging.push(running)
    }
    expect(rounds.length).toBeGreaterThan(10)
    await checkAfterRestart(rounds)
  })
})
