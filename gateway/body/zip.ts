/**
 * The bytes of a zip that is written front to back, nothing compressed: APPNOTE.TXT 6.3.10 of PKWARE,
 * whose sections are named below. Its length is known from names and sizes alone, before a byte of
 * any file is.
 */

/** A file, or a folder where the name ends with a slash. */
export interface ZipEntry {
  /** relative, parts divided by slashes: see {@link zipNames} */
  readonly name: string
  readonly size: number
  /** Unix seconds */
  readonly modified: number
}

/** What is known of an entry once it was written. */
export interface WrittenEntry extends ZipEntry {
  readonly crc32: number
  /** where its local header begins */
  readonly offset: number
}

/** Up to here the checksum is known before the header is written; a larger file's follows it. */
export const CHECKED_AHEAD = 256 * 1024

const MOST_16 = 0xffff
const MOST_32 = 0xffffffff

/** §4.4.3: 4.5 knows zip64, 2.0 folders. */
const VERSION = 20
const VERSION_ZIP64 = 45
const MADE_ON_UNIX = (3 << 8) | VERSION_ZIP64
/** §4.4.4, bit 3: checksum and sizes follow the content. */
const SIZES_FOLLOW = 1 << 3
/** §4.4.4, bit 11: the name is UTF-8. */
const NAME_IS_UTF8 = 1 << 11

const needsZip64 = (value: number): boolean => value >= MOST_32
const sizesFollow = ({ size }: ZipEntry): boolean => size > CHECKED_AHEAD

const flagsOf = (entry: ZipEntry): number =>
  sizesFollow(entry) ? NAME_IS_UTF8 | SIZES_FOLLOW : NAME_IS_UTF8

/** §4.3.7. @param crc32 of the content, where it does not follow */
export function localHeader(entry: ZipEntry, crc32: number): Buffer {
  const { size, name } = entry
  const isLarge = needsZip64(size)
  // §4.4.4: "If this bit is set, the fields crc-32, compressed size and uncompressed size are set to zero"
  const sizeHere = isLarge ? MOST_32 : sizesFollow(entry) ? 0 : size
  const extra = [...timeExtra(entry), ...(isLarge ? zip64Extra([0, 0]) : [])]
  return bytesOf([
    [4, 0x04034b50],
    [2, isLarge ? VERSION_ZIP64 : VERSION],
    [2, flagsOf(entry)],
    [2, 0],
    ...dosTime(entry),
    [4, sizesFollow(entry) ? 0 : crc32],
    [4, sizeHere],
    [4, sizeHere],
    [2, Buffer.byteLength(name)],
    [2, lengthOf(extra)],
    name,
    ...extra,
  ])
}

/** §4.3.9, empty where the header said it all. */
export function dataDescriptor(entry: ZipEntry, crc32: number): Buffer {
  if (!sizesFollow(entry)) return Buffer.alloc(0)
  const width = needsZip64(entry.size) ? 8 : 4
  return bytesOf([
    [4, 0x08074b50],
    [4, crc32],
    [width, entry.size],
    [width, entry.size],
  ])
}

/** §4.3.12. */
export function centralRecord(entry: WrittenEntry): Buffer {
  const { name, size, offset, crc32 } = entry
  const large = [...(needsZip64(size) ? [size, size] : []), ...(needsZip64(offset) ? [offset] : [])]
  const extra = [...timeExtra(entry), ...zip64Extra(large)]
  return bytesOf([
    [4, 0x02014b50],
    [2, MADE_ON_UNIX],
    [2, large.length > 0 ? VERSION_ZIP64 : VERSION],
    [2, flagsOf(entry)],
    [2, 0],
    ...dosTime(entry),
    [4, crc32],
    [4, Math.min(size, MOST_32)],
    [4, Math.min(size, MOST_32)],
    [2, Buffer.byteLength(name)],
    [2, lengthOf(extra)],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, name.endsWith('/') ? FOLDER : FILE],
    [4, Math.min(offset, MOST_32)],
    name,
    ...extra,
  ])
}

/** §4.4.15: the mode of Unix above, what MS-DOS knows of it below. */
const FILE = 0o100644 * 0x10000
const FOLDER = 0o040755 * 0x10000 + 0x10

/** §4.3.14 to §4.3.16. @param start of the central directory */
export function endOfZip(count: number, start: number, length: number): Buffer {
  const isLarge = count >= MOST_16 || needsZip64(start) || needsZip64(length)
  const zip64: readonly Field[] = [
    [4, 0x06064b50],
    [8, 44],
    [2, MADE_ON_UNIX],
    [2, VERSION_ZIP64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, length],
    [8, start],
    [4, 0x07064b50],
    [4, 0],
    [8, start + length],
    [4, 1],
  ]
  return bytesOf([
    ...(isLarge ? zip64 : []),
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, Math.min(count, MOST_16)],
    [2, Math.min(count, MOST_16)],
    [4, Math.min(length, MOST_32)],
    [4, Math.min(start, MOST_32)],
    [2, 0],
  ])
}

