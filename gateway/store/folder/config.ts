/** `[buckets.NAME]` of `valetkey.toml`. */
import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import { parsePath } from '../../../key/object-path.ts'

const bucketSettings = z.strictObject({
  /** an existing folder of plain files */
  folder: z
    .string()
    .refine(isAbsolute, 'expected an absolute path of an existing folder, such as /srv/files'),
  /** no uploads, no deletions */
  readOnly: z.boolean().default(false),
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
    for (const { inner, outer } of nested(Object.entries(buckets))) {
      context.addIssue({
        code: 'custom',
        path: [inner, 'folder'],
        message: `lies in the folder of the bucket "${outer}": each bucket needs a folder of its own`,
      })
    }
  })

export type BucketsSettings = z.output<typeof bucketsSection>
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
