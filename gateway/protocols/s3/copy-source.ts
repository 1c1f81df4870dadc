/** Where a copy is made from: `x-amz-copy-source`, `/BUCKET/KEY` percent-encoded, a space maybe as `+`. */
import { s3TargetOf } from '../../../key/object-path.ts'
import type { Headers } from '../../request.ts'
import { invalidArgument, notImplemented } from './errors.ts'
import type { S3Object } from './operation.ts'
import { textOfHeader, wholeNumber } from './request.ts'

/** @throws S3Refusal InvalidArgument, NotImplemented; Refusal path_malformed */
export function copySourceOf(headers: Headers): S3Object {
  const stated = textOfHeader(headers.get('x-amz-copy-source') ?? '')
  const [path = '', version] = stated.split('?', 2)
  if (version !== undefined && version !== 'versionId=null') {
    throw notImplemented('copying a version of an object')
  }
  const text = decoded(path).replace(/^\//, '')
  const slash = text.indexOf('/')
  const target = s3TargetOf(text.slice(0, Math.max(0, slash)), text.slice(slash + 1))
  if (target.kind === 'object') return target
  throw invalidArgument('x-amz-copy-source is /BUCKET/KEY, percent-encoded')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw invalidArgument('x-amz-copy-source is percent-encoded UTF-8')
  }
}

/** `bytes=0-9`, both ends stated; undefined where the whole is copied. @throws S3Refusal */
export function copyRangeOf(
  headers: Headers,
): { readonly start: number; readonly length: number } | undefined {
  const stated = headers.get('x-amz-copy-source-range')
  if (stated === undefined) return undefined
  const [, first = '', last = ''] = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(stated) ?? []
  const start = wholeNumber(first, 'the first byte of x-amz-copy-source-range', 0)
  const end = wholeNumber(last, 'the last byte of x-amz-copy-source-range', start)
  return { start, length: end - start + 1 }
}
