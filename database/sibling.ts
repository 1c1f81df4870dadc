/** Threads of ours: found and started alike from TypeScript sources and from the build. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** The URL of a module beside this one: `.ts` in a checkout run through tsx, `.js` when built. */
export const siblingModule = (importMetaUrl: string, name: string): URL =>
  new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl)

/** Runs a module in a thread of its own. */
export function startThread(module: URL, workerData: unknown): Worker {
  if (extname(module.pathname) !== '.ts') return new Worker(module, { workerData })
  const boot = new URL('./thread-from-source.mjs', import.meta.url)
  return new Worker(boot, { argv: [module.href], workerData })
}
