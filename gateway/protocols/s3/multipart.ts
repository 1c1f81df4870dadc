/** Uploads in parts: create, upload and copy parts, complete, abort, and what there is of both. */
import { createHash } from 'node:crypto'
import { type ObjectPath, targetOf } from '../../../key/object-path.ts'
import { bytes } from '../../../key/units.ts'
import type { Admitted } from '../../admit.ts'
import { writeCondition } from '../../body/conditional.ts'
import type {
  MultipartFailure,
  MultipartInfo,
  MultipartRef,
  PartInfo,
} from '../../store/multipart.ts'
import type { Checksums, ObjectInfo, ObjectMeta } from '../../store/store.ts'
import { sourceOf } from '../../verbs/copy.ts'
import {
  beginMultipart,
  completeMultipart,
  copyPart,
  noSuchUpload,
  putPart,
} from '../../verbs/multipart.ts'
import { bodyOf, declaredSize, smallBody } from './body.ts'
import { admit, answer, answerXml, type Call } from './call.ts'
import { copyRangeOf, copySourceOf } from './copy-source.ts'
import { S3Refusal } from './errors.ts'
import { checksumHeaders, metaStated, tagsStated, typeStated } from './metadata.ts'
import { checkSourceConditions } from './objects.ts'
import { MAX_PARTS, type OperationNamed } from './operation.ts'
import {
  checksumOfParts,
  checksumPlanOf,
  isNoteOfS3,
  noteOf,
  planOfNote,
} from './part-checksums.ts'
import { wholeNumber } from './request.ts'
import { timeOf } from './time.ts'
import { childrenOf, parseXml, requiredText, type Xml, type XmlElement } from './xml.ts'

export async function createMultipart(
  { object }: OperationNamed<'CreateMultipartUpload'>,
  call: Call,
): Promise<void> {
  const { headers } = call.request
  const upload = { type: typeStated(headers) }
  const tags = tagsStated(headers)
  const meta: ObjectMeta = { ...metaStated(headers), ...(tags !== undefined && { tags }) }
  const plan = checksumPlanOf(headers)
  const admitted = await admit(call, { method: 'PUT', path: object.path, upload })
  const { id } = await beginMultipart(admitted, call.services, {
    note: noteOf(plan),
    ...(Object.keys(meta).length > 0 && { meta }),
  })
  const planned =
    plan === undefined
      ? []
      : ['x-amz-checksum-algorithm', plan.algorithm.toUpperCase(), 'x-amz-checksum-type', plan.type]
  const result: Xml[] = [
    ['Bucket', object.bucket],
    ['Key', object.key],
    ['UploadId', id],
  ]
  answerXml(call, ['InitiateMultipartUploadResult', result], planned)
}

/**
 * Somebody who may not upload there does not learn whether there is such an upload. One of another
 * protocol is none here: it belongs to the key that began it, and its parts are not what S3 names.
 */
async function findAdmitted(
  ref: MultipartRef,
  call: Call,
): Promise<{ readonly admitted: Admitted; readonly upload: MultipartInfo | undefined }> {
  const found = await call.services.store.multipart.find(ref)
  const upload = found !== undefined && isNoteOfS3(found.note) ? found : undefined
  const type = upload?.type
  const admitted = await admit(call, {
    method: 'PUT',
    path: ref.path,
    ...(type !== undefined && { upload: { type } }),
  })
  return { admitted, upload }
}

/** @throws S3Refusal NoSuchUpload */
export async function admitToUpload(
  ref: MultipartRef,
  call: Call,
): Promise<{ readonly admitted: Admitted; readonly upload: MultipartInfo }> {
  const { admitted, upload } = await findAdmitted(ref, call)
  if (upload === undefined) throw noUpload()
  return { admitted, upload }
}

export const noUpload = (): S3Refusal => new S3Refusal('NoSuchUpload', noSuchUpload().detail)

export async function uploadPart(
  operation: OperationNamed<'UploadPart'>,
  call: Call,
): Promise<void> {
  const { admitted, upload } = await admitToUpload(operation.upload, call)
  const plan = planOfNote(upload.note)
  const { body, digest } = await bodyOf(call, plan === undefined ? [] : [plan.algorithm])
  const outcome = await putPart(admitted, call.services, call.exchange, {
    upload,
    number: operation.number,
    size: declaredSize(call),
    body,
    digest,
    describe: () => ({
      etag: digest.etag,
      ...(digest.checksums !== undefined && { checksums: digest.checksums }),
    }),
  })
  const { part } = done(outcome)
  answer(call, 200, ['ETag', part.etag, ...checksumHeaders(part.checksums)])
}

