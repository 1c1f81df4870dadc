/** What lies where: folders and files as the gateway lists them. */
import { ask, Problem } from '../common/ask.ts'
import { urlOf } from '../common/key.ts'
import type { Session } from '../common/session.ts'
import { share } from './texts.ts'

/** A file or a folder. */
export interface Entry {
  /** `bucket/key`, or with a slash at its end for a folder */
  readonly path: string
  /** its own name, without the folder's */
  readonly name: string
  readonly isFolder: boolean
  /** bytes */
  readonly size: number
  /** media type; empty for folders */
  readonly type: string
  /** Unix seconds; 0 for folders */
  readonly modified: number
}

export interface Listing {
  readonly entries: readonly Entry[]
  /** what to give as `after`, where there is more */
  readonly next: string | undefined
}

interface Listed {
  readonly objects: readonly { path: string; size: number; type: string; modified: string }[]
  readonly prefixes: readonly string[]
  readonly next?: string
}

export const isFolder = (path: string): boolean => path.endsWith('/')

/** `q3.pdf` of `reports/q3.pdf`, `2026` of `reports/2026/`. */
export const nameIn = (path: string): string =>
  path.slice(path.lastIndexOf('/', path.length - 2) + 1).replace(/\/$/, '')

/** As `valetkey share` calls the folders that it makes: nobody needs to know that name. */
const MADE_UP = /^share-[\w-]{12}$/

/** What a folder is called on the page. @param folder as a prefix: empty, or with a slash at its end */
export function titleOf(folder: string): string {
  if (folder === '') return share.allFiles
  const name = nameIn(folder)
  return MADE_UP.test(name) ? share.title : name
}

const folderEntry = (path: string): Entry => ({
  path,
  name: nameIn(path),
  isFolder: true,
  size: 0,
  type: '',
  modified: 0,
})

/** One page of a folder: at most a thousand. Takes a use of a key that counts them. @throws Problem */
export async function list(session: Session, folder: string, after?: string): Promise<Listing> {
  const url = urlOf(folder)
  url.searchParams.set('delimiter', '/')
  if (after !== undefined) url.searchParams.set('after', after)
  const { signal } = session
  const headers = { Accept: 'application/json' }
  const response = await ask(url, session.key, { signal, headers })
  const { objects, prefixes, next }: Listed = await response.json()
  const files = objects.map(({ path, size, type, modified }) => ({
    path,
    name: nameIn(path),
    isFolder: false,
    size,
    type,
    modified: Date.parse(modified) / 1000,
  }))
  return { entries: [...prefixes.map(folderEntry), ...files], next }
}

/** One file; costs no use. @throws Problem object_not_found and any other */
export async function look(session: Session, path: string): Promise<Entry> {
  const { signal } = session
  const { headers } = await ask(urlOf(path), session.key, { method: 'HEAD', signal })
  return {
    path,
    name: nameIn(path),
    isFolder: false,
    size: Number(headers.get('Content-Length') ?? 0),
    type: headers.get('Content-Type') ?? '',
    modified: Date.parse(headers.get('Last-Modified') ?? '') / 1000 || 0,
  }
}

/** What a key of several paths opens: each of them that is there. @throws Problem */
export async function lookAtAll(
  session: Session,
  paths: readonly string[],
): Promise<readonly Entry[]> {
  const entries = paths.map((path) =>
    isFolder(path) ? folderEntry(path) : look(session, path).catch(unlessGone),
  )
  return (await Promise.all(entries)).flatMap((entry) => entry ?? [])
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'object_not_found') return undefined
  throw error
}

// ── order ───────────────────────────────────────────────────────────────────

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

const ORDERS = {
  name: (a: Entry, b: Entry) => collator.compare(a.name, b.name),
  changed: (a: Entry, b: Entry) => b.modified - a.modified,
  size: (a: Entry, b: Entry) => b.size - a.size,
  kind: (a: Entry, b: Entry) => collator.compare(a.type, b.type),
} as const
export type Order = keyof typeof ORDERS
export const ORDER_NAMES = Object.keys(ORDERS) as readonly Order[]

/** Folders first; names decide between equals. */
export const sorted = (entries: readonly Entry[], order: Order): readonly Entry[] =>
  entries.toSorted(
    (a, b) => Number(b.isFolder) - Number(a.isFolder) || ORDERS[order](a, b) || ORDERS.name(a, b),
  )

/** Those whose names hold the text, whatever its case and however its accents are composed. */
export function found(entries: readonly Entry[], text: string): readonly Entry[] {
  const wanted = folded(text.trim())
  return wanted === '' ? entries : entries.filter(({ name }) => folded(name).includes(wanted))
}

const folded = (text: string): string => text.normalize('NFKD').toLowerCase()
