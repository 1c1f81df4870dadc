import { extname } from 'node:path'
import mime from 'mime'

export const DEFAULT_TYPE = 'application/octet-stream'

/** By the extension; a name without one says nothing, though `mime` would take it for one. */
export const typeOf = (name: string): string | undefined =>
  mime.getType(extname(name).slice(1)) ?? undefined
