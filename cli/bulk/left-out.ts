/** What a bulk command does not carry over, and why. The rest goes on. */
export interface LeftOut {
  /** the file or object */
  readonly name: string
  readonly reason: string
}

/** Thrown where one thing is left out. */
export class NotCarried extends Error {
  override readonly name = 'NotCarried'
}

/** What the operating system says of one file; anything else ends the whole command. */
export function reasonOf(error: unknown, name: string): string {
  if (error instanceof NotCarried) return error.message
  const code = String((error as NodeJS.ErrnoException).code)
  // what is not UTF-8 comes to us with this in its place, and is not found by that name
  if (code === 'ENOENT' && name.includes('\ufffd')) return 'its name is not UTF-8'
  const reason = REASONS[code]
  if (reason === undefined) throw error
  return reason
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'it is not there any more',
  ENOTDIR: 'a part of its path is a file',
  ELOOP: 'it is a symbolic link',
  ENXIO: 'it is no regular file',
  EIO: 'the disk can not read it',
  ENAMETOOLONG: 'its name is too long',
  EISDIR: 'it is a folder',
  EXDEV: 'it lies on another file system',
}
