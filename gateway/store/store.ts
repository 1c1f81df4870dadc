/**
 * The contract of a store: bytes under paths. Documented, no logic.
 *
 * Whoever reads sees an object whole, as it was at one moment, or not at all. A write is all or
 * nothing, and durable (bytes, directory, index) when its promise resolves. A store that can't do
 * what is asked throws a `Refusal` (`storage_full`, `unavailable`) or, for damage, {@link Damaged}.
 */
import type { ObjectPath, Prefix } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'

export interface ObjectInfo {
  readonly path: ObjectPath
  readonly size: Bytes
  /** media type, as declared at upload */
  readonly type: string
  /** a strong validator with its quotes, as in the header `ETag` */
  readonly etag: string
  readonly modified: UnixSeconds
  /** lower-case hex; absent where nobody has computed it, as of a file that another program wrote */
  readonly sha256?: string
  /** when the object is deleted by itself; from then on there is no such object */
  readonly expires?: UnixSeconds
  readonly meta?: ObjectMeta
}

/**
 * What else is known of an object, and nothing beyond this closed shape: whoever fills it in copies
 * field by field. Absent for objects that state none of it, as native uploads do.
 */
export interface ObjectMeta {
  /** the uploader's own, by name in lower case, without the prefix of a protocol (`x-amz-meta-`) */
  readonly user?: Readonly<Record<string, string>>
  /** header fields of RFC 9110 and 9111, served as they were sent */
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  readonly cacheControl?: string
  /** the header field `Expires`, for caches: no object ends by it, see {@link ObjectInfo.expires} */
  readonly expires?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly checksums?: Checksums
  /** bytes of each part, in order, where the object was put together of parts */
  readonly partSizes?: readonly number[]
}

/** Checksums as S3 has them, base64 of the raw bytes. */
export interface Checksums {
  /** of all bytes; or of the parts' checksums, with `-N` where the protocol writes it so */
  readonly type: 'FULL_OBJECT' | 'COMPOSITE'
  readonly values: Readonly<Partial<Record<ChecksumAlgorithm, string>>>
}

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

export interface Store {
  /** The object as it is now; undefined where there is none. */
  head(path: ObjectPath): Awaitable<ObjectInfo | undefined>
  /** The object as it is now, to be read and then closed; undefined where there is none. */
  open(path: ObjectPath): Awaitable<OpenObject | undefined>
  /** A place for the bytes of an upload, apart from the object until `commit`. */
  upload(path: ObjectPath): Awaitable<Upload>
  /** Whether it was deleted: false where there was nothing, a {@link Conflict} where the condition fails. */
  delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict>
  list(query: ListQuery): Awaitable<Listing>
  /** What keeps the store from accepting uploads; undefined while all is well. */
  trouble(): Awaitable<Trouble | undefined>
  close(): Promise<void>
}

/** Stays readable and unchanged until closed, whatever happens to the object meanwhile. */
export interface OpenObject {
  readonly info: ObjectInfo
  /**
   * Bytes from `position` on, which is within the object, where some are in memory anyway. Good when
   * this is closed, too; not to be changed.
   */
  near?(position: number): Uint8Array | undefined
  /** The file that holds these bytes and nothing else, where there is one: its absolute path. */
  readonly file?: string | undefined
  /**
   * Reads from `position` on into `into`, as much as fits or is left; returns how much. At once
   * where the bytes are near, later where a disk may keep us waiting.
   * @throws Damaged when the bytes are not those that were written
   */
  read(into: Uint8Array, position: number): Awaitable<number>
  /** Idempotent. */
  close(): void
}

/** The bytes on the disk are not those that were written. They are never handed out. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
}

/** Bytes on their way to become something. */
export interface Writing {
  /** Appends. The chunks are the store's from now on; the next call waits for this one. */
  write(chunks: readonly Uint8Array[]): Awaitable<void>
  /** Removes what was written, unless it was committed. Idempotent. */
  discard(): Awaitable<void>
}

export interface Upload extends Writing {
  /**
   * What was written so far, in order: for whoever looks at it before it becomes an object. Nothing
   * is written, committed or discarded meanwhile. The chunks are not to be changed.
   */
  written(): AsyncIterable<Uint8Array>
  /**
   * Makes what was written the object, if the condition holds at that very moment.
   * Nothing can be written afterwards.
   */
  commit(as: NewObject, condition?: WriteCondition): Promise<Committed | Conflict>
}

export interface NewObject {
  readonly type: string
  readonly etag: string
  readonly sha256: string
  readonly modified: UnixSeconds
  readonly expires?: UnixSeconds
  /** a folder of plain files keeps none of it */
  readonly meta?: ObjectMeta
}

/** What must hold of the object that is there when a write takes effect. */
export interface WriteCondition {
  /** true: there is none */
  readonly absent?: boolean
  /** there is one, with one of these ETags; `*` any */
  readonly etags?: '*' | readonly string[]
  /** there is none, or one with none of these ETags */
  readonly notEtags?: readonly string[]
  /** there is none, or it was not modified after this */
  readonly unmodifiedSince?: UnixSeconds
  /** it is still this one, by all that tells two contents apart: an ETag may be an MD5 */
  readonly same?: ObjectInfo
}

export interface Committed {
  readonly done: true
  readonly info: ObjectInfo
  /** false where an object was replaced */
  readonly created: boolean
}

export interface Conflict {
  readonly done: false
  /** what is there; undefined where nothing is */
  readonly existing?: ObjectInfo
}

export interface ListQuery {
  readonly prefix: Prefix | string
  /** paths are grouped up to the first of these after the prefix; absent: not grouped */
  readonly delimiter?: string
  /** continues after this path or common prefix, as {@link Listing.next} said */
  readonly after?: string
  /** the most objects and prefixes together, at least 1 */
  readonly limit: number
}

/** Without `meta`, which only those ask for who ask for one object. */
export type ListedObject = Omit<ObjectInfo, 'meta'>

/** In byte order of UTF-8. */
export interface Listing {
  readonly objects: readonly ListedObject[]
  readonly prefixes: readonly string[]
  /** what to continue after; absent at the end */
  readonly next?: string
}

export interface Trouble {
  readonly code: 'storage_full' | 'unavailable'
  readonly detail: string
}

/** @throws Refusal where there is some */
export function checkTrouble(trouble: Trouble | undefined): void {
  if (trouble !== undefined) throw new Refusal(trouble.code, trouble.detail)
}