export async function uploadPartCopy(
  operation: OperationNamed<'UploadPartCopy'>,
  call: Call,
): Promise<void> {
  const { headers } = call.request
  const from = copySourceOf(headers)
  const range = copyRangeOf(headers)
  const source = await sourceOf(
    await admit(call, { method: 'GET', path: from.path }),
    call.services,
  )
  checkSourceConditions(source, headers)
  const { admitted, upload } = await admitToUpload(operation.upload, call)
  const outcome = await copyPart(
    admitted,
    call.services,
    { upload, number: operation.number },
    {
      path: source.path,
      condition: { same: source },
      ...(range !== undefined && { range }),
    },
    { etag: etagOfCopy(source, range) },
  )
  const { part } = done(outcome)
  answerXml(call, [
    'CopyPartResult',
    [
      ['LastModified', timeOf(part.modified)],
      ['ETag', part.etag],
    ],
  ])
}

/** The bytes are not read, so it is no MD5 of them, but one of what they are. */
const etagOfCopy = (
  { etag, size, sha256 = '' }: ObjectInfo,
  range = { start: 0, length: size as number },
): string =>
  `"${createHash('md5').update(`${etag} ${sha256} ${range.start} ${range.length}`).digest('hex')}"`

const FAILURES = {
  no_such_upload: ['NoSuchUpload', 'there is no upload of this id, or none any more'],
  invalid_part: ['InvalidPart', 'a part that is named was not uploaded, or has another ETag'],
  invalid_part_order: ['InvalidPartOrder', 'the parts are not named in ascending order'],
  part_exists: ['OperationAborted', 'there is a part of this number'],
  too_large: ['EntityTooLarge', 'the parts have more bytes together than the upload may have'],
  part_too_small: ['EntityTooSmall', 'every part but the last has at least 5 MiB'],
  range_unsatisfiable: ['InvalidRange', 'the source does not have all bytes of the range'],
} as const satisfies Record<
  MultipartFailure['failed'],
  readonly [ConstructorParameters<typeof S3Refusal>[0], string]
>

function done<T extends { readonly done: true }>(outcome: T | MultipartFailure): T {
  if (outcome.done) return outcome
  const [code, detail] = FAILURES[outcome.failed]
  throw new S3Refusal(code, outcome.number ? `${detail}: part ${outcome.number}` : detail)
}

// ── ending ──────────────────────────────────────────────────────────────────

/** 10,000 parts with their ETags and checksums. */
const MAX_COMPLETION = bytes(4 << 20)

interface StatedPart {
  readonly number: number
  readonly etag: string
  /** the client's own, by algorithm in upper case */
  readonly checksums: Readonly<Record<string, string>>
}

export async function complete(
  operation: OperationNamed<'CompleteMultipartUpload'>,
  call: Call,
): Promise<void> {
  const { upload: ref, object } = operation
  const { admitted, upload } = await findAdmitted(ref, call)
  const body = await smallBody(withoutChecksums(call), object.path, MAX_COMPLETION)
  const parts = statedParts(parseXml(body, 'CompleteMultipartUpload'))
  const etag = etagOfParts(parts)
  const info =
    upload === undefined
      ? await completedBefore(object.path, etag, call)
      : await completed(upload, parts, etag, admitted, call)
  const result: readonly (Xml | undefined)[] = [
    ['Location', `${call.services.publicUrls[0] ?? ''}${targetOf(object.path)}`],
    ['Bucket', object.bucket],
    ['Key', object.key],
    ['ETag', info.etag],
    ...checksumElements(info.meta?.checksums),
  ]
  answerXml(call, ['CompleteMultipartUploadResult', result])
}

/** Here the checksums in the headers are of the object, not of the list of its parts. */
function withoutChecksums(call: Call): Call {
  const others = (fields: ReadonlyMap<string, string>) =>
    new Map([...fields].filter(([name]) => !name.startsWith('x-amz-checksum-')))
  const { headers, hoisted } = call.request
  return {
    ...call,
    request: { ...call.request, headers: others(headers), hoisted: others(hoisted) },
  }
}

