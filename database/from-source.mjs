/**
 * In a checkout, threads run JavaScript that is made of the sources when the first of them starts: to
 * load TypeScript module by module would take each of them longer than most tests. Not part of the build.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = resolve(root, 'node_modules/.cache/valetkey')

/** by the names of their modules */
const known = new Map()

/**
 * @param {readonly URL[]} modules
 * @returns {readonly URL[]} what was made of each of them; what they share is there once
 */
export function bundled(modules) {
  const name = modules.join()
  if (!known.has(name)) known.set(name, bundle(modules))
  return known.get(name)
}

function bundle(modules) {
  const { outputFiles, metafile } = buildSync({
    entryPoints: modules.map((module) => fileURLToPath(module)),
    absWorkingDir: root,
    outbase: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    entryNames: '[dir]/[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  })
  for (const { path, contents } of outputFiles) keep(path, contents)
  const made = new Map(
    Object.entries(metafile.outputs).map(([output, { entryPoint = '' }]) => [
      resolve(root, entryPoint),
      resolve(root, output),
    ]),
  )
  return modules.map((module) => pathToFileURL(made.get(fileURLToPath(module))))
}

/** Its name tells its content, and other processes may be making the same at this moment. */
function keep(path, contents) {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, contents)
  renameSync(fresh, path)
}
