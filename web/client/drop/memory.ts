/**
 * What outlives a reload: which upload holds which file, and by which handle the file can be read
 * again. Never the key: that is in the address of the tab, and in nothing that is kept.
 */
import type { FileHandle } from './collect.ts'
import type { Begun } from './surroundings.ts'

export interface Remembered extends Begun {
  /** of the key that it was begun with */
  readonly keyId: string
  /** Unix milliseconds */
  readonly since: number
  readonly handle?: FileHandle | undefined
}

const STORE = 'uploads'

/** No server keeps an unfinished upload for longer than this, in milliseconds. */
const LONGEST = 7 * 24 * 3600_000

export class Memory {
  readonly #keyId: string
  readonly #database: Promise<IDBDatabase | undefined>

  constructor(keyId: string) {
    this.#keyId = keyId
    // where nothing may be kept, nothing is: uploads go on, but not over a reload
    this.#database = opened().catch(() => undefined)
  }

  /** What this key had begun. @param now Unix milliseconds */
  async recall(now: number): Promise<readonly Remembered[]> {
    const all = (await this.#do('readonly', (store) => store.getAll())) as Remembered[] | undefined
    const old = (all ?? []).filter(({ since }) => since < now - LONGEST)
    await Promise.all(old.map(({ keyId, fingerprint }) => this.#delete(keyId, fingerprint)))
    return (all ?? []).filter((one) => one.keyId === this.#keyId && !old.includes(one))
  }

  async keep(begun: Begun, handle: FileHandle | undefined, now: number): Promise<void> {
    const { fingerprint, name, folder, path, size, type, upload } = begun
    const facts = { fingerprint, name, folder, path, size, type, upload }
    const record: Remembered = { ...facts, keyId: this.#keyId, since: now, handle }
    await this.#do('readwrite', (store) => store.put(record))
  }

  async drop(fingerprint: string): Promise<void> {
    await this.#delete(this.#keyId, fingerprint)
  }

  readonly #delete = (keyId: string, fingerprint: string): Promise<unknown> =>
    this.#do('readwrite', (store) => store.delete([keyId, fingerprint]))

  /** Undefined where nothing can be kept. */
  async #do(
    mode: IDBTransactionMode,
    request: (store: IDBObjectStore) => IDBRequest,
  ): Promise<unknown> {
    const database = await this.#database
    if (database === undefined) return undefined
    try {
      return await resultOf(request(database.transaction(STORE, mode).objectStore(STORE)))
    } catch {
      return undefined
    }
  }
}

async function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open('valetkey-drop', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE, { keyPath: ['keyId', 'fingerprint'] })
  }
  return resultOf(request)
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/**
 * Resolves when this tab is the one that goes on with what was begun, since two must not send the
 * same at once: now, or when the tab closes that was opened before. It stays so until the signal.
 */
export const turnOf = (keyId: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const held = new Promise<Event>((done) => signal.addEventListener('abort', done))
    const locks = navigator.locks as LockManager | undefined
    if (locks === undefined) return resolve()
    void locks.request(`drop ${keyId}`, () => {
      resolve()
      return held
    })
  })
