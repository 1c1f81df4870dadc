import { lstatSync } from 'node:fs'
import { codeOf, type Files } from '../files/files.ts'
import type { AdoptableFile, Adoption } from '../maintenance.ts'
import { StagedBlob, type Staging } from './staged-blob.ts'

/** What says that this file can't be linked or cloned here: its bytes can be written all the same. */
const CAN_NOT = /^(EXDEV|EPERM|EMLINK|ENOTSUP|EOPNOTSUPP|ENOSYS|EINVAL|ENOTTY)$/

/** @returns undefined where the file system can't */
export async function adopt(
  staging: Staging,
  file: AdoptableFile,
  how: Adoption,
  seen: (bytes: Uint8Array) => void,
): Promise<StagedBlob | undefined> {
  const place = how === 'link' ? linked : cloned
  try {
    return await StagedBlob.adopt(staging, (staged) => place(staging.files, file, staged), seen)
  } catch (error) {
    if (CAN_NOT.test(codeOf(error))) return undefined
    throw error
  }
}

async function linked(files: Files, file: AdoptableFile, staged: string): Promise<void> {
  await files.link(file.path, staged)
  const { dev, ino } = lstatSync(staged)
  if (dev === file.dev && ino === file.ino) return
  // its name leads elsewhere by now, be it to a symbolic link
  throw Object.assign(new Error(`${file.path} is another file by now`), { code: 'EXDEV' })
}

/** Of what is open, not of what has its name by now. */
async function cloned(files: Files, file: AdoptableFile, staged: string): Promise<void> {
  if (process.platform !== 'linux') {
    throw Object.assign(new Error('files are cloned on Linux only'), { code: 'ENOTSUP' })
  }
  await files.clone(`/proc/self/fd/${file.descriptor}`, staged)
}
