import type { ObjectPath } from '../../key/object-path.ts'
import type { MetaChange } from './full-store.ts'
import type { CopiedObject } from './object-copy.ts'
import type { ObjectInfo, ObjectMeta } from './store.ts'

/** What is known of an object after the change; undefined where that is nothing. */
export function changedMeta(
  meta: ObjectMeta | undefined,
  change: MetaChange,
): ObjectMeta | undefined {
  const fields = Object.entries({ ...meta, ...change })
  return meant(Object.fromEntries(fields.filter(([, value]) => value !== null)))
}

/** Nothing is said of an object by a `meta` that is empty. */
export const meant = (meta: ObjectMeta | undefined): ObjectMeta | undefined =>
  meta === undefined || Object.keys(meta).length === 0 ? undefined : meta

/** The same object with this `meta` instead. */
export function withMeta(
  { meta: _, ...info }: ObjectInfo,
  meta: ObjectMeta | undefined,
): ObjectInfo {
  return meta === undefined ? info : { ...info, meta }
}

/** What a copy is, made of what its source is and what is asked for. */
export function copied(
  { expires: _, ...source }: ObjectInfo,
  to: ObjectPath,
  as: CopiedObject,
): ObjectInfo {
  const info: ObjectInfo = { ...source, ...as, path: to, size: source.size }
  return withMeta(info, meant(info.meta))
}
