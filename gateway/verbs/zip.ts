/** The objects beneath a prefix as one zip: planned from the listing, then sent front to back. */
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { type Attempt, clear } from '../../key/clear.ts'
import { type ObjectPath, type Prefix, parsePath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import { bytes } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { withBuffer } from '../body/buffers.ts'
import { contentAtHand, cutOff, finished, moved, type Progress } from '../body/send.ts'
import {
  CHECKED_AHEAD,
  centralRecord,
  dataDescriptor,
  endOfZip,
  entryLength,
  localHeader,
  type WrittenEntry,
  type ZipEntry,
  zipNames,
} from '../body/zip.ts'
import type { Exchange } from '../exchange.ts'
import type { Services } from '../services.ts'
import type { ListedObject, OpenObject } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'
import type { Use } from '../use.ts'
import { absent } from './get.ts'

/** Each is held in memory until the zip has ended. */
export const MOST_ENTRIES = 200_000
const PAGE = 1000

interface PlannedEntry extends ZipEntry {
  readonly path: ObjectPath
  readonly etag: string
}

export interface ZipPlan {
  readonly entries: readonly PlannedEntry[]
  /** bytes of the whole zip */
  readonly length: number
  /** differs where names, sizes or contents do */
  readonly etag: string
}

// ── planning ────────────────────────────────────────────────────────────────

/**
 * What a zip will hold: what the key lets be listed and read, as it is now.
 * @param only names relative to the prefix, of objects, or of folders with a slash; empty: everything
 * @throws Refusal method_not_granted, path_malformed, request_malformed, object_not_found, too_large
 */
export async function planZip(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  only: readonly string[],
): Promise<ZipPlan> {
  const { grant, attempt } = admitted
  if (grant.blocks.some(({ methods }) => methods?.includes('GET') === false)) {
    throw new Refusal('method_not_granted', 'a zip needs a key that grants GET beside LIST')
  }
  const found = new Map<ObjectPath, ListedObject>()
  const hash = createHash('sha256')
  for await (const object of chosen(attempt.path, only, services, exchange)) {
    const asked: Attempt = { ...attempt, method: 'GET', path: object.path }
    if (found.has(object.path) || clear(grant, asked) !== undefined) continue
    if (await services.gatekeeper.revoked(grant, object.path, attempt.now)) continue
    found.set(object.path, object)
    hash.update(`${object.path}\n${object.etag}\n`)
    if (found.size > MOST_ENTRIES) {
      throw new Refusal('too_large', `a zip holds at most ${MOST_ENTRIES} files: ask for less`)
    }
  }
  const entries = entriesOf([...found.values()], attempt.path)
  if (entries.length === 0) throw absent()
  return { entries, length: await lengthOf(entries), etag: `"${hash.digest('base64url')}"` }
}

async function* chosen(
  prefix: string,
  only: readonly string[],
  services: Services,
  exchange: Exchange,
): AsyncIterable<ListedObject> {
  if (only.length === 0) yield* beneath(prefix, services, exchange)
  for (const name of only) {
    if (name === '') {
      throw new Refusal('request_malformed', 'only= names a file or a folder; leave it out for all')
    }
    const target = parsePath(prefix + name)
    const object = target.kind === 'object' ? await services.store.head(target.path) : undefined
    if (target.kind === 'prefix') yield* beneath(target.path, services, exchange)
    else if (object !== undefined) yield object
    else throw absent()
  }
}

async function* beneath(
  prefix: string,
  { store }: Services,
  { outgoing }: Exchange,
): AsyncIterable<ListedObject> {
  let after: string | undefined
  do {
    const { objects, next } = await store.list({
      prefix,
      limit: PAGE,
      ...(after !== undefined && { after }),
    })
    yield* objects
    after = next
    await turn()
    if (outgoing.destroyed) return
  } while (after !== undefined)
}

/** A name that ends with a slash is a folder's: the folder asked for is none of its own entries. */
function entriesOf(objects: readonly ListedObject[], prefix: string): readonly PlannedEntry[] {
  const shown = objects.filter(({ path, size }) => path !== prefix || size > 0)
  const names = zipNames(
    shown.map(({ path, size }) => {
      const name = path.slice(prefix.length)
      return size > 0 && (name === '' || name.endsWith('/')) ? `${name}_` : name
    }),
  )
  return shown.map(({ path, size, etag, modified }, index) => ({
    path,
    etag,
    size,
    modified,
    name: names[index] ?? '',
  }))
}

async function lengthOf(entries: readonly ZipEntry[]): Promise<number> {
  let [offset, directory] = [0, 0]
  for (const [index, entry] of entries.entries()) {
    const { local, central } = entryLength(entry, offset)
    offset += local
    directory += central
    if (index % PAGE === 0) await turn()
  }
  return offset + directory + endOfZip(entries.length, offset, directory).length
}

// ── sending ─────────────────────────────────────────────────────────────────

/** Takes a use, as a download of that many bytes. @throws Refusal uses_exhausted */
export const takeZipUse = async (
  admitted: Admitted,
  { length, etag }: ZipPlan,
  { gatekeeper }: Services,
): Promise<Use | undefined> =>
  gatekeeper.takeUse(admitted, { transfer: { etag, size: bytes(length), start: 0, end: length } })

/**
 * Writes the head, sends it all, and settles the use. An object that is not any more what was planned, or is damaged,
 * ends the response short of its length: nobody takes that for a whole zip.
 * @throws Refusal, Damaged, with the response not ended
 */
export async function sendZip(
  plan: ZipPlan,
  use: Use | undefined,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
  head: () => void,
): Promise<void> {
  const { outgoing } = exchange
  const pace = services.pacing.of(admitted.grant)
  const current: { path: ObjectPath | Prefix } = { path: admitted.attempt.path }
  const transfer = services.transfers.begin({
    grant: admitted.grant,
    get path() {
      return current.path
    },
    direction: 'out',
    pace,
    cut: (why) => {
      exchange.refusal = why
      pace?.stop()
      cutOff(outgoing)
    },
  })
  const progress: Progress = { sent: 0, handed: 0 }
  try {
    head()
    await withBuffer(async (block) => {
      const writer = new ZipWriter(exchange, block, transfer, progress)
      await writeAll(plan, writer, admitted.grant, services, current)
    })
    if (!outgoing.destroyed) {
      outgoing.end()
      await finished(outgoing)
    }
  } finally {
    exchange.bytesOut = progress.sent
    services.transfers.end(transfer)
    await use?.settle(progress.sent, progress.handed)
  }
}

async function writeAll(
  { entries }: ZipPlan,
  writer: ZipWriter,
  grant: Grant,
  { store, gatekeeper, clock }: Services,
  current: { path: ObjectPath | Prefix },
): Promise<void> {
  const done: WrittenEntry[] = []
  for (const entry of entries) {
    if (writer.isGone) return
    current.path = entry.path
    const revoked = await gatekeeper.revoked(grant, entry.path, clock.now())
    if (revoked !== undefined) throw revoked
    const object = await store.open(entry.path)
    try {
      if (object?.info.etag !== entry.etag || object.info.size !== entry.size) throw changed()
      done.push(await writer.add(entry, object))
    } finally {
      object?.close()
    }
  }
  const start = writer.position
  for (const entry of done) await writer.put(centralRecord(entry))
  await writer.put(endOfZip(done.length, start, writer.position - start))
  await writer.flush()
}

const changed = (): Refusal =>
  new Refusal('object_not_found', 'an object was deleted or replaced while its zip was being sent')

/** How many entries are written before others have their turn, though nothing is full. */
const ENTRIES_A_TURN = 64

/** Gathers what is small, so that what is sent is a block at a time. */
class ZipWriter {
  /** of the next byte, in the zip */
  position = 0
  readonly #exchange: Exchange
  readonly #block: Buffer
  readonly #transfer: Transfer
  readonly #progress: Progress
  #filled = 0
  #count = 0

  constructor(exchange: Exchange, block: Buffer, transfer: Transfer, progress: Progress) {
    this.#exchange = exchange
    this.#block = block
    this.#transfer = transfer
    this.#progress = progress
  }

  get isGone(): boolean {
    return this.#exchange.outgoing.destroyed
  }

  async add(entry: ZipEntry, object: OpenObject): Promise<WrittenEntry> {
    const offset = this.position
    this.#count += 1
    if (this.#count % ENTRIES_A_TURN === 0) await turn()
    const checksum =
      entry.size <= CHECKED_AHEAD
        ? await this.#addShort(entry, object)
        : await this.#addLong(entry, object)
    await this.put(dataDescriptor(entry, checksum))
    return { ...entry, crc32: checksum, offset }
  }

  /** Read before its header is written, which states the checksum. */
  async #addShort(entry: ZipEntry, object: OpenObject): Promise<number> {
    return withBuffer(async (block) => {
      const near = contentAtHand(object, { start: 0, end: entry.size })
      const content = near ?? block.subarray(0, entry.size)
      for (let at = 0; near === undefined && at < entry.size; ) {
        at += await this.#read(object, block.subarray(at, entry.size), at)
      }
      const checksum = crc32(content)
      await this.put(localHeader(entry, checksum))
      await this.put(content)
      return checksum
    })
  }

  async #addLong(entry: ZipEntry, object: OpenObject): Promise<number> {
    await this.put(localHeader(entry, 0))
    // whole blocks of the object, since a store checks each it has to read of
    await this.flush()
    let checksum = 0
    for (let at = 0; at < entry.size && !this.isGone; ) {
      const count = await this.#read(object, this.#block, at)
      checksum = crc32(this.#block.subarray(0, count), checksum)
      this.#filled = count
      this.position += count
      at += count
      await this.flush()
    }
    return checksum
  }

  async #read(object: OpenObject, into: Buffer, at: number): Promise<number> {
    const reading = object.read(into, at)
    const count = typeof reading === 'number' ? reading : await this.#transfer.onOurTime(reading)
    if (count > 0) return count
    throw changed()
  }

  async put(part: Uint8Array): Promise<void> {
    for (let at = 0; at < part.length; ) {
      const count = Math.min(part.length - at, this.#block.length - this.#filled)
      this.#block.set(part.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
      if (this.#filled === this.#block.length) await this.flush()
    }
    this.position += part.length
  }

  /** Resolves when the operating system has taken it, or the client went away. */
  async flush(): Promise<void> {
    const part = this.#block.subarray(0, this.#filled)
    this.#filled = 0
    if (part.length === 0 || this.isGone) return
    await moved(this.#exchange.outgoing, part, this.#transfer, this.#progress)
  }
}
