/**
 * How much lies where, as the gateway tells whoever may list: the issuer knows no store. It asks
 * with a key of its own making, which lists one prefix for a minute, and so often at most.
 */
import { z } from 'zod'
import { linkOf } from '../key/link.ts'
import { parseScope, type Scope } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import type { SigningKey } from '../key/signer.ts'
import type { Seconds, UnixSeconds } from '../key/units.ts'
import { mint } from './mint.ts'

/** Of one level, so many prefixes are counted at most; and so many pages of a thousand in all. */
const MOST_PREFIXES = 100
const MOST_PAGES = 100
const AT_ONCE = 4
const PATIENCE = 10_000

export interface StorageContext {
  readonly signingKey: SigningKey
  /** where the gateway is reached */
  readonly publicUrl: string
  readonly now: UnixSeconds
}

export interface StorageEntry {
  /** with a slash at its end where it is a prefix */
  readonly path: string
  readonly objects: number
  readonly bytes: number
  /** false: there is more than was counted */
  readonly complete: boolean
}

export interface Level {
  readonly prefix: string
  /** largest first */
  readonly entries: readonly StorageEntry[]
  /** false: there are more entries than these */
  readonly complete: boolean
}

const Page = z.object({
  objects: z.array(z.object({ path: z.string(), size: z.number() })),
  prefixes: z.array(z.string()),
  next: z.string().optional(),
})
type Page = z.output<typeof Page>

/**
 * One level beneath a prefix.
 * @param prefix empty for all buckets
 * @throws Refusal unavailable where the gateway does not answer
 */
export async function storageAt(prefix: string, context: StorageContext): Promise<Level> {
  const ask = askerOf(prefix, context)
  const level = await ask(prefix, { delimiter: '/' })
  const walked = level.prefixes.slice(0, MOST_PREFIXES)
  const pages = Math.max(1, Math.floor(MOST_PAGES / Math.max(1, walked.length)))
  const folders: StorageEntry[] = []
  for (let at = 0; at < walked.length; at += AT_ONCE) {
    const some = walked.slice(at, at + AT_ONCE)
    folders.push(...(await Promise.all(some.map((path) => countedAt(path, ask, pages)))))
  }
  const files = level.objects.map(({ path, size }) => ({
    path,
    objects: 1,
    bytes: size,
    complete: true,
  }))
  return {
    prefix,
    entries: [...folders, ...files].sort((a, b) => b.bytes - a.bytes),
    complete: level.next === undefined && walked.length === level.prefixes.length,
  }
}

type Asker = (prefix: string, query: Readonly<Record<string, string>>) => Promise<Page>

async function countedAt(path: string, ask: Asker, pages: number): Promise<StorageEntry> {
  let [objects, bytes] = [0, 0]
  let after: string | undefined
  for (let page = 0; page < pages; page += 1) {
    const listed = await ask(path, after === undefined ? {} : { after })
    objects += listed.objects.length
    bytes += listed.objects.reduce((sum, { size }) => sum + size, 0)
    after = listed.next
    if (after === undefined) break
  }
  return { path, objects, bytes, complete: after === undefined }
}

function askerOf(prefix: string, { signingKey, publicUrl, now }: StorageContext): Asker {
  const life = 60 as Seconds
  const scope = prefix === '' ? '/' : prefix
  const { key } = mint(
    { path: scope, methods: ['LIST'], subject: 'console' },
    { signingKey, publicUrl, now, defaultLife: life, maxLife: life },
  )
  return async (path, query) => {
    const url = new URL(linkOf(publicUrl, scopeOf(path), key))
    url.search = new URLSearchParams(query).toString()
    return pageAt(url, key)
  }
}

const scopeOf = (path: string): Scope => parseScope(path === '' ? '/' : path)

async function pageAt(url: URL, key: string): Promise<Page> {
  const headers = { Authorization: `Bearer ${key}`, Accept: 'application/json' }
  const signal = AbortSignal.timeout(PATIENCE)
  try {
    const response = await fetch(url, { headers, signal, redirect: 'error' })
    if (response.ok) return Page.parse(await response.json())
    throw new Error(`it answered ${response.status}`)
  } catch (cause) {
    const why = `the gateway at ${url.origin} could not be asked: ${(cause as Error).message}`
    throw new Refusal('unavailable', why, { cause })
  }
}
