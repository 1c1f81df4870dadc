/** Which records somebody asks for. */
import { isInside } from '../key/address.ts'
import type { AuditRecord } from './audit.ts'

export interface AuditFilter {
  /** a key's id, at whatever block of a key */
  readonly id?: string
  /** the id of a signing key: what was asked with keys that it signed, and what became of it */
  readonly kid?: string
  /** whom a key was handed out to, or narrowed for */
  readonly subject?: string
  /** an object's path, or with a trailing slash, all beneath it */
  readonly path?: string
  /** milliseconds since 1970, inclusive */
  readonly since?: number
  /** milliseconds since 1970, exclusive */
  readonly until?: number
  /** of a refusal */
  readonly code?: string
  /** only what was refused, or failed */
  readonly refused?: boolean
  /** an address, or a network such as `10.0.0.0/8` */
  readonly address?: string
}

/** A question that is asked of every record: what it does not ask for costs nothing. */
export function matcherOf(filter: AuditFilter): (record: AuditRecord) => boolean {
  const { id, kid, subject, path, since, until, code, refused, address } = filter
  const questions: ((record: AuditRecord) => boolean)[] = []
  if (id !== undefined) questions.push(({ keys }) => keys?.includes(id) === true)
  if (kid !== undefined) questions.push((record) => record.kid === kid)
  if (subject !== undefined) {
    const isFor = (named: readonly string[] = []) => named.includes(subject)
    questions.push(({ subjects, narrowedFor }) => isFor(subjects) || isFor(narrowedFor))
  }
  if (path !== undefined) questions.push(pathMatcher(path))
  if (code !== undefined) questions.push((record) => record.code === code)
  if (refused === true) questions.push((record) => record.code !== undefined)
  if (address !== undefined) {
    const isThere = address.includes('/')
      ? (one: string) => isInside(one, address)
      : (one: string) => one === address
    questions.push((record) => record.address !== undefined && isThere(record.address))
  }
  if (since !== undefined) questions.push(({ time }) => Date.parse(time) >= since)
  if (until !== undefined) questions.push(({ time }) => Date.parse(time) < until)
  return (record) => questions.every((isMet) => isMet(record))
}

/** What an attacker sent may be no path at all: then it matches as it was sent. */
function pathMatcher(wanted: string): (record: AuditRecord) => boolean {
  const plain = wanted.startsWith('/') ? wanted.slice(1) : wanted
  const isPrefix = plain === '' || plain.endsWith('/')
  return ({ path }) => {
    if (path === undefined) return false
    const stated = decoded(path).replace(/^\//, '')
    return isPrefix ? stated.startsWith(plain) : stated === plain
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
