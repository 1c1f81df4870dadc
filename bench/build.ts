/** A build of its own, from the sources as they are now: what is measured is what a release runs. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url))

/** @returns the folder of the compiled program; `bench/tasks/*.js` lie in it too */
export function build(folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  const compiler = join(CHECKOUT, 'node_modules/typescript/bin/tsc')
  const config = join(CHECKOUT, 'bench/tsconfig.json')
  const { status, stdout, error } = spawnSync(
    process.execPath,
    [compiler, '-p', config, '--outDir', folder],
    { encoding: 'utf8' },
  )
  // the compiler writes what it can: whether the types hold is asked elsewhere
  if (error || status === null) throw error ?? new Error(`not compiled: ${stdout}`)
  return folder
}
