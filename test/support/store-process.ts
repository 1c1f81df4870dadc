/**
 * A store in a process of its own. As the main module of a child it obeys {@link Order}s; imported,
 * it starts such a child.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Instance } from '../../database/instance.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import type { MultipartRef } from '../../gateway/store/multipart.ts'
import type { OpenObject } from '../../gateway/store/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { bytes } from '../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from './multipart.ts'
import { at, contentOf, digest, pattern, put, readFrom, START } from './store.ts'

export type Order =
  | {
      readonly do: 'create'
      readonly path: ObjectPath
      readonly size: number
      readonly seed: number
    }
  | { readonly do: 'digest'; readonly path: ObjectPath }
  /** opens an object, and answers; the next `readHeld` reads it */
  | { readonly do: 'hold'; readonly path: ObjectPath }
  | { readonly do: 'readHeld' }
  /** uploads, replaces and deletes without end; each acknowledgement is answered as it comes */
  | { readonly do: 'flood'; readonly round: number }
  /** begins uploads, puts and replaces parts, completes and aborts without end, likewise */
  | { readonly do: 'floodParts'; readonly round: number }
  | { readonly do: 'stop' }

/** What a flood was told is durable. */
export type Acknowledged =
  | { readonly put: ObjectPath; readonly digest: string }
  | { readonly deleted: ObjectPath }

/** The same of a flood of parts. */
export type AcknowledgedParts =
  | { readonly begun: MultipartRef }
  | { readonly part: MultipartRef; readonly number: number; readonly etag: string }
  | { readonly completed: MultipartRef; readonly digest: string }
  | { readonly aborted: MultipartRef }

export class StoreProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(folder: string, instances: string): Promise<StoreProcess> {
    const child = fork(fileURLToPath(import.meta.url), [folder, instances], {
      execArgv: ['--import', 'tsx'],
    })
    await once(child, 'message')
    return new StoreProcess(child)
  }

  /** One order at a time. */
  async tell(order: Order): Promise<unknown> {
    this.#child.send(order)
    const [answer] = await once(this.#child, 'message')
    return answer
  }

  /** Floods the store, and kills the process as soon as `most` acknowledgements have come. */
  floodAndKill(round: number, most: number): Promise<readonly Acknowledged[]> {
    return this.#untilKilled({ do: 'flood', round }, most)
  }

  floodPartsAndKill(round: number, most: number): Promise<readonly AcknowledgedParts[]> {
    return this.#untilKilled({ do: 'floodParts', round }, most)
  }

  async #untilKilled<T>(order: Order, most: number): Promise<readonly T[]> {
    const acknowledged: T[] = []
    // not before all that it acknowledged has been heard
    const ended = once(this.#child, 'close')
    this.#child.on('message', (message: T) => {
      acknowledged.push(message)
      if (acknowledged.length === most) this.#child.kill('SIGKILL')
    })
    this.#child.send(order)
    await ended
    return acknowledged
  }

  /** Ends it as a power cut would, whatever it is at. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.send({ do: 'stop' } satisfies Order)
    await ended
  }
}

async function obey(folder: string, instances: string): Promise<void> {
  const instance = Instance.start(instances)
  const store = await DiskStore.open({ folder, instance, now: () => START, reserve: bytes(0) })
  let held: OpenObject | undefined
  const answer = (message: unknown): void => {
    process.send?.(message)
  }

  const carryOut = async (order: Order): Promise<unknown> => {
    switch (order.do) {
      case 'create':
        return put(store, order.path, pattern(order.size, order.seed), {
          condition: { absent: true },
        })
      case 'digest':
        return digest((await contentOf(store, order.path)) ?? new Uint8Array())
      case 'hold':
        held = await store.open(order.path)
        return held?.info
      case 'readHeld': {
        const content = await readFrom(held as OpenObject)
        held?.close()
        return digest(content)
      }
      case 'flood':
        await Promise.all([0, 1, 2, 3].map((lane) => flood(store, order.round, lane, answer)))
        return undefined
      case 'floodParts':
        await Promise.all([0, 1, 2].map((lane) => floodParts(store, order.round, lane, answer)))
        return undefined
      case 'stop':
        await store.close()
        instance.close()
        process.disconnect()
        return undefined
    }
  }
  process.on('message', async (order: Order) => {
    const result = await carryOut(order)
    if (process.connected) answer(result ?? null)
  })
  answer('ready')
}

const FLOOD_SIZES = [0, 1000, 64 * 1024, 65_537, 300_000, 1_200_000]

/** Of the paths that a flood uses once: whether it deletes them right after it has put them. */
export const isDeletedAfterwards = (path: ObjectPath): boolean => /[49]$/.test(path)

async function flood(
  store: DiskStore,
  round: number,
  lane: number,
  acknowledge: (message: Acknowledged) => void,
): Promise<void> {
  for (let n = 0; ; n += 1) {
    const size = FLOOD_SIZES[(n + lane) % FLOOD_SIZES.length] ?? 0
    const content = pattern(size, round * 1000 + lane * 100 + n + 1)
    // some paths are used again and again, so that blobs become garbage all the time
    const path = at(n % 3 === 0 ? `lane-${lane}/again` : `lane-${lane}/${round}-${n}`)
    await put(store, path, content)
    acknowledge({ put: path, digest: digest(content) })
    if (isDeletedAfterwards(path)) {
      await store.delete(path)
      acknowledge({ deleted: path })
    }
  }
}

/** Of the uploads of a flood: whether it aborts them. */
export const isAborted = ({ path }: MultipartRef): boolean => /[37]$/.test(path)

/** The parts of an upload of a flood: each is put twice, what counts is the second. */
export const floodedParts = ({ path }: MultipartRef): readonly Uint8Array[] => {
  const seed = [...path].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7) % 1e6
  return [300_000, 70_000, 100].map((size, n) => pattern(size, seed + n + 1))
}

async function floodParts(
  store: DiskStore,
  round: number,
  lane: number,
  acknowledge: (message: AcknowledgedParts) => void,
): Promise<void> {
  const { multipart } = store
  for (let n = 0; ; n += 1) {
    const path = at(`parts-${lane}/${round}-${n}`)
    const ref = await multipart.create(path, NEW_UPLOAD)
    acknowledge({ begun: ref })
    const contents = floodedParts(ref)
    await putPart(multipart, ref, 1, pattern(100_000, 999))
    for (const [index, content] of contents.entries()) {
      const { part } = await putPart(multipart, ref, index + 1, content)
      acknowledge({ part: ref, number: index + 1, etag: part.etag })
    }
    if (isAborted(ref)) {
      await multipart.abort(ref)
      acknowledge({ aborted: ref })
      continue
    }
    const parts = contents.map((content, index) => ({ number: index + 1, etag: etagOf(content) }))
    await multipart.complete(ref, { parts }, completedOf())
    acknowledge({ completed: ref, digest: digest(Buffer.concat(contents)) })
  }
}

const [, main, folder, instances] = process.argv
if (main === fileURLToPath(import.meta.url) && folder !== undefined && instances !== undefined) {
  await obey(folder, instances)
}
