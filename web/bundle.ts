/** What browsers get, made of the sources in `client/`: each page one script and one style sheet. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'esbuild'

export interface Asset {
  /** `share.js`: what it is called in the sources */
  readonly name: string
  /** `share-Zm9vYmFyYmF6.js`: the same with a hash of its content, so that it never changes */
  readonly file: string
  readonly type: string
  readonly bytes: Buffer
  readonly brotli: Buffer
  readonly gzip: Buffer
}

const CLIENT = fileURLToPath(new URL('client/', import.meta.url))

/** A page is a folder of this name, with `main.ts` and `main.css`. */
const PAGES = ['share', 'drop', 'console', 'reference'] as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

const brotli = promisify(brotliCompress)
const zipped = promisify(gzip)

/** @throws Error where the sources can't be bundled */
export async function bundle(): Promise<readonly Asset[]> {
  const { outputFiles } = await build({
    entryPoints: PAGES.flatMap((page) => [
      { in: `${CLIENT}${page}/main.ts`, out: page },
      { in: `${CLIENT}${page}/main.css`, out: page },
    ]),
    bundle: true,
    minify: true,
    format: 'esm',
    // what browsers of the last three years have
    target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    outdir: 'out',
    write: false,
    logLevel: 'silent',
  })
  return Promise.all(
    outputFiles.map(({ path, contents }) => assetOf(basename(path), Buffer.from(contents))),
  )
}

async function assetOf(name: string, bytes: Buffer): Promise<Asset> {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 12)
  const [stem = '', extension = ''] = name.split('.')
  return {
    name,
    file: `${stem}-${hash}.${extension}`,
    type: TYPES[extension] ?? 'application/octet-stream',
    bytes,
    brotli: await brotli(bytes, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
    gzip: await zipped(bytes, { level: 9 }),
  }
}

/** Writes the bundle for a release: every file thrice, and a list of them. */
async function writeBundle(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const all = await bundle()
  for (const { file, bytes, brotli, gzip } of all) {
    await writeFile(join(folder, file), bytes)
    await writeFile(join(folder, `${file}.br`), brotli)
    await writeFile(join(folder, `${file}.gz`), gzip)
  }
  const list = all.map(({ name, file, type }) => ({ name, file, type }))
  await writeFile(join(folder, 'list.json'), `${JSON.stringify(list, null, 2)}\n`)
}

const [, program = '', folder] = process.argv
if (import.meta.url === pathToFileURL(program).href && folder !== undefined) {
  await writeBundle(folder)
}