async function completed(
  upload: MultipartInfo,
  parts: readonly StatedPart[],
  etag: string,
  admitted: Admitted,
  call: Call,
): Promise<ObjectInfo> {
  const outcome = await completeMultipart(admitted, call.services, {
    upload,
    parts,
    condition: writeCondition(call.request.headers),
    describe: async (known) => {
      checkParts(parts, known)
      const checksums = await checksumOfParts(planOfNote(upload.note), known)
      checkStatedWhole(call, known, checksums)
      const meta = { ...upload.meta, ...(checksums !== undefined && { checksums }) }
      return { etag, ...(Object.keys(meta).length > 0 && { meta }) }
    },
  })
  const isGone = !outcome.done && outcome.failed === 'no_such_upload'
  return isGone ? completedBefore(upload.path, etag, call) : done(outcome).info
}

/** A client that did not see the answer asks again, maybe at once, and is given the same one. */
async function completedBefore(path: ObjectPath, etag: string, call: Call): Promise<ObjectInfo> {
  const info = await call.services.store.head(path)
  if (info?.etag === etag) return info
  throw noUpload()
}

/** @throws S3Refusal MalformedXML */
function statedParts(root: XmlElement): readonly StatedPart[] {
  const parts = childrenOf(root, 'Part').map((part): StatedPart => {
    const number = wholeNumber(requiredText(part, 'PartNumber'), 'PartNumber', 1, MAX_PARTS)
    const etag = `"${requiredText(part, 'ETag').replaceAll('"', '')}"`
    return { number, etag, checksums: checksumsStated(part) }
  })
  if (parts.length > 0 && parts.length <= MAX_PARTS) return parts
  throw new S3Refusal('MalformedXML', `an upload has 1 to ${MAX_PARTS} parts`)
}

/** `ChecksumCRC32` and so on. */
const checksumsStated = ({ children }: XmlElement): Readonly<Record<string, string>> =>
  Object.fromEntries(
    children.flatMap(({ name, text }) =>
      /^Checksum[A-Z]/.test(name) ? [[name.slice('Checksum'.length), text]] : [],
    ),
  )

const checksumElements = (checksums: Checksums | undefined): readonly Xml[] =>
  checksums === undefined
    ? []
    : [
        ...Object.entries(checksums.values).map(([name, value]): Xml => [`Checksum${name}`, value]),
        ['ChecksumType', checksums.type],
      ]

function checkParts(stated: readonly StatedPart[], known: readonly PartInfo[]): void {
  for (const [index, { number, checksums }] of stated.entries()) {
    const values: Readonly<Record<string, string | undefined>> =
      known[index]?.checksums?.values ?? {}
    const wrong = Object.entries(checksums).some(
      ([name, value]) => values[name] !== undefined && values[name] !== value,
    )
    if (wrong) throw new S3Refusal('InvalidPart', `part ${number} has another checksum`)
  }
}

/** What a client states of the object as a whole, as far as it is known. */
function checkStatedWhole(
  { request: { headers } }: Call,
  known: readonly PartInfo[],
  checksums: Checksums | undefined,
): void {
  const size = headers.get('x-amz-mp-object-size')
  const total = known.reduce((sum, part) => sum + part.size, 0)
  if (size !== undefined && wholeNumber(size, 'x-amz-mp-object-size', 0) !== total) {
    throw new S3Refusal('InvalidRequest', `the parts have ${total} bytes together`)
  }
  for (const [name, value] of Object.entries(checksums?.values ?? {})) {
    const stated = headers.get(`x-amz-checksum-${name.toLowerCase()}`)
    const bare = stated?.replace(/-\d+$/, '')
    if (bare === undefined || bare === value.replace(/-\d+$/, '')) continue
    throw new S3Refusal('BadDigest', `the object does not have the ${name} checksum that is stated`)
  }
}

/** The MD5 of the parts' MD5s, and how many there are. */
function etagOfParts(parts: readonly Pick<StatedPart, 'etag'>[]): string {
  const hash = createHash('md5')
  for (const { etag } of parts) hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'))
  return `"${hash.digest('hex')}-${parts.length}"`
}

export async function abort(
  operation: OperationNamed<'AbortMultipartUpload'>,
  call: Call,
): Promise<void> {
  const { upload } = await admitToUpload(operation.upload, call)
  if (!(await call.services.store.multipart.abort(upload))) throw noUpload()
  answer(call, 204)
}
