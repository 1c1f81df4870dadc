/** A request of S3 whose signature was found good, as the operations read it. */
import { OF_PRESIGNED, type SigV4Claimed } from '../../../key/dialects/sigv4-claim.ts'
import type { SigV4Verified } from '../../../key/dialects/sigv4-verify.ts'
import { parseS3Target, type S3Target } from '../../../key/object-path.ts'
import type { Headers, Query, RawRequest } from '../../request.ts'
import { invalidArgument, notImplemented } from './errors.ts'

export interface S3Request {
  readonly method: string
  readonly target: S3Target
  /** decoded, without the parameters that sign it or stand for headers */
  readonly query: Query
  /** by lower-case name; with those that a presigned URL carries in its query */
  readonly headers: Headers
  /** those of them that came in the query */
  readonly hoisted: ReadonlyMap<string, string>
}

/**
 * @param publicUrls a bucket may stand in front of the host of one of them
 * @throws Refusal path_malformed
 */
export function s3RequestOf(
  { method, path, query, headers }: RawRequest,
  { host, hoisted }: Pick<SigV4Verified, 'host' | 'hoisted'>,
  form: SigV4Claimed['form'],
  publicUrls: readonly string[],
): S3Request {
  const isPresigned = form === 'query'
  return {
    method,
    target: parseS3Target(path, bucketOfHost(host, publicUrls)),
    query: query.filter(([name]) => name !== 'x-id' && !(isPresigned && OF_PRESIGNED.test(name))),
    headers: new Map([...headers, ...asHeaders(hoisted)]),
    hoisted,
  }
}

const asHeaders = (hoisted: ReadonlyMap<string, string>) =>
  [...hoisted].map(([name, text]) => [name, headerOfText(text)] as const)

const withoutPort = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

/** `photos` of `photos.files.example.com:8080`, where `files.example.com` is configured. */
export function bucketOfHost(host: string, publicUrls: readonly string[]): string | undefined {
  const name = withoutPort(host)
  const bases = publicUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url).hostname)
  const base = bases.find((known) => name.endsWith(`.${known}`))
  return base === undefined || bases.includes(name) ? undefined : name.slice(0, -base.length - 1)
}

/** A parameter of the query that may be there once. @throws S3Refusal InvalidArgument */
export function parameterOf({ query }: Pick<S3Request, 'query'>, name: string): string | undefined {
  const values = query.filter(([key]) => key === name)
  if (values.length > 1) throw invalidArgument(`the query parameter "${name}" is there twice`)
  return values[0]?.[1]
}

/** A whole number in a range. @throws S3Refusal InvalidArgument */
export function wholeNumber(
  text: string,
  name: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw invalidArgument(`${name} is a whole number from ${least} to ${most}`)
}

// ── headers ─────────────────────────────────────────────────────────────────

/** Understood, or without meaning here. */
const KNOWN = new RegExp(
  `^x-amz-(?:${[
    'date|content-sha256|security-token|user-agent|sdk-checksum-algorithm|te|api-version',
    'checksum-(?:crc32|crc32c|crc64nvme|sha1|sha256|mode|type|algorithm)|decoded-content-length|trailer',
    'meta-.+|tagging|tagging-directive|metadata-directive|mp-object-size|request-payer',
    'copy-source(?:-range|-if-(?:match|none-match|modified-since|unmodified-since))?',
  ].join('|')})$`,
)

/** Taken where they ask for what is done anyway. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  'x-amz-acl': ['private', 'bucket-owner-full-control', 'bucket-owner-read'],
  'x-amz-storage-class': ['STANDARD'],
  'x-amz-object-ownership': ['BucketOwnerEnforced'],
  'x-amz-bucket-object-lock-enabled': ['false'],
  'x-amz-server-side-encryption-bucket-key-enabled': ['false'],
}

/** What is asked for and not understood is refused, not ignored. @throws S3Refusal NotImplemented */
export function checkHeaders(headers: Headers): void {
  for (const [name, value] of headers) {
    if (!name.startsWith('x-amz-') || KNOWN.test(name)) continue
    const taken = ONLY[name]
    if (taken?.includes(value)) continue
    throw notImplemented(
      taken === undefined
        ? `the header ${name.slice(0, 64)}`
        : `"${value.slice(0, 64)}" in the header ${name} (only ${taken.join(', ')})`,
    )
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A header's bytes, which Node hands over one character each, as UTF-8 where they are. */
export function textOfHeader(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value
  try {
    return utf8.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)))
  } catch {
    return value
  }
}

/** The other way round: text as the bytes of a header. */
export const headerOfText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
