import { extname } from 'node:path'

/** The URL of a module beside this one: `.ts` in a checkout run through tsx, `.js` when built. */
export const siblingModule = (importMetaUrl: string, name: string): URL =>
  new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl)
