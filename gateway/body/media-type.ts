/**
 * Whether the leading bytes of an upload contradict its declared media type. Declared types are
 * claims of strangers: an image that begins as HTML does is not an image.
 */
import { essenceOf } from '../../key/media-type.ts'
import { onDemand } from '../on-demand.ts'

/** With the first upload that is looked at: where no key limits types, none ever is. */
const fileType = onDemand<typeof import('file-type')>('file-type')

/** As much as is looked at. */
export const SNIFFED_BYTES = 4100

/** Types whose files always begin with a signature that `file-type` knows. */
const SIGNED = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/heic',
  'image/heif',
  'image/bmp',
  'image/tiff',
  'image/x-icon',
  'image/vnd.microsoft.icon',
  'image/jxl',
  'image/vnd.adobe.photoshop',
  'application/pdf',
  'application/zip',
  'application/gzip',
  'application/x-7z-compressed',
  'application/x-bzip2',
  'application/x-xz',
  'application/zstd',
  'application/vnd.rar',
  'application/wasm',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.presentation',
  'application/epub+zip',
  'application/java-archive',
  'video/mp4',
  'video/quicktime',
  'video/webm',
  'video/x-matroska',
  'video/x-msvideo',
  'audio/ogg',
  'video/ogg',
  'audio/flac',
  'audio/wav',
  'audio/midi',
  'font/woff',
  'font/woff2',
  'font/ttf',
  'font/otf',
])

/** One format under several names: each list is one family. */
const FAMILIES: readonly (readonly string[])[] = [
  ['image/jpeg', 'image/jpg', 'image/pjpeg'],
  ['image/x-icon', 'image/vnd.microsoft.icon'],
  ['image/bmp', 'image/x-ms-bmp'],
  ['image/png', 'image/apng', 'image/vnd.mozilla.apng'],
  ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence', 'image/avif'],
  ['image/tiff', 'image/x-canon-cr2', 'image/x-adobe-dng', 'image/x-nikon-nef', 'image/x-sony-arw'],
  ['application/gzip', 'application/x-gzip', 'application/x-tgz', 'application/gzip-compressed'],
  ['application/vnd.rar', 'application/x-rar-compressed', 'application/x-rar'],
  ['application/x-bzip2', 'application/x-bzip', 'application/x-bz2'],
  ['application/xml', 'text/xml'],
  ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
  ['audio/flac', 'audio/x-flac'],
  ['audio/mpeg', 'audio/mp3', 'audio/x-mpeg'],
  [
    'audio/ogg',
    'video/ogg',
    'application/ogg',
    'audio/opus',
    'audio/ogg; codecs=opus',
    'application/x-ogg',
  ],
  [
    'video/mp4',
    'audio/mp4',
    'audio/x-m4a',
    'video/x-m4v',
    'audio/m4a',
    'video/quicktime',
    'video/3gpp',
    'video/3gpp2',
    'application/mp4',
    'audio/x-m4b',
    'audio/x-m4p',
  ],
  [
    'video/webm',
    'audio/webm',
    'video/x-matroska',
    'audio/x-matroska',
    'video/matroska',
    'audio/matroska',
  ],
  ['video/x-msvideo', 'video/avi', 'video/vnd.avi', 'video/msvideo'],
  ['application/zstd', 'application/x-zstd'],
  ['font/ttf', 'application/font-sfnt', 'font/sfnt', 'application/x-font-ttf', 'font/otf'],
]

/** Formats that are a ZIP archive or an OLE file inside: the container is no contradiction. */
const ZIP_INSIDE =
  /^application\/(?:zip|x-zip-compressed|java-archive|epub\+zip|vnd\.(?:openxmlformats|oasis|ms-|android|google-earth\.kmz|apple).*|x-xpinstall|x-.*zip.*)$|^model\/3mf$/
const OLE_INSIDE = /^application\/(?:msword|vnd\.ms-.*|x-cfb|x-msi|vnd\.visio)$/

/**
 * What speaks against the declared type, as a sentence; undefined where nothing does.
 * @param head the first {@link SNIFFED_BYTES} bytes, or all there are
 */