/** Bytes that an entry takes where it is, and in the central directory. */
export const entryLength = (
  entry: ZipEntry,
  offset: number,
): { readonly local: number; readonly central: number } => ({
  local: localHeader(entry, 0).length + entry.size + dataDescriptor(entry, 0).length,
  central: centralRecord({ ...entry, crc32: 0, offset }).length,
})

// ── fields ──────────────────────────────────────────────────────────────────

/** A text, or a number of so many bytes, little-endian. */
type Field = string | readonly [width: 1 | 2 | 4 | 8, value: number]

const widthOf = (field: Field): number =>
  typeof field === 'string' ? Buffer.byteLength(field) : field[0]

const lengthOf = (fields: readonly Field[]): number =>
  fields.reduce((sum, field) => sum + widthOf(field), 0)

function bytesOf(fields: readonly Field[]): Buffer {
  const buffer = Buffer.allocUnsafe(lengthOf(fields))
  let at = 0
  for (const field of fields) {
    if (typeof field === 'string') buffer.write(field, at)
    else if (field[0] === 8) buffer.writeBigUInt64LE(BigInt(field[1]), at)
    else buffer.writeUIntLE(field[1], at, field[0])
    at += widthOf(field)
  }
  return buffer
}

/** §4.4.6, in UTC: who knows better reads {@link timeExtra}. */
function dosTime({ modified }: ZipEntry): readonly Field[] {
  const first = Date.UTC(1980, 0, 1) / 1000
  const last = Date.UTC(2107, 11, 31, 23, 59, 58) / 1000
  const date = new Date(Math.min(Math.max(modified, first), last) * 1000)
  const time =
    (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  const day =
    ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  return [
    [2, time],
    [2, day],
  ]
}

/** The extended timestamp of Info-ZIP: seconds since 1970, up to 2038. */
const timeExtra = ({ modified }: ZipEntry): readonly Field[] => [
  [2, 0x5455],
  [2, 5],
  // bit 0: it holds the time of the last change
  [1, 1],
  [4, Math.min(Math.max(modified, 0), 0x7fffffff)],
]

/** §4.5.3: those of the 64-bit values that the fields before could not hold, in this order. */
const zip64Extra = (values: readonly number[]): readonly Field[] =>
  values.length === 0
    ? []
    : [[2, 0x0001], [2, values.length * 8], ...values.map((value) => [8, value] as const)]

// ── names ───────────────────────────────────────────────────────────────────

/**
 * Names under which paths are unpacked where they belong and nowhere else: none is absolute, leads
 * upwards, holds what a system takes for a separator, or is there twice.
 */
export function zipNames(paths: readonly string[]): readonly string[] {
  const names = paths.map(safeName)
  const folders = new Set<string>()
  for (const name of names) addFolders(name, folders)
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let n = 2; taken.has(free) || folders.has(`${free}/`); n += 1) free = numbered(name, n)
    taken.add(free)
    return free
  })
}

/** What {@link safePart} would change something of, and the slash of a folder. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
const UNSAFE = /[\u0000-\u001f\u007f\\]|(?:^|\/)\.{0,2}(?:\/|$)|^[A-Za-z]:/

/** One of them, whatever the others are called. */
export function safeName(path: string): string {
  if (!UNSAFE.test(path)) return path
  const parts = path.split('/').map(safePart)
  // a name that ends with a slash stays that of a folder
  if (path.endsWith('/') && parts.length > 1) parts[parts.length - 1] = ''
  return parts.join('/')
}

function safePart(part: string, index: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const plain = part.replace(/[\u0000-\u001f\u007f\\]/g, '_')
  if (/^\.{0,2}$/.test(plain)) return '_'.repeat(Math.max(1, plain.length))
  return index === 0 ? plain.replace(/^([A-Za-z]):/, '$1_') : plain
}

/** Adds every folder above a name, each with its slash. */
function addFolders(name: string, folders: Set<string>): void {
  for (let slash = name.lastIndexOf('/', name.length - 2); slash > 0; ) {
    const folder = name.slice(0, slash + 1)
    if (folders.has(folder)) return
    folders.add(folder)
    slash = name.lastIndexOf('/', slash - 1)
  }
}

/** `name (2).ext`, also of a folder. */
function numbered(name: string, n: number): string {
  const [, stem = name, rest = ''] = /^(.*?[^/])((?:\.[^./]{1,8})?\/?)$/s.exec(name) ?? []
  return `${stem} (${n})${rest}`
}
