/**
 * The power of a store to take an object in parts: they come in any order, at any time, each
 * replaceable, until they are put together at one moment, without moving their bytes. Documented,
 * no logic.
 *
 * What was acknowledged is durable. An upload ends by `complete`, by `abort`, or by itself when it
 * expires; from then on there is no such upload.
 */
import type { ObjectPath } from '../../key/object-path.ts'
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { CopyConflict } from './object-copy.ts'
import type {
  Checksums,
  Committed,
  Conflict,
  NewObject,
  ObjectMeta,
  WriteCondition,
  Writing,
} from './store.ts'

export interface Multipart {
  /**
   * Begins an upload; its id is random, and tells nothing. Rejects with {@link TooManyOpen} where as
   * many are open as one of the limits allows, at that very moment, whichever process began them.
   */
  create(path: ObjectPath, as: NewMultipart, limits?: readonly OpenLimit[]): Promise<MultipartInfo>
  find(ref: MultipartRef): Awaitable<MultipartInfo | undefined>
  /** A place for the bytes of one part; undefined where there is no such upload. */
  part(ref: MultipartRef, number: number): Awaitable<PartUpload | undefined>
  /** Makes a range of an object a part, as {@link ObjectCopying.copy} does; absent: all of it. */
  copyPart(
    ref: MultipartRef,
    number: number,
    source: PartSource,
    as: NewPart,
    condition?: Pick<PartCondition, 'most'>,
  ): Promise<PartCommitted | CopyConflict | MultipartFailure>
  /** Bytes of all parts but this one together; undefined where there is no such upload. */
  bytesBeside(ref: MultipartRef, number: number): Awaitable<Bytes | undefined>
  /** The part with the greatest number; undefined where there is none, or no such upload. */
  lastPart(ref: MultipartRef): Awaitable<PartInfo | undefined>
  /** In order of their numbers; undefined where there is no such upload. */
  parts(ref: MultipartRef, query: PartQuery): Awaitable<PartListing | undefined>
  /**
   * The bytes of the parts that are named, in that order: for whoever looks at them before they become
   * an object. The chunks are not to be changed.
   * @throws Refusal conflict where one of them is gone or is another one by now; Damaged
   */
  read(ref: MultipartRef, parts: readonly NamedPart[]): AsyncIterable<Uint8Array>
  /**
   * Makes the parts named, in that order, the object, if the condition holds at that very moment.
   * Of several at once, one succeeds; the others find no such upload. After a failure or a conflict
   * the upload goes on. `meta.partSizes` is the store's to say.
   */
  complete(
    ref: MultipartRef,
    parts: PartList,
    as: CompletedObject,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict | MultipartFailure>
  /** {@link CompletedObject.remembered} of an upload that was completed, until it would have expired. */
  recall(ref: MultipartRef): Awaitable<string | undefined>
  /** Ends the upload and removes its parts; false where there is no such upload. */
  abort(ref: MultipartRef): Promise<boolean>
  list(query: MultipartQuery): Awaitable<MultipartListing>
}

/** The id alone is not enough: whoever may write one path learns nothing of another's uploads. */
export interface MultipartRef {
  readonly path: ObjectPath
  readonly id: string
}

export interface NewMultipart {
  /** media type of the object to be */
  readonly type: string
  readonly meta?: ObjectMeta
  /** what the caller wants to find again, such as who began it; kept as it is */
  readonly note: string
  readonly created: UnixSeconds
  /** when the upload ends by itself */
  readonly expires: UnixSeconds
}

/** The upload is counted under a name for as long as it is open. */
export interface OpenLimit {
  readonly under: string
  /** open under that name, this one included; at least 1 */
  readonly most: number
}

/** An upload that was not begun, since too many are not at their end. */
export class TooManyOpen extends Error {
  override readonly name = 'TooManyOpen'
  readonly limit: OpenLimit
  /** when the first of those that are open ends by itself */
  readonly until: UnixSeconds