export async function contradiction(
  declared: string,
  head: Uint8Array,
): Promise<string | undefined> {
  const type = essenceOf(declared)
  if (type === undefined) return `"${declared}" is not a media type`
  if (head.length === 0 || type === 'application/octet-stream') return undefined
  const { fileTypeFromBuffer } = fileType()
  const found = essenceOf((await fileTypeFromBuffer(head))?.mime ?? '')
  if (found !== undefined && found !== 'application/xml') {
    return isCompatible(type, found)
      ? undefined
      : `the content begins as ${found} does, not as ${type}`
  }
  return textContradiction(type, head)
}

function isCompatible(declared: string, found: string): boolean {
  if (declared === found) return true
  if (FAMILIES.some((family) => family.includes(declared) && family.includes(found))) return true
  if (ZIP_INSIDE.test(found)) return ZIP_INSIDE.test(declared)
  return found === 'application/x-cfb' && OLE_INSIDE.test(declared)
}

/** The content has no binary signature: it may be text of some sort, or binary without one. */
function textContradiction(type: string, head: Uint8Array): string | undefined {
  if (SIGNED.has(type)) return `the content does not begin as ${type} does`
  const looks = looksLike(head)
  if (looks === 'binary') {
    return isTextual(type) ? `the content is binary, not ${type}` : undefined
  }
  if (type === 'image/svg+xml') return looks === 'svg' ? undefined : 'the content is not SVG'
  if (type === 'application/json' || type.endsWith('+json')) {
    return beginsAsJson(head) ? undefined : 'the content does not begin as JSON does'
  }
  // markup and scripts are text, whatever text type they are declared as
  if (isTextual(type) || looks === 'text') return undefined
  return `the content begins as ${looks === 'script' ? 'a script' : looks.toUpperCase()} does, not as ${type}`
}

const isTextual = (type: string): boolean =>
  type.startsWith('text/') ||
  /^(?:application|image|model)\/(?:json|xml|javascript|ecmascript|x-sh|x-httpd-php|sql|yaml|toml|rtf|.*\+(?:xml|json|yaml))$/.test(
    type,
  )

type Look = 'html' | 'svg' | 'xml' | 'script' | 'text' | 'binary'

/** What a browser or an interpreter would take text for. */
export function looksLike(head: Uint8Array): Look {
  const text = textOf(head)
  if (text === undefined) return 'binary'
  const start = text
    .replace(/^(?:\s|<!--[\s\S]*?-->)+/, '')
    .slice(0, 1024)
    .toLowerCase()
  if (/^(?:#!|<\?php|<%|<script)/.test(start)) return 'script'
  const afterProlog = start
    .replace(/^<\?xml[\s\S]*?\?>/, '')
    .replace(/^(?:\s|<!--[\s\S]*?-->)+/, '')
  if (/^(?:<!doctype\s+svg|<svg[\s>/])/.test(afterProlog)) return 'svg'
  if (
    /^(?:<!doctype\s+html|<(?:html|head|body|title|meta|iframe|img|style|link|object|embed|form|div|p|a|h1|br|table|base|video|audio)[\s>/])/.test(
      afterProlog,
    )
  )
    return 'html'
  return start.startsWith('<?xml') || /^<[a-z_][\w.:-]*[\s>/]/.test(afterProlog) ? 'xml' : 'text'
}

const beginsAsJson = (head: Uint8Array): boolean =>
  /^\s*(?:[[{"\d-]|true|false|null)/.test(textOf(head) ?? '')

/** The text that the bytes are, in UTF-8 or, with a byte order mark, UTF-16; undefined for binary. */
function textOf(head: Uint8Array): string | undefined {
  const mark =
    head[0] === 0xff && head[1] === 0xfe
      ? 'utf-16le'
      : head[0] === 0xfe && head[1] === 0xff
        ? 'utf-16be'
        : undefined
  if (mark !== undefined) return new TextDecoder(mark).decode(head)
  // Latin-1 text is text too: only control characters that text does not have make bytes binary
  if (head.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte)))
    return undefined
  return new TextDecoder('utf-8').decode(head)
}
