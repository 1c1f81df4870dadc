import { randomBytes } from 'node:crypto'
import type { ObjectPath } from '../../../key/object-path.ts'
import { type Bytes, bytes, type UnixSeconds } from '../../../key/units.ts'
import { compareBytes } from '../byte-order.ts'
import { holds } from '../condition.ts'
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
import { keyOf, multipartListing } from '../multipart-listing.ts'
import type { CopyConflict } from '../object-copy.ts'
import { assembled, isNamed, listFailure, partGone } from '../part-list.ts'
import type { Committed, Conflict, WriteCondition } from '../store.ts'
import { conflictWith, type Entries, isWithin } from './entries.ts'
import { MemoryUpload } from './upload.ts'

interface Part {
  readonly info: PartInfo
  readonly content: Uint8Array
}

interface Begun {
  readonly info: MultipartInfo
  /** the names that it is counted under */
  readonly under: readonly string[]
  readonly parts: Map<number, Part>
}

const NO_SUCH_UPLOAD: MultipartFailure = { done: false, failed: 'no_such_upload' }

export class MemoryMultipart implements Multipart {
  readonly #entries: Entries
  readonly #now: () => UnixSeconds
  readonly #begun = new Map<string, Begun>()
  readonly #completed = new Map<string, { info: MultipartInfo; remembered: string }>()

  constructor(entries: Entries, now: () => UnixSeconds) {
    this.#entries = entries
    this.#now = now
  }

  async create(
    path: ObjectPath,
    as: NewMultipart,
    limits: readonly OpenLimit[] = [],
  ): Promise<MultipartInfo> {
    for (const limit of limits) this.#checkOpen(limit)
    const info = { path, id: randomBytes(16).toString('hex'), ...as }
    const under = limits.map((limit) => limit.under)
    this.#begun.set(info.id, { info, under, parts: new Map() })
    return info
  }

  #checkOpen(limit: OpenLimit): void {
    const open = [...this.#begun.values()].filter(
      ({ info, under }) => under.includes(limit.under) && info.expires > this.#now(),
    )
    if (open.length < limit.most) return
    const ends = open.map(({ info }) => info.expires)
    throw new TooManyOpen(limit, Math.min(...ends) as UnixSeconds)
  }

  find(ref: MultipartRef): MultipartInfo | undefined {
    return this.#find(ref)?.info
  }

  part(ref: MultipartRef, number: number): PartUpload | undefined {
    if (this.#find(ref) === undefined) return undefined
    return new MemoryUpload((content, as: NewPart, condition?: PartCondition) =>
      condition?.absent === true && this.#find(ref)?.parts.has(number)
        ? { done: false, failed: 'part_exists', number }
        : this.#put(ref, number, content, as, condition),
    )
  }

  async copyPart(
    ref: MultipartRef,
    number: number,
    source: PartSource,
    as: NewPart,
    condition?: Pick<PartCondition, 'most'>,
  ): Promise<PartCommitted | CopyConflict | MultipartFailure> {
    const entry = this.#entries.get(source.path)
    if (entry === undefined || !holds(source.condition, entry.info)) {
      return { ...conflictWith(entry?.info), of: 'source' }
    }
    const { content } = entry
    const range = source.range ?? { start: 0, length: content.length }
    const end = range.start + range.length
    if (end > content.length) return { done: false, failed: 'range_unsatisfiable', number }
    return this.#put(ref, number, content.subarray(range.start, end), as, condition)
  }

  bytesBeside(ref: MultipartRef, number: number): Bytes | undefined {
    const parts = this.#find(ref)?.parts
    if (parts === undefined) return undefined
    const others = [...parts.values()].filter(({ info }) => info.number !== number)
    return bytes(others.reduce((sum, { content }) => sum + content.length, 0))
  }

  lastPart(ref: MultipartRef): PartInfo | undefined {
    return this.parts(ref, { limit: Number.MAX_SAFE_INTEGER })?.parts.at(-1)
  }

  parts(ref: MultipartRef, { after = 0, limit }: PartQuery): PartListing | undefined {
    const begun = this.#find(ref)
    if (begun === undefined) return undefined
    const all = [...begun.parts.values()]
      .map(({ info }) => info)
      .filter(({ number }) => number > after)
      .sort((a, b) => a.number - b.number)
    const parts = all.slice(0, limit)
    const last = parts.at(-1)
    return { parts, ...(all.length > limit && last && { next: last.number }) }
  }

  async *read(ref: MultipartRef, parts: readonly NamedPart[]): AsyncGenerator<Uint8Array> {
    for (const named of parts) {
      const part = this.#find(ref)?.parts.get(named.number)
      if (part === undefined || !isNamed(part.info, named)) throw partGone(named.number)
      yield part.content
    }
  }

  async complete(
    ref: MultipartRef,
    list: PartList,
    as: CompletedObject,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict | MultipartFailure> {
    const begun = this.#find(ref)
    if (begun === undefined) return NO_SUCH_UPLOAD
    const failure = listFailure(list, (number) => begun.parts.get(number)?.info)
    if (failure !== undefined) return failure
    const chosen = list.parts.flatMap(({ number }) => begun.parts.get(number) ?? [])
    const parts = chosen.map(({ info }) => info)
    const content = Buffer.concat(chosen.map((part) => part.content))
    const outcome = this.#entries.put({ info: assembled(ref, parts, as), content }, condition)
    if (outcome.done) this.#begun.delete(ref.id)
    const { remembered } = as
    if (outcome.done && remembered !== undefined) {
      this.#completed.set(ref.id, { info: begun.info, remembered })
    }
    return outcome
  }

  recall({ path, id }: MultipartRef): string | undefined {
    const found = this.#completed.get(id)
    return found?.info.path === path && found.info.expires > this.#now()
      ? found.remembered
      : undefined
  }

  async abort(ref: MultipartRef): Promise<boolean> {
    return this.#find(ref) !== undefined && this.#begun.delete(ref.id)
  }

  list(query: MultipartQuery): MultipartListing {
    const sorted = [...this.#begun.values()]
      .flatMap(({ info }) => this.find(info) ?? [])
      .sort((a, b) => compareBytes(keyOf(a), keyOf(b)))
    return multipartListing(query, (from, below) =>
      sorted.filter((info) => isWithin(keyOf(info), from, below)),
    )
  }

  /** Ends the uploads to a bucket. */
  abortIn(bucket: string): void {
    for (const { info } of this.#begun.values()) {
      if (info.path.startsWith(`${bucket}/`)) this.#begun.delete(info.id)
    }
  }

  #find({ path, id }: MultipartRef): Begun | undefined {
    const begun = this.#begun.get(id)
    if (begun?.info.path !== path) return undefined
    if (begun.info.expires > this.#now()) return begun
    this.#begun.delete(id)
    return undefined
  }

  #put(
    ref: MultipartRef,
    number: number,
    content: Uint8Array,
    as: NewPart,
    condition?: Pick<PartCondition, 'most'>,
  ): PartCommitted | MultipartFailure {
    const begun = this.#find(ref)
    if (begun === undefined) return NO_SUCH_UPLOAD
    const all = (this.bytesBeside(ref, number) ?? 0) + content.length
    if (all > (condition?.most ?? all)) return { done: false, failed: 'too_large', number }
    const part = { ...as, number, size: bytes(content.length) }
    begun.parts.set(number, { info: part, content })
    return { done: true, part }
  }
}
