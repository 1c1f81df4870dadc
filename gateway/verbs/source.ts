/** The source of a copy: what is done to it is done to the same content, or not at all. */
import { Refusal } from '../../key/refusal.ts'
import type { Services } from '../services.ts'
import { holds } from '../store/condition.ts'
import type { CopyConflict } from '../store/object-copy.ts'
import type { ObjectInfo, OpenObject } from '../store/store.ts'
import { absent } from './get.ts'

/** Its content, while it is the one that was looked at. @throws Refusal object_not_found, conflict */
export async function opened(source: ObjectInfo, { store }: Services): Promise<OpenObject> {
  const object = await store.open(source.path)
  if (object === undefined) throw absent()
  if (holds({ same: source }, object.info)) return object
  object.close()
  throw sourceGone({ existing: object.info })
}

/** Of a source that was changed or deleted since it was looked at. */
export function sourceGone({ existing }: Pick<CopyConflict, 'existing'>): Refusal {
  if (existing === undefined) return absent()
  return new Refusal('conflict', 'the source was replaced meanwhile; send the request again')
}
