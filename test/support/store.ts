/** Help for tests of stores: bytes to write, whole uploads and downloads, folders that go away. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Instance } from '../../database/instance.ts'
import { DiskStore, type DiskStoreOptions } from '../../gateway/store/disk/store.ts'
import type {
  Committed,
  Conflict,
  NewObject,
  OpenObject,
  Store,
  WriteCondition,
} from '../../gateway/store/store.ts'
import { type ObjectPath, parseObjectPath } from '../../key/object-path.ts'
import { bytes, type UnixSeconds, unixSeconds } from '../../key/units.ts'

export const START = unixSeconds(1_800_000_000)
export const at = (name: string): ObjectPath => parseObjectPath(`bucket/${name}`)

/** Bytes of which no two blocks are alike, the same for the same seed. */
export function pattern(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let n = 0; n < words.length; n += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[n] = state
  }
  return new Uint8Array(words.buffer, 0, size)
}

export const digest = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex')

export const described = (content: Uint8Array, as: Partial<NewObject> = {}): NewObject => {
  const sha256 = digest(content)
  return {
    type: 'text/plain',
    etag: `"${sha256.slice(0, 16)}"`,
    sha256,
    modified: START,
    ...as,
  }
}

interface PutOptions {
  readonly as?: Partial<NewObject>
  readonly condition?: WriteCondition
  /** how the content is cut up on its way */
  readonly chunk?: number
}

export async function put(
  store: Store,
  path: ObjectPath,
  content: Uint8Array,
  { as, condition, chunk = 64 * 1024 }: PutOptions = {},
): Promise<Committed | Conflict> {
  const upload = await store.upload(path)
  try {
    for (let from = 0; from < content.length; from += chunk) {
      await upload.write([content.slice(from, from + chunk)])
    }
    return await upload.commit(described(content, as), condition)
  } finally {
    await upload.discard()
  }
}

/** Reads to the end in steps of `buffer` bytes. */
export async function readFrom(
  object: OpenObject,
  from = 0,
  buffer = 256 * 1024,
): Promise<Uint8Array> {
  const into = new Uint8Array(buffer)
  const parts: Uint8Array[] = []
  for (let position = from; ; ) {
    const count = await object.read(into, position)
    if (count === 0) return Buffer.concat(parts)
    parts.push(into.slice(0, count))
    position += count
  }
}

export async function contentOf(store: Store, path: ObjectPath): Promise<Uint8Array | undefined> {
  const object = await store.open(path)
  if (object === undefined) return undefined
  try {
    return await readFrom(object)
  } finally {
    object.close()
  }
}

/** A comparison whose failure doesn't print megabytes. */
export const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0

export interface Clock {
  now: UnixSeconds
}

/** A data folder that disk stores are started on, one after another or at the same time. */
export class StoreFolder {
  readonly root = mkdtempSync(join(tmpdir(), 'valetkey-store-'))
  readonly folder = join(this.root, 'store')
  readonly clock: Clock = { now: START }
  readonly #running: { readonly store: DiskStore; readonly instance: Instance }[] = []

  get instances(): string {
    return join(this.root, 'instances')
  }

  async start(options: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
    const instance = Instance.start(this.instances)
    try {
      const store = await DiskStore.open({
        folder: this.folder,
        instance,
        now: () => this.clock.now,
        reserve: bytes(0),
        ...options,
      })
      this.#running.push({ store, instance })
      return store
    } catch (error) {
      instance.close()
      throw error
    }
  }

  async stop(): Promise<void> {
    for (const { store, instance } of this.#running.splice(0)) {
      await store.close()
      instance.close()
    }
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.root, { recursive: true, force: true })
  }
}
