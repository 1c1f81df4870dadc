/** Uploads in parts: each part a file, until the index strings them together as an object. */
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import { type Bytes, bytes } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { holds } from '../condition.ts'
import { freshName } from '../files/fresh-name.ts'
import {
  type CompletedObject,
  type Multipart,
  type MultipartFailure,
  type MultipartInfo,
  type MultipartListing,
  type MultipartQuery,
  type MultipartRef,
  type NamedPart,
  type NewMultipart,
  type NewPart,
  type OpenLimit,
  type PartCommitted,
  type PartCondition,
  type PartInfo,
  type PartList,
  type PartListing,
  type PartQuery,
  type PartSource,
  type PartUpload,
  TooManyOpen,
} from '../multipart.ts'
import { multipartListing } from '../multipart-listing.ts'
import type { CopyConflict } from '../object-copy.ts'
import { partGone } from '../part-list.ts'
import type { Committed, Conflict, ObjectInfo, WriteCondition } from '../store.ts'
import { BlobObject, type Keep } from './blob-object.ts'
import { answered } from './index-reader.ts'
import type { CopyPart, PartDone, PutPart } from './multipart-jobs.ts'
import type { Piece } from './schema.ts'
import { DiskUpload, type Enter } from './upload.ts'
import { conflictWith, occasionOf, refusing, type Workings } from './workings.ts'

/** Parts lie in files: bytes in the index could not be pieces of an object. */
const NEVER_INLINE = 0

const READ_AT_ONCE = 256 * 1024

const NOTHING_KEPT: Keep = { release: () => {} }

type EnterPart = Enter<NewPart, PartCommitted | MultipartFailure, PartCondition>

export class DiskMultipart implements Multipart {
  readonly #workings: Workings

  constructor(workings: Workings) {
    this.#workings = workings
  }

  async create(
    path: ObjectPath,
    as: NewMultipart,
    limits: readonly OpenLimit[] = [],
  ): Promise<MultipartInfo> {
    const { health, writer, now } = this.#workings
    await health.check()
    const info = { path, id: freshName(), ...as }
    const full = await refusing(writer.run('createUpload', { info, limits, now: now() }))
    if (full !== undefined) throw new TooManyOpen(full.limit, full.until)
    return info
  }

  find(ref: MultipartRef): MultipartInfo | undefined {
    const { index, now } = this.#workings
    return answered(() => index.uploads.find(ref, now()))
  }

  async part(ref: MultipartRef, number: number): Promise<PartUpload | undefined> {
    if (this.find(ref) === undefined) return undefined
    await this.#workings.health.check()
    return this.#partUpload(ref, number)
  }

