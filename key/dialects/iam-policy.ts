/**
 * Session policies of STS, as far as a block of claims can say the same. What it can't say is
 * refused, with what it is: a restriction that is not understood is not kept.
 *
 * A block grants methods on paths, each on all of them; so the statements must agree on that.
 */
import type { Block, Method } from '../claims.ts'
import { parseScope } from '../object-path.ts'
import { Refusal } from '../refusal.ts'
import { parseStrictJson } from '../strict-json.ts'

/** STS: "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters" */
const MAX_LENGTH = 2048

const refused = (detail: string): Refusal =>
  new Refusal('request_malformed', `the policy ${detail}`)

/** Each action that grants a method, and those that it brings with it. */
const ACTIONS: Readonly<Record<string, Method>> = {
  's3:GetObject': 'GET',
  's3:PutObject': 'PUT',
  's3:DeleteObject': 'DELETE',
  's3:ListBucket': 'LIST',
}
const COMPANIONS: Readonly<Record<string, Method>> = {
  's3:GetObjectAttributes': 'GET',
  's3:GetObjectTagging': 'GET',
  's3:PutObjectTagging': 'PUT',
  's3:DeleteObjectTagging': 'PUT',
  's3:AbortMultipartUpload': 'PUT',
  's3:ListMultipartUploadParts': 'PUT',
  's3:ListBucketMultipartUploads': 'LIST',
  's3:GetBucketLocation': 'LIST',
}
const WILDCARDS: Readonly<Record<string, readonly Method[]>> = {
  '*': ['GET', 'PUT', 'DELETE', 'LIST'],
  's3:*': ['GET', 'PUT', 'DELETE', 'LIST'],
  's3:GetObject*': ['GET'],
  's3:PutObject*': ['PUT'],
  's3:DeleteObject*': ['DELETE'],
  's3:ListBucket*': ['LIST'],
}

/** A place: a scope, and where it goes on, a glob for the names beneath it. */
interface Place {
  readonly scope: string
  readonly match?: string
}

type Granted = ReadonlyMap<Method, readonly Place[]>

/**
 * @returns a block that narrows to what the policy allows
 * @throws Refusal request_malformed, saying what can't be expressed
 */
export function parseSessionPolicy(text: string): Block {
  if (text.length > MAX_LENGTH) throw refused(`is at most ${MAX_LENGTH} characters long`)
  const { Version = '2012-10-17', Id: _, Statement, ...others } = objectOf(documentOf(text))
  if (Version !== '2012-10-17') throw refused('has the "Version" 2012-10-17')
  refuseOthers(others)
  const statements = Array.isArray(Statement) ? Statement : [Statement]
  if (statements.length === 0) throw refused('has a "Statement"')
  return blockOf(merged(statements.map((statement) => grantedBy(objectOf(statement)))))
}

function documentOf(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch {
    throw refused('is JSON, in which no object has two members of one name')
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw refused('is a JSON object with a "Statement", each of them an object')
}

function refuseOthers(others: object): void {
  const [name] = Object.keys(others)
  if (name !== undefined) throw refused(`can not be kept: "${shown(name)}" is not supported`)
}

const textsOf = (value: unknown, member: string): readonly string[] => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length > 0 && list.every((entry) => typeof entry === 'string')) return list as string[]
  throw refused(`has "${member}": a text, or a list of texts`)
}

/** What one statement allows. */
function grantedBy(statement: Readonly<Record<string, unknown>>): Granted {
  const { Sid: _, Effect, Action, Resource, Condition, ...others } = statement
  refuseOthers(others)
  if (Effect !== 'Allow') throw refused('can not be kept: only the Effect "Allow" is supported')
  const actions = textsOf(Action, 'Action')
  const resources = textsOf(Resource, 'Resource').map(resourceOf)
  const methods = methodsOf(actions)
  const prefixes = Condition === undefined ? undefined : prefixesOf(objectOf(Condition))
  if (prefixes !== undefined && methods.some((method) => method !== 'LIST')) {
    throw refused('has a Condition on s3:prefix: put s3:ListBucket into a statement of its own')
  }
  const granted = methods.map((method) => {
    const places = method === 'LIST' ? listed(resources, prefixes) : objectsIn(resources)
    return [method, places] as const
  })
  const empty = granted.find(([, places]) => places.length === 0)
  if (empty === undefined || actions.some((action) => action.endsWith('*'))) {
    return new Map(granted.filter(([, places]) => places.length > 0))
  }
  throw refused(
    empty[0] === 'LIST'
      ? 'grants s3:ListBucket on no bucket: add the Resource arn:aws:s3:::BUCKET'
      : 'grants actions on objects, but names none: add the Resource arn:aws:s3:::BUCKET/PREFIX/*',
  )
}

function methodsOf(actions: readonly string[]): readonly Method[] {
  const methods = new Set<Method>()
  for (const action of actions) {
    const own = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    const many = Object.hasOwn(WILDCARDS, action) ? WILDCARDS[action] : undefined
    for (const method of own === undefined ? (many ?? []) : [own]) methods.add(method)
    if (own === undefined && many === undefined && !Object.hasOwn(COMPANIONS, action)) {
      throw refused(`can not be kept: the Action "${shown(action)}" is not supported`)
    }
  }
  const alone = actions.find((action) => {
    const method = Object.hasOwn(COMPANIONS, action) ? COMPANIONS[action] : undefined
    return method !== undefined && !methods.has(method)
  })
  if (alone === undefined) return [...methods]
  throw refused(
    `can not be kept: the Action "${shown(alone)}" is granted only together with ${Object.keys(ACTIONS).find((name) => ACTIONS[name] === COMPANIONS[alone])}`,
  )
}

