/** Files as a browser hands them out. */
import type { Source } from '../../../web/client/drop/item.ts'

export const source = (
  name: string,
  content: string | Uint8Array<ArrayBuffer> | number,
  more: { readonly type?: string; readonly lastModified?: number } = {},
): Source => {
  const data = typeof content === 'number' ? new Uint8Array(content).fill(7) : content
  const blob = new Blob([data])
  return {
    name,
    size: blob.size,
    type: more.type ?? 'text/plain',
    lastModified: more.lastModified ?? 1_000,
    slice: (start, end) => blob.slice(start, end),
  }
}