  constructor(limit: OpenLimit, until: UnixSeconds) {
    super(`${limit.most} uploads are open under "${limit.under}"`)
    this.limit = limit
    this.until = until
  }
}

export interface MultipartInfo extends MultipartRef, NewMultipart {}

export interface PartUpload extends Writing {
  /**
   * Makes what was written the part of that number, in place of one that was there. Nothing can be
   * written afterwards.
   */
  commit(as: NewPart, condition?: PartCondition): Promise<PartCommitted | MultipartFailure>
}

/** What must hold at the very moment at which a part is entered. */
export interface PartCondition {
  /** true: there is no part of that number */
  readonly absent?: boolean
  /** with it in place of one of its number, all parts have at most so many bytes together */
  readonly most?: Bytes
}

export interface NewPart {
  /** with its quotes, what {@link PartList} names the part by */
  readonly etag: string
  /** lower-case hex; absent where nobody has computed it */
  readonly sha256?: string
  readonly checksums?: Checksums
  readonly modified: UnixSeconds
  /** what the caller wants to find again; kept as it is */
  readonly note?: string
}

export interface PartInfo extends NewPart {
  /** from 1 */
  readonly number: number
  readonly size: Bytes
}

export interface PartCommitted {
  readonly done: true
  readonly part: PartInfo
}

export interface PartSource {
  readonly path: ObjectPath
  /** bytes of the source, all of which it must have */
  readonly range?: { readonly start: number; readonly length: number }
  /** of the source, in the moment of the copy */
  readonly condition?: WriteCondition
}

/**
 * Why a step was not taken; nothing has changed.
 * - `no_such_upload`: there is none, or none any more
 * - `invalid_part`: there is no such part, or it has another ETag
 * - `invalid_part_order`: the numbers do not ascend
 * - `part_exists`: the condition was that there is none of that number
 * - `too_large`: the parts would have more bytes together than the condition allows
 * - `part_too_small`: a part other than the last has fewer bytes than {@link PartList.least}
 * - `range_unsatisfiable`: the source does not have all bytes of the range
 */
export interface MultipartFailure {
  readonly done: false
  readonly failed:
    | 'no_such_upload'
    | 'invalid_part'
    | 'invalid_part_order'
    | 'part_exists'
    | 'too_large'
    | 'part_too_small'
    | 'range_unsatisfiable'
  /** of the part that it is about */
  readonly number?: number
}

export interface NamedPart {
  readonly number: number
  readonly etag: string
  /** that it must have as well, where it is stated: an ETag may be an MD5, which two contents can share */
  readonly sha256?: string
}

export interface PartList {
  readonly parts: readonly NamedPart[]
  /** the least size of a part other than the last; the protocol knows it */
  readonly least?: Bytes
}

/** The SHA-256 of the whole is known only to those who have read it all. */
export interface CompletedObject extends Omit<NewObject, 'sha256'> {
  readonly sha256?: string
  /** kept for {@link Multipart.recall} in the same moment: no part of the object */
  readonly remembered?: string
}

export interface PartQuery {
  /** parts with greater numbers only */
  readonly after?: number
  /** at least 1 */
  readonly limit: number
}

export interface PartListing {
  readonly parts: readonly PartInfo[]
  /** what to continue after; absent at the end */
  readonly next?: number
}

export interface MultipartQuery {
  readonly prefix: string
  /** paths are grouped up to the first of these after the prefix; absent: not grouped */
  readonly delimiter?: string
  /** continues after this path or common prefix; with an id, after that upload of the path */
  readonly after?: MultipartMarker
  /** the most uploads and prefixes together, at least 1 */
  readonly limit: number
}

export interface MultipartMarker {
  readonly path: string
  readonly id?: string
}

/** In byte order of paths, and of ids where these are the same. */
export interface MultipartListing {
  readonly uploads: readonly MultipartInfo[]
  readonly prefixes: readonly string[]
  /** what to continue after; absent at the end */
  readonly next?: MultipartMarker
}
