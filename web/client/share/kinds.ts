/** What sort of file it is, and how it can be shown: by its stored type, else by its name's ending. */
import type { IconName } from '../common/dom.ts'
import type { Entry } from './files.ts'
import { share } from './texts.ts'

/** `none`: can be had, not shown. */
export type Preview = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'none'

const ENDINGS: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  svg: 'image/svg+xml',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  tar: 'application/x-tar',
  '7z': 'application/x-7z-compressed',
}

const TEXT_ENDINGS =
  /^(?:txt|md|csv|tsv|log|json|jsonl|xml|ya?ml|toml|ini|conf|html?|css|[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|h|cpp|sh|sql|srt|vtt|tex|diff|patch)$/

const UNKNOWN = /^(?:$|application\/octet-stream|binary\/octet-stream)/

/** The media type without its parameters. */
export function typeOf({ type, name }: Entry): string {
  const stated = (type.split(';')[0] ?? '').trim().toLowerCase()
  if (!UNKNOWN.test(stated)) return stated
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return ENDINGS[ending] ?? (TEXT_ENDINGS.test(ending) ? 'text/plain' : stated)
}

const TEXTS =
  /^(?:text\/.*|.*\/(?:.*\+)?(?:json|xml|yaml|x-yaml|toml|javascript|x-javascript|x-sh|sql))$/

export function previewOf(entry: Entry): Preview {
  const type = typeOf(entry)
  if (/^image\/(?:png|jpeg|gif|webp|avif|svg\+xml|bmp|x-icon)$/.test(type)) return 'image'
  if (/^video\//.test(type)) return 'video'
  if (/^audio\//.test(type)) return 'audio'
  if (type === 'application/pdf') return 'pdf'
  return TEXTS.test(type) ? 'text' : 'none'
}

const ARCHIVE = /zip|tar|compressed|rar|7z/

/** The picture for an entry, which is also the name of its colour. */
export type Picture = IconName & keyof typeof share.kinds

export function pictureOf(entry: Entry): Picture {
  if (entry.isFolder) return 'folder'
  const type = typeOf(entry)
  if (type.startsWith('image/')) return 'image'
  const preview = previewOf(entry)
  if (preview !== 'none') return preview
  return ARCHIVE.test(type) ? 'archive' : 'file'
}

/** What kind of file it is, in words: `Image (JPG)`. */
export function kindOf(entry: Entry): string {
  const word = share.kinds[pictureOf(entry)]
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(entry.name)?.[1]?.toUpperCase()
  return entry.isFolder || ending === undefined || ending === word ? word : `${word} (${ending})`
}
