/** LIST of what lies beneath a prefix. */
import { isListed } from '../../key/clear.ts'
import type { Grant } from '../../key/sign.ts'
import type { Admitted } from '../admit.ts'
import type { Services } from '../services.ts'
import type { Listing, ListQuery, ObjectInfo, Store } from '../store/store.ts'

export const MAX_LISTED = 1000
/** How far a listing filtered by `match` looks before it answers with what it found so far. */
const MAX_SCANNED = 10_000

export interface ListRequest {
  /** narrower than the folder that was asked for, with which it begins; absent: all of that */
  readonly prefix?: string
  readonly delimiter?: string
  readonly after?: string
  readonly limit: number
}

/**
 * Only what the key admits is shown. A listing counts as one use, asking for its head as none.
 * @throws Refusal uses_exhausted
 */
export async function list(
  admitted: Admitted,
  services: Services,
  request: ListRequest,
  head: boolean,
): Promise<Listing> {
  const use = head ? undefined : await services.gatekeeper.takeUse(admitted)
  let done = 0
  try {
    const query = { ...request, prefix: prefixOf(admitted, request) }
    const filtered = admitted.grant.blocks.some(({ match }) => match !== undefined)
    const listing = filtered
      ? await listMatching(services.store, query, admitted.grant)
      : await services.store.list(query)
    done = 1
    return listing
  } finally {
    await use?.settle(done)
  }
}

function prefixOf({ attempt }: Admitted, { prefix = attempt.path }: ListRequest): string {
  if (prefix.startsWith(attempt.path)) return prefix
  throw new TypeError('a listing stays inside the folder that it was admitted to')
}

/**
 * A glob of the key hides names, those of folders too: objects are looked at one by one, and a
 * folder is shown when something in it is.
 */
async function listMatching(store: Store, query: ListQuery, grant: Grant): Promise<Listing> {
  const found = { objects: [] as ObjectInfo[], prefixes: [] as string[] }
  let after = query.after
  for (let scanned = 0; scanned < MAX_SCANNED; ) {
    const from = after === undefined ? {} : { after }
    const page = await store.list({ prefix: query.prefix, limit: MAX_LISTED, ...from })
    const reached = take(page.objects, query, grant, found)
    if (reached === undefined && page.next === undefined) return found
    after = reached ?? page.next
    scanned += page.objects.length
    if (found.objects.length + found.prefixes.length >= query.limit) break
  }
  return { ...found, ...(after !== undefined && { next: after }) }
}

/** Where to go on, when it is not behind the last of these: after a full page, or behind a folder. */
function take(
  objects: readonly ObjectInfo[],
  query: ListQuery,
  grant: Grant,
  found: { objects: ObjectInfo[]; prefixes: string[] },
): string | undefined {
  for (const object of objects) {
    if (!isListed(grant, object.path)) continue
    const folder = folderOf(object.path, query)
    if (folder !== undefined) {
      found.prefixes.push(folder)
      return folder + LAST_CHARACTER
    }
    found.objects.push(object)
    if (found.objects.length + found.prefixes.length >= query.limit) return object.path
  }
  return undefined
}

/** Sorts behind every name in a folder. */
const LAST_CHARACTER = '\u{10ffff}'

function folderOf(path: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === undefined) return undefined
  const end = path.indexOf(delimiter, prefix.length)
  return end === -1 ? undefined : path.slice(0, end + delimiter.length)
}