/** `arn:aws:s3:::BUCKET/KEY`, with at most one wildcard, at its end. */
interface Resource {
  readonly bucket: string
  /** undefined: the bucket itself */
  readonly key?: string
  readonly everywhere: boolean
}

function resourceOf(text: string): Resource {
  if (text === '*' || text === 'arn:aws:s3:::*') return { bucket: '', everywhere: true }
  const [, bucket = '', key] = /^arn:aws:s3:::([^/]+)(?:\/(.+))?$/s.exec(text) ?? []
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw refused(
      `can not be kept: the Resource "${shown(text)}" is not of the form arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/PREFIX*`,
    )
  }
  return { bucket, everywhere: false, ...(key !== undefined && { key }) }
}

const objectsIn = (resources: readonly Resource[]): readonly Place[] =>
  resources.flatMap(({ bucket, key, everywhere }) => {
    if (everywhere) return [{ scope: '/' }]
    if (key?.endsWith('/')) {
      throw refused(
        `can not be kept: write arn:aws:s3:::${bucket}/${shown(key)}* for all beneath it`,
      )
    }
    return key === undefined ? [] : [placeOf(bucket, key)]
  })

const listed = (
  resources: readonly Resource[],
  prefixes: readonly string[] | undefined,
): readonly Place[] =>
  resources.flatMap(({ bucket, key, everywhere }) => {
    if (key !== undefined) return []
    if (prefixes === undefined) return [{ scope: everywhere ? '/' : `${bucket}/` }]
    if (everywhere) throw refused('has a Condition on s3:prefix: name the bucket as Resource')
    return prefixes.map((prefix) => placeOf(bucket, prefix))
  })

/** `a/b*` is everything in `a/` whose name goes on from `b`. */
function placeOf(bucket: string, pattern: string): Place {
  const start = pattern.replace(/\*+$/, '')
  if (/[*?]|\$\{/.test(start)) {
    throw refused(
      `can not be kept: "${shown(pattern)}" has a wildcard or a variable that is not at its end`,
    )
  }
  const folder = `${bucket}/${start.slice(0, start.lastIndexOf('/') + 1)}`
  if (start === pattern) return { scope: scopeOf(`${bucket}/${start}`) }
  const rest = start.slice(start.lastIndexOf('/') + 1)
  return { scope: scopeOf(folder), ...(rest !== '' && { match: `${rest}**` }) }
}

function scopeOf(text: string): string {
  try {
    return parseScope(text)
  } catch {
    throw refused(`can not be kept: "${shown(text)}" is not a path that a key can be confined to`)
  }
}

/** `{"StringLike": {"s3:prefix": ["users/ann/*"]}}` */
function prefixesOf(condition: Readonly<Record<string, unknown>>): readonly string[] {
  const { StringLike, StringEquals, ...others } = condition
  refuseOthers(others)
  if ((StringLike === undefined) === (StringEquals === undefined)) {
    throw refused('can not be kept: a Condition is one of StringLike and StringEquals')
  }
  const { 's3:prefix': prefix, ...keys } = objectOf(StringLike ?? StringEquals)
  refuseOthers(keys)
  const prefixes = textsOf(prefix, 's3:prefix')
  const unusable = prefixes.find((text) => !/^[^*].*(?:\/|\*)$/s.test(text))
  if (unusable !== undefined || (StringEquals !== undefined && /[*?]/.test(prefixes.join('')))) {
    throw refused(
      'can not be kept: s3:prefix is a folder such as "users/ann/", or "users/ann/*" with StringLike',
    )
  }
  return prefixes
}

// ── to a block ──────────────────────────────────────────────────────────────

/** What several statements allow together. */
function merged(all: readonly Granted[]): Granted {
  const together = new Map<Method, readonly Place[]>()
  for (const [method, places] of all.flatMap((granted) => [...granted])) {
    together.set(method, [...(together.get(method) ?? []), ...places])
  }
  return together
}

const nameOf = ({ scope, match = '' }: Place): string => JSON.stringify([scope, match])

function blockOf(granted: Granted): Block {
  const [first, ...others] = [...granted.values()].map((places) =>
    [...new Set(places.map(nameOf))].sort(),
  )
  if (first === undefined) throw refused('allows nothing')
  if (others.some((names) => names.join() !== first.join())) {
    throw refused(
      'can not be kept: its actions are on different paths; a session policy grants all of them on the same ones (s3:ListBucket by a Condition on s3:prefix)',
    )
  }
  const places = first.map((name) => JSON.parse(name) as [scope: string, match: string])
  const match = places.find(([, glob]) => glob !== '')?.[1]
  if (places.length > 16 || (match !== undefined && places.length > 1)) {
    throw refused(
      'can not be kept: it names too many paths, or several of which one ends in part of a name',
    )
  }
  const path = places.map(([scope]) => scope)
  const [only] = path
  return {
    methods: [...granted.keys()],
    path: path.length === 1 && only !== undefined ? only : path,
    ...(match !== undefined && { match }),
  }
}

/** A stranger wrote it. */
const shown = (text: string): string => text.slice(0, 64).replace(/[^ -~]/g, '?')