  async copyPart(
    ref: MultipartRef,
    number: number,
    source: PartSource,
    as: NewPart,
    condition?: Pick<PartCondition, 'most'>,
  ): Promise<PartCommitted | CopyConflict | MultipartFailure> {
    const { health, index, writer, now } = this.#workings
    await health.check()
    const job = { ref, number, source, as, condition, ...occasionOf(this.#workings) }
    for (;;) {
      const found = index.locate(source.path, now())
      if (found?.content instanceof Uint8Array) {
        return this.#copySmall(job, { ...source, content: found.content, info: found.info })
      }
      const outcome = await refusing(writer.run('copyPart', job))
      if (outcome.done) return this.#committed(outcome)
      if ('of' in outcome) return { ...conflictWith(outcome.existing), of: 'source' }
      if (outcome.failed === 'too_many_pieces') throw tooManyPieces()
      // it was replaced by a small one meanwhile
      if (outcome.failed !== 'inline') return outcome
    }
  }

  bytesBeside(ref: MultipartRef, number: number): Bytes | undefined {
    if (this.find(ref) === undefined) return undefined
    return answered(() => this.#workings.index.uploads.bytesBeside(ref.id, number))
  }

  lastPart(ref: MultipartRef): PartInfo | undefined {
    if (this.find(ref) === undefined) return undefined
    return answered(() => this.#workings.index.uploads.lastPart(ref.id))
  }

  parts(ref: MultipartRef, query: PartQuery): PartListing | undefined {
    const listing = answered(() => this.#workings.index.uploads.parts(ref.id, query))
    // looked at afterwards: if it is there now, then what was read are its parts
    return this.find(ref) === undefined ? undefined : listing
  }

  async *read(ref: MultipartRef, parts: readonly NamedPart[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield* this.#readPart(ref, part)
  }

  async complete(
    ref: MultipartRef,
    list: PartList,
    as: CompletedObject,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict | MultipartFailure> {
    const { writer, garbage } = this.#workings
    const job = { ref, list, as, condition, ...occasionOf(this.#workings) }
    const outcome = await refusing(writer.run('complete', job))
    if (outcome.done) {
      garbage.collect(outcome.garbage)
      return { done: true, info: outcome.info, created: !outcome.existed }
    }
    if (!('failed' in outcome)) return conflictWith(outcome.existing)
    if (outcome.failed === 'too_many_pieces') throw tooManyPieces()
    return outcome
  }

  recall(ref: MultipartRef): string | undefined {
    const { index, now } = this.#workings
    return answered(() => index.uploads.recall(ref, now()))
  }

  async abort(ref: MultipartRef): Promise<boolean> {
    const { writer, garbage } = this.#workings
    const outcome = await refusing(writer.run('abort', { ref, ...occasionOf(this.#workings) }))
    garbage.collect(outcome.garbage)
    return outcome.existed
  }

  list(query: MultipartQuery): Awaitable<MultipartListing> {
    const { index, now } = this.#workings
    const at = now()
    return answered(() =>
      multipartListing(query, (from, below) => index.uploads.scan(from, below, at)),
    )
  }

  /** Nothing keeps its files: where one is missing, it is asked whether the part is still the same. */
  async *#readPart(ref: MultipartRef, part: NamedPart): AsyncGenerator<Uint8Array> {
    const upload = this.find(ref)
    const pieces = this.#piecesOf(ref, part)
    if (upload === undefined || pieces === undefined) throw partGone(part.number)
    const size = bytes(pieces.reduce((sum, { length }) => sum + length, 0))
    const { path, type, created: modified } = upload
    const info = { path, size, type, etag: '', modified }
    const object = new BlobObject(this.#workings, info, pieces, NOTHING_KEPT)
    try {
      for (let position = 0; position < size; ) {
        const chunk = new Uint8Array(Math.min(READ_AT_ONCE, size - position))
        position += await object.read(chunk, position)
        yield chunk
      }
    } catch (error) {
      const now = this.#piecesOf(ref, part)
      throw isSame(pieces, now) ? error : partGone(part.number)
    } finally {
      object.close()
    }
  }

  #piecesOf(ref: MultipartRef, part: NamedPart): readonly Piece[] | undefined {
    if (this.find(ref) === undefined) return undefined
    return answered(() => this.#workings.index.uploads.pieces(ref.id, part))
  }

  #partUpload(ref: MultipartRef, number: number): PartUpload {
    const { health } = this.#workings
    const enter: EnterPart = (content, as, condition) =>
      this.#put({ ref, number, content, as, condition, ...occasionOf(this.#workings) })
    return new DiskUpload(this.#workings, health, enter, NEVER_INLINE)
  }

  async #put(job: PutPart): Promise<PartCommitted | MultipartFailure> {
    const outcome = await this.#workings.writer.run('putPart', job)
    return outcome.done ? this.#committed(outcome) : outcome
  }

  #committed({ part, garbage }: PartDone): PartCommitted {
    this.#workings.garbage.collect(garbage)
    return { done: true, part }
  }

  /** What lies in the index becomes a file: pieces are of files only. */
  async #copySmall(
    { ref, number, as, condition: bound }: CopyPart,
    source: PartSource & { readonly content: Uint8Array; readonly info: ObjectInfo },
  ): Promise<PartCommitted | CopyConflict | MultipartFailure> {
    const { content, info, condition } = source
    if (!holds(condition, info)) return { done: false, existing: info, of: 'source' }
    const range = source.range ?? { start: 0, length: content.length }
    const end = range.start + range.length
    if (end > content.length) return { done: false, failed: 'range_unsatisfiable', number }
    const upload = this.#partUpload(ref, number)
    try {
      await upload.write([content.subarray(range.start, end)])
      return await upload.commit(as, bound)
    } finally {
      await upload.discard()
    }
  }
}

const isSame = (before: readonly Piece[], now: readonly Piece[] | undefined): boolean =>
  now?.length === before.length && before.every(({ blob }, at) => blob.name === now[at]?.blob.name)

const tooManyPieces = (): Refusal =>
  new Refusal(
    'too_large',
    'the object would be put together of too many pieces of others; copy fewer ranges, or upload the bytes',
  )
