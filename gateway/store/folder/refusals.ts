/** How errors of a folder of files become refusals. They name no path of the machine. */
import { Refusal } from '../../../key/refusal.ts'
import { codeOf } from '../files/files.ts'
import { asRefusal } from '../files/health.ts'

export const inTheWay = (what: 'folder' | 'special' | 'parent'): Refusal =>
  new Refusal('conflict', IN_THE_WAY[what])

const IN_THE_WAY = {
  folder: 'a folder has this name, and this bucket keeps objects as files: choose another name',
  special:
    'what has this name is neither a file nor a folder (a symbolic link, say) and is not replaced: choose another name',
  parent:
    'what has the name of a folder of this path is no folder, and this bucket keeps objects as files: choose another name',
}

/** What the contract lets a store throw, made of whatever went wrong. */
export function refusalOf(error: unknown): Error {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Refusal(
        'unavailable',
        "the bucket's folder does not let the gateway do this: its user needs permission to read and write there",
        { cause: error },
      )
    case 'EXDEV':
      return new Refusal(
        'conflict',
        'another file system is mounted there, where this bucket can not write: give it a bucket of its own',
        { cause: error },
      )
    case 'EISDIR':
      return inTheWay('folder')
    case 'ENAMETOOLONG':
    case 'EILSEQ':
    case 'EINVAL':
      return new Refusal(
        'path_malformed',
        "the file system of this bucket's folder has no files of this name: choose another one",
        { cause: error },
      )
    case 'EFBIG':
      return new Refusal(
        'too_large',
        "the file system of this bucket's folder has no files so large",
        {
          cause: error,
        },
      )
    default:
      return asRefusal(error)
  }
}
