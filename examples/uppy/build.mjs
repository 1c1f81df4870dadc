import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The page's script with all of Uppy that it needs, out of node_modules. */
export async function bundled() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0].contents
}
