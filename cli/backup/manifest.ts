/**
 * What makes a backup one: written last, it says what there is. Each run writes its databases into a
 * folder of its own, so that the backup that was complete before stays so until this is replaced.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder } from '../durable.ts'
import { Failure } from '../failure.ts'
import { printable } from '../format.ts'

const count = z.int().nonnegative()

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** the version of valetkey that wrote it */
  program: z.string(),
  /** Unix seconds */
  started: count,
  finished: count,
  /** the folder of this run's files, beside the manifest */
  folder: z.string().regex(/^run-[0-9a-f]{16}$/),
  files: z.array(
    z.strictObject({
      name: z.string().regex(/^(?:index\.db|ledger\.db|valetkey\.toml|secrets\/[^/.\0][^/\0]*)$/),
      size: count,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  objects: z.strictObject({ objects: count, bytes: count }),
  blobs: z.strictObject({ blobs: count, bytes: count }),
  /** objects that the store had lost already */
  missing: z.array(z.strictObject({ path: z.string(), blob: z.string() })),
})

export type Manifest = z.output<typeof manifestSchema>
export type BackedUpFile = Manifest['files'][number]

export const MANIFEST = 'manifest.json'

export const newRunFolder = (): string => `run-${randomBytes(8).toString('hex')}`

/** @throws Failure where the backup is not complete, or not one */
export function readManifest(folder: string, label: string): Manifest {
  let text: string
  try {
    text = readFileSync(join(folder, MANIFEST), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Failure(
      `${label} holds no complete backup: there is no ${MANIFEST}. Run the backup again, to its end`,
    )
  }
  const parsed = manifestSchema.safeParse(asJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const what = `${issue?.path.join('.') || MANIFEST}: ${issue?.message}`
  throw new Failure(`${label}: ${MANIFEST} is damaged, or of a newer valetkey: ${printable(what)}`)
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Durable when this resolves; until then there is what was there before. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const unfinished = join(folder, `${MANIFEST}.part`)
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, join(folder, MANIFEST))
  await syncFolder(folder)
}

export async function describeFile(folder: string, name: string): Promise<BackedUpFile> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(join(folder, name))) {
    hash.update(chunk)
    size += (chunk as Buffer).length
  }
  return { name, size, sha256: hash.digest('hex') }
}
