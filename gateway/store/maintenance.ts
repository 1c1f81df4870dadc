/**
 * What a store may be able to do beyond its contract. Each power is an interface of its own; a store
 * that lacks one does not have it. Documented, no logic.
 */
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import type { Upload } from './store.ts'

/** Reads everything back, and says what is not as it was written. Changes nothing. */
export interface Scrubbing {
  /**
   * Goes on where the last run was ended, unless told otherwise. Safe beside anything else.
   * @throws what `signal` was aborted with; the next run goes on from there
   */
  scrub(options: ScrubOptions): Promise<ScrubReport>
}

export interface ScrubOptions {
  /** what has expired by then is no object */
  readonly now: UnixSeconds
  /** bytes that are read in a second at most; absent: as fast as they come */
  readonly rate?: Bytes
  /** from the first object on, whatever an earlier run has read */
  readonly restart?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (read: Amount) => void
}

export interface Amount {
  readonly objects: number
  readonly bytes: number
}

export interface ScrubReport extends Amount {
  /** several where several blocks of an object are damaged */
  readonly damaged: readonly Damage[]
  /** files that no object and no running process knows of; absolute paths */
  readonly strays: readonly string[]
}

/** How the bytes are not those that were written. */
export type DamageKind = 'missing' | 'cut short' | 'altered' | 'unreadable'

export interface Damage {
  readonly path: string
  readonly kind: DamageKind
  /** the name of the file; absent where the content lies in the index, or only as a whole is wrong */
  readonly blob?: string
  /** which block of it, from 0 */
  readonly block?: number
}

/** Copies a store, as it is at one moment, while others write to it. */
export interface Copying {
  /**
   * Blobs that are there from an earlier copy are kept. What this copy is of counts as copied only
   * once its caller says so elsewhere: a copy that was broken off is completed by the next.
   */
  copyTo(place: CopyPlace, options: CopyOptions): Promise<StoreCopy>
}

export interface CopyPlace {
  /** the file of the index's copy */
  readonly index: string
  /** the folder that holds the copies of the blobs in a folder `blobs` */
  readonly folder: string
}

export interface CopyOptions {
  /** whether files may be hard links to those of the store, where one file system holds both */
  readonly link: boolean
  readonly signal?: AbortSignal
  /** how much has been dealt with so far: files that were there already count, too */
  readonly onProgress?: (done: BlobAmount) => void
}

export interface BlobAmount {
  readonly blobs: number
  readonly bytes: number
}

export interface StoreCopy {
  readonly objects: Amount
  /** of all blobs of the copy */
  readonly blobs: BlobAmount
  /** how they came there */
  readonly kept: number
  readonly linked: number
  readonly copied: number
  /** objects whose blobs the store itself has lost, or that are cut short there */
  readonly missing: readonly MissingBlob[]
}

export interface MissingBlob {
  readonly path: string
  readonly blob: string
}

/** An upload that can take a whole file in instead of being written to. */
export interface AdoptingUpload extends Upload {
  /**
   * Makes the file's bytes this upload's, without writing them; nothing is written to it before or
   * afterwards.
   * @param seen is given all bytes in order, once; they change when it returns
   * @returns false where the file system can't; the upload is as it was
   */
  adopt(file: AdoptableFile, how: Adoption, seen: (bytes: Uint8Array) => void): Promise<boolean>
}

/**
 * `link`: as a hard link to the file, which must not be changed any more. `clone`: as a file of its
 * own, which shares the other's blocks until they are written to.
 */
export type Adoption = 'link' | 'clone'

/** A file that the caller has open for reading. */
export interface AdoptableFile {
  readonly path: string
  readonly descriptor: number
  readonly dev: number
  readonly ino: number
}
