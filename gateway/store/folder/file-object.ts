/** A file of the folder, as it was when it was opened. */
import { ContentObject } from '../content-object.ts'
import { BLOCK, hasChecksum, SUM } from '../files/checksum.ts'
import type { FileDescriptor } from '../files/files.ts'
import { Damaged, type ObjectInfo, type OpenObject } from '../store.ts'
import type { FolderFiles, Status } from './files.ts'
import { fileIdentity } from './notes.ts'

/** Up to this size a file is read whole when it is opened, so that nothing can change it afterwards. */
const SMALL = 64 * 1024

export interface OpenedFile {
  readonly files: FolderFiles
  readonly info: ObjectInfo
  readonly file: FileDescriptor
  readonly status: Status
  /** the checksums of its blocks, where it is one of ours */
  readonly sums: Uint8Array | undefined
}

/**
 * Takes over the descriptor, also where it throws.
 * @throws Damaged where another program changed the file while it was read, or bits of it rotted
 */
export function opened(opened: OpenedFile): OpenObject {
  const { files, info, file } = opened
  if (info.size > SMALL) return new FileObject(opened)
  try {
    const content = Buffer.allocUnsafeSlow(info.size)
    const count = files.readNow(file, content, 0)
    if (count < info.size || hasChanged(opened)) throw changed(info)
    if (content.length > 0) verify(opened, 0, content)
    return new ContentObject(info, content)
  } finally {
    files.closeNow(file)
  }
}

/**
 * Its bytes are read as they are sent. Who replaces a file leaves this one as it is; who writes into
 * it changes its size or time before any of its bytes, which is looked for after each read: what
 * was read before is of one version, and the rest is not handed out. Of a file of ours, each block is
 * verified before any of it is.
 */
class FileObject implements OpenObject {
  readonly info: ObjectInfo
  readonly #opened: OpenedFile
  #reading = 0
  #isClosed = false

  constructor(opened: OpenedFile) {
    this.info = opened.info
    this.#opened = opened
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (this.#isClosed) throw new Error('this object is closed')
    const wanted = into.subarray(0, Math.max(0, this.info.size - position))
    if (wanted.length === 0) return 0
    this.#reading += 1
    try {
      if (this.#opened.sums === undefined) await this.#fill(wanted, position)
      else await this.#fillVerified(wanted, position)
      return wanted.length
    } catch (error) {
      throw error instanceof Damaged ? error : unreadable(this.info, error)
    } finally {
      this.#reading -= 1
      this.#release()
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release()
  }

  async #fill(into: Uint8Array, position: number): Promise<void> {
    const { files, file } = this.#opened
    const count = await files.read(file, into, position)
    if (count < into.length || hasChanged(this.#opened)) throw changed(this.info)
  }

  /** Whole blocks are read to where they are wanted, others aside. */
  async #fillVerified(wanted: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < wanted.length; ) {
      const at = position + done
      const rest = wanted.subarray(done)
      const start = at - (at % BLOCK)
      const length = Math.min(BLOCK, this.info.size - start)
      const isWhole = at === start && rest.length >= length
      const block = isWhole ? rest.subarray(0, length) : Buffer.allocUnsafeSlow(length)
      await this.#fill(block, start)
      verify(this.#opened, start / BLOCK, block)
      const part = block.subarray(at - start, at - start + rest.length)
      if (!isWhole) rest.set(part)
      done += part.length
    }
  }

  /** Its number may be another file's as soon as it is closed: not while anybody reads. */
  #release(): void {
    if (!this.#isClosed || this.#reading > 0) return
    // nothing was written through it, so nothing can be lost
    const { files, file } = this.#opened
    files.close(file).catch(() => {})
  }
}

const hasChanged = ({ files, file, status }: OpenedFile): boolean =>
  fileIdentity(files.status(file)) !== fileIdentity(status)

/** @throws Damaged */
function verify({ info, sums }: OpenedFile, block: number, bytes: Uint8Array): void {
  if (sums === undefined || hasChecksum(bytes, sums.subarray(block * SUM, (block + 1) * SUM)))
    return
  throw new Damaged(
    `${info.path}: block ${block} of the file is not what was uploaded, though no program changed it; restore it from a backup or upload the object again`,
  )
}

/** Of a file that another program changes at this moment: a look later it may be good. */
export class Changing extends Damaged {}

const changed = ({ path }: ObjectInfo): Damaged =>
  new Changing(`${path}: another program changed the file while it was being read; try again`)

const unreadable = ({ path }: ObjectInfo, cause: unknown): Damaged =>
  new Damaged(`${path}: the file can not be read; check the disk`, { cause })
