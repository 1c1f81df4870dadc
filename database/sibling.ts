/** Modules that a thread is to load: found and loaded alike from TypeScript sources and from the build. */
import { extname } from 'node:path'

/** The URL of a module beside this one: `.ts` in a checkout run through tsx, `.js` when built. */
export const siblingModule = (importMetaUrl: string, name: string): URL =>
  new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl)

/** The same modules as a thread can load them, in the same order; what they share is there once. */
export async function loadable(modules: readonly URL[]): Promise<readonly URL[]> {
  if (modules.every(({ pathname }) => extname(pathname) !== '.ts')) return modules
  const { bundled } = await import(new URL('./from-source.mjs', import.meta.url).href)
  return bundled(modules)
}
