/** A file of the folder, as it was when it was opened. */
import { ContentObject } from '../content-object.ts'
import type { FileDescriptor } from '../files/files.ts'
import { Damaged, type ObjectInfo, type OpenObject } from '../store.ts'
import type { FolderFiles, Status } from './files.ts'
import { fileIdentity } from './notes.ts'

/** Up to this size a file is read whole when it is opened, so that nothing can change it afterwards. */
const SMALL = 64 * 1024

/**
 * Takes over the descriptor, also where it throws.
 * @throws Damaged where another program changed the file while it was read
 */
export function opened(
  files: FolderFiles,
  info: ObjectInfo,
  file: FileDescriptor,
  status: Status,
): OpenObject {
  if (info.size > SMALL) return new FileObject(files, info, file, status)
  try {
    const content = Buffer.allocUnsafeSlow(info.size)
    const count = files.readNow(file, content, 0)
    if (count < info.size || hasChanged(files, file, status)) throw changed(info)
    return new ContentObject(info, content)
  } finally {
    files.closeNow(file)
  }
}

/**
 * Its bytes are read as they are sent. Who replaces a file leaves this one as it is; who writes into
 * it changes its size or time before any of its bytes, which is looked for after each read: what
 * was read before is of one version, and the rest is not handed out.
 */
class FileObject implements OpenObject {
  readonly info: ObjectInfo
  readonly #files: FolderFiles
  readonly #file: FileDescriptor
  readonly #status: Status
  #reading = 0
  #isClosed = false

  constructor(files: FolderFiles, info: ObjectInfo, file: FileDescriptor, status: Status) {
    this.#files = files
    this.info = info
    this.#file = file
    this.#status = status
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (this.#isClosed) throw new Error('this object is closed')
    const wanted = into.subarray(0, Math.max(0, this.info.size - position))
    if (wanted.length === 0) return 0
    this.#reading += 1
    try {
      const count = await this.#files.read(this.#file, wanted, position)
      if (count < wanted.length || hasChanged(this.#files, this.#file, this.#status)) {
        throw changed(this.info)
      }
      return count
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

  /** Its number may be another file's as soon as it is closed: not while anybody reads. */
  #release(): void {
    if (!this.#isClosed || this.#reading > 0) return
    // nothing was written through it, so nothing can be lost
    this.#files.close(this.#file).catch(() => {})
  }
}

const hasChanged = (files: FolderFiles, file: FileDescriptor, before: Status): boolean =>
  fileIdentity(files.status(file)) !== fileIdentity(before)

const changed = ({ path }: ObjectInfo): Damaged =>
  new Damaged(`${path}: another program changed the file while it was being read; try again`)

const unreadable = ({ path }: ObjectInfo, cause: unknown): Damaged =>
  new Damaged(`${path}: the file can not be read; check the disk`, { cause })
