/** DeleteObjects: up to 1,000 keys at once, each of which is let in, or not, by itself. */
import { s3TargetOf } from '../../../key/object-path.ts'
import { bytes } from '../../../key/units.ts'
import { remove } from '../../verbs/delete.ts'
import { asRefusal } from '../problem.ts'
import { smallBody } from './body.ts'
import { admit, admitToBucket, answerXml, type Call } from './call.ts'
import { S3Refusal, s3CodeOf } from './errors.ts'
import type { OperationNamed, S3Bucket } from './operation.ts'
import { childrenOf, childText, parseXml, requiredText, type Xml, type XmlElement } from './xml.ts'

const MAX_KEYS = 1000
/** A thousand keys of 1,024 bytes each, with some of them escaped. */
const MAX_BODY = bytes(2 << 20)

interface Unwanted {
  readonly key: string
  readonly etag?: string
}

export async function deleteObjects(
  { bucket }: OperationNamed<'DeleteObjects'>,
  call: Call,
): Promise<void> {
  await admitToBucket(call, bucket.bucket, ['DELETE'])
  const root = parseXml(await smallBody(call, bucket.path, MAX_BODY), 'Delete')
  const unwanted = childrenOf(root, 'Object').map(unwantedOf)
  if (unwanted.length === 0 || unwanted.length > MAX_KEYS) {
    throw new S3Refusal('MalformedXML', `a request deletes 1 to ${MAX_KEYS} objects`)
  }
  const isQuiet = childText(root, 'Quiet') === 'true'
  const results: Xml[] = []
  for (const one of unwanted) {
    const result = await deleted(one, bucket, call)
    if (result[0] === 'Error' || !isQuiet) results.push(result)
  }
  answerXml(call, ['DeleteResult', results])
}

function unwantedOf(element: XmlElement): Unwanted {
  const version = childText(element, 'VersionId')
  if (version !== undefined && version !== 'null') {
    throw new S3Refusal('NotImplemented', 'deleting a version of an object is not implemented')
  }
  const etag = childText(element, 'ETag')
  return { key: requiredText(element, 'Key'), ...(etag !== undefined && { etag }) }
}

async function deleted({ key, etag }: Unwanted, { bucket }: S3Bucket, call: Call): Promise<Xml> {
  try {
    const target = s3TargetOf(bucket, key)
    if (target.kind !== 'object') throw new S3Refusal('MalformedXML', 'a Key is not empty')
    const admitted = await admit(call, { method: 'DELETE', path: target.path })
    const condition = new Map(etag === undefined ? [] : [['if-match', etag] as const])
    await remove(admitted, call.services, condition)
    return ['Deleted', [['Key', key]]]
  } catch (error) {
    const refusal = asRefusal(error)
    // those before it are gone all the same, and are answered for
    if (refusal.status >= 500) call.exchange.fault ??= refusal.cause
    return [
      'Error',
      [
        ['Key', key],
        ['Code', s3CodeOf(refusal)],
        ['Message', refusal.detail],
      ],
    ]
  }
}
