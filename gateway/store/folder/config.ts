/** `[buckets.NAME]` of `valetkey.toml`. */
import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import { parsePath } from '../../../key/object-path.ts'
import type { Seconds } from '../../../key/units.ts'
import { durationSetting } from '../../config.ts'

const bucketSettings = z
  .strictObject({
    /** an existing folder of plain files; absent: the bucket lies in the store of all others */
    folder: z
      .string()
      .refine(isAbsolute, 'expected an absolute path of an existing folder, such as /srv/files')
      .optional(),
    /** no uploads, no deletions; of a folder only */
    readOnly: z.boolean().default(false),
    /** how long after its upload an object is kept; absent: for as long as its key says */
    ttl: durationSetting.refine((ttl) => ttl > 0, 'expected a duration, such as 30d').optional(),
  })
  .superRefine(({ folder, readOnly, ttl }, context) => {
    if (folder !== undefined || (ttl !== undefined && !readOnly)) return
    const message = 'expected the absolute path of an existing folder, such as /srv/files'
    context.addIssue({ code: 'custom', path: ['folder'], message })
  })

/** `[buckets.NAME]`, by the bucket's name */
export const bucketsSection = z
  .record(
    z.string().refine(isBucketName, {
      error: 'a bucket is 3 to 63 of a-z, 0-9, "." and "-", with a letter or digit at both ends',
    }),
    bucketSettings,
  )
  .superRefine((buckets, context) => {
    for (const { inner, outer } of nested(foldersOf(buckets))) {
      context.addIssue({
        code: 'custom',
        path: [inner, 'folder'],
        message: `lies in the folder of the bucket "${outer}": each bucket needs a folder of its own`,
      })
    }
  })

export type BucketsSettings = z.output<typeof bucketsSection>

export interface FolderSettings {
  readonly folder: string
  readonly readOnly: boolean
}

/** Those that are folders. */
export const foldersOf = (
  buckets: BucketsSettings,
): readonly (readonly [bucket: string, settings: FolderSettings])[] =>
  Object.entries(buckets).flatMap(([bucket, { folder, readOnly }]) =>
    folder === undefined ? [] : [[bucket, { folder, readOnly }] as const],
  )

/** Of those whose objects end by themselves. */
export const lifetimesOf = (buckets: BucketsSettings): ReadonlyMap<string, Seconds> =>
  new Map(
    Object.entries(buckets).flatMap(([bucket, { ttl }]) =>
      ttl === undefined ? [] : [[bucket, ttl] as const],
    ),
  )

/** The same as somebody writes it. */
export type BucketsSettingsText = z.input<typeof bucketsSection>

/** Whether a path is that of the folder, or beneath it. Both absolute. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith('../') || isAbsolute(way))
}

/** In the folder of another bucket, what is being written to the inner one would be seen. */
export function* nested(
  folders: readonly (readonly [name: string, { readonly folder: string }])[],
): Generator<{ readonly inner: string; readonly outer: string }> {
  for (const [at, [inner, { folder }]] of folders.entries()) {
    const found = folders.find(
      ([, other], place) =>
        place !== at &&
        isWithin(resolve(other.folder), resolve(folder)) &&
        // of two that are the same, the later one is told
        (place < at || !isWithin(resolve(folder), resolve(other.folder))),
    )
    if (found !== undefined) yield { inner, outer: found[0] }
  }
}

function isBucketName(name: string): boolean {
  try {
    return !name.includes('/') && parsePath(`${name}/`).kind === 'prefix'
  } catch {
    return false
  }
}
