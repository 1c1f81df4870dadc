/** Help for tests of uploads in parts. */
import type {
  CompletedObject,
  Multipart,
  MultipartRef,
  NewMultipart,
  PartCommitted,
} from '../../gateway/store/multipart.ts'
import { unixSeconds } from '../../key/units.ts'
import { digest, START } from './store.ts'

export const NEW_UPLOAD: NewMultipart = {
  type: 'text/plain',
  note: '{}',
  created: START,
  expires: unixSeconds(START + 24 * 3600),
}

export const etagOf = (content: Uint8Array = new Uint8Array()): string =>
  `"${digest(content).slice(0, 16)}"`

export const completedOf = (etag = '"whole"'): CompletedObject => ({
  type: 'text/plain',
  etag,
  modified: START,
})

/** @throws Error where there is no such upload */
export async function putPart(
  multipart: Multipart,
  ref: MultipartRef,
  number: number,
  content: Uint8Array,
): Promise<PartCommitted> {
  const part = await multipart.part(ref, number)
  try {
    await part?.write([content.slice()])
    const outcome = await part?.commit({ etag: etagOf(content), modified: START })
    if (outcome?.done !== true) throw new Error(`part ${number} was not taken`)
    return outcome
  } finally {
    await part?.discard()
  }
}
