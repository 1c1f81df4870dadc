/**
 * A process that floods a folder bucket, to be killed. As the main module of a child it writes until
 * then; imported, it starts such a child.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Instance } from '../../database/instance.ts'
import { FolderStore } from '../../gateway/store/folder/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { bytes } from '../../key/units.ts'
import type { FolderBucket } from './folder.ts'
import { at, pattern, put, START } from './store.ts'

const LANES = 4

/** The object that a lane of a flood changes; all others leave it alone. */
export const pathOf = (flood: number, lane: number): ObjectPath => at(`${flood}/${lane}/x.txt`)

/** What a step, numbered from 1, makes of the object; undefined: it is deleted. */
export function contentOfStep(step: number): Uint8Array | undefined {
  if (step % 5 === 0) return undefined
  return pattern(step % 2 === 0 ? 900_000 : 100 + step, step)
}

export const typeOfStep = (step: number): string => `step/${step}`

/** Kills a flood as soon as `most` steps were acknowledged; gives the last step of each lane. */
export async function floodAndKill(
  { folder, data, instances }: FolderBucket,
  number: number,
  most: number,
): Promise<ReadonlyMap<number, number>> {
  const child = fork(fileURLToPath(import.meta.url), [folder, data, instances, String(number)], {
    execArgv: ['--import', 'tsx'],
  })
  // not before all that it told has been heard
  const ended = once(child, 'close')
  const last = new Map(Array.from({ length: LANES }, (_, lane) => [lane, 0]))
  let count = 0
  child.on('message', ({ lane, step }: { lane: number; step: number }) => {
    last.set(lane, step)
    count += 1
    if (count === most) child.kill('SIGKILL')
  })
  await ended
  return last
}

async function flood(folder: string, data: string, instances: string, number: number) {
  const instance = Instance.start(instances)
  const store = await FolderStore.open({
    bucket: 'bucket',
    folder,
    data,
    readOnly: false,
    instance,
    now: () => START,
    reserve: bytes(0),
  })
  const run = async (lane: number): Promise<void> => {
    for (let step = 1; ; step += 1) {
      const content = contentOfStep(step)
      const path = pathOf(number, lane)
      if (content === undefined) await store.delete(path)
      else await put(store, path, content, { as: { type: typeOfStep(step) } })
      process.send?.({ lane, step })
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, lane) => run(lane)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '', data = '', instances = '', number = ''] = process.argv.slice(2)
  await flood(folder, data, instances, Number(number))
}
