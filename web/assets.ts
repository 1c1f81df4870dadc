/**
 * What browsers get, ready to send. A release has it beside this file, as `npm run build` made it;
 * from source it is bundled when it is first asked for.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Asset } from './bundle.ts'

export type { Asset } from './bundle.ts'

const READY = new URL('bundle/', import.meta.url)

let all: Promise<readonly Asset[]> | undefined

/** Every asset; read or bundled once. @throws Error where there is neither a bundle nor the sources */
function assets(): Promise<readonly Asset[]> {
  all ??= existsSync(READY) ? readBundle() : import('./bundle.ts').then(({ bundle }) => bundle())
  return all
}

async function readBundle(): Promise<readonly Asset[]> {
  const list: Pick<Asset, 'name' | 'file' | 'type'>[] = JSON.parse(
    await readFile(new URL('list.json', READY), 'utf8'),
  )
  return Promise.all(
    list.map(async (entry) => ({
      ...entry,
      bytes: await readFile(new URL(entry.file, READY)),
      brotli: await readFile(new URL(`${entry.file}.br`, READY)),
      gzip: await readFile(new URL(`${entry.file}.gz`, READY)),
    })),
  )
}

/** The file of a name in the sources. @throws RangeError for a name that there is not */
export async function fileOf(name: string): Promise<string> {
  const asset = (await assets()).find((one) => one.name === name)
  if (asset === undefined) throw new RangeError(`no asset is called ${name}`)
  return asset.file
}

/** undefined: there is no such file, or it was one of another version */
export const assetOf = async (file: string): Promise<Asset | undefined> =>
  (await assets()).find((one) => one.file === file)
