/** An asset as a response: compressed where the browser takes that, and kept for ever. */
import { type Asset, assetOf } from './assets.ts'

/** A file of this name never changes: another content has another name. */
const FOREVER = 'public, max-age=31536000, immutable'

/** @returns undefined where there is no such file, or it was one of another version */
export async function sendAsset(file: string, accepted = ''): Promise<Response | undefined> {
  const asset = await assetOf(file)
  if (asset === undefined) return undefined
  const [coding, bytes] = encoded(asset, accepted)
  return new Response(new Uint8Array(bytes), {
    headers: {
      'Content-Type': asset.type,
      'Cache-Control': FOREVER,
      'Content-Length': String(bytes.length),
      Vary: 'Accept-Encoding',
      'Cross-Origin-Resource-Policy': 'same-origin',
      ...(coding !== undefined && { 'Content-Encoding': coding }),
    },
  })
}

/** RFC 9110 §12.5.3: a coding with the weight 0 is not acceptable. */
function encoded(asset: Asset, accepted: string): readonly [string | undefined, Buffer] {
  const takes = (coding: string): boolean =>
    new RegExp(`(?:^|,)\\s*${coding}\\s*(?:,|$|;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$)))`, 'i').test(
      accepted,
    )
  if (takes('br')) return ['br', asset.brotli]
  if (takes('gzip')) return ['gzip', asset.gzip]
  return [undefined, asset.bytes]
}
