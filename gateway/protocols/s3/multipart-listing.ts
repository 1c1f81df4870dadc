/** Which uploads in parts there are, and which parts of one. */
import { isListed } from '../../../key/clear.ts'
import type { MultipartListing, PartInfo } from '../../store/multipart.ts'
import { admit, answerXml, type Call } from './call.ts'
import { nameOf, owner } from './listing.ts'
import { admitToUpload, noUpload } from './multipart.ts'
import { folderOf, type OperationNamed } from './operation.ts'
import { isNoteOfS3, planOfNote } from './part-checksums.ts'
import { timeOf } from './time.ts'
import type { Xml } from './xml.ts'

export async function listParts(
  { upload: ref, object, after, limit }: OperationNamed<'ListParts'>,
  call: Call,
): Promise<void> {
  const { upload } = await admitToUpload(ref, call)
  const { multipart } = call.services.store
  const page = limit === 0 ? { parts: [] } : await multipart.parts(upload, { after, limit })
  if (page === undefined) throw noUpload()
  const last = page.parts.at(-1)?.number ?? after
  const plan = planOfNote(upload.note)
  answerXml(call, [
    'ListPartsResult',
    [
      ['Bucket', object.bucket],
      ['Key', object.key],
      ['UploadId', upload.id],
      owner('Initiator'),
      owner('Owner'),
      ['StorageClass', 'STANDARD'],
      ['PartNumberMarker', after],
      ['NextPartNumberMarker', last],
      ['MaxParts', limit],
      ['IsTruncated', 'next' in page && page.next !== undefined],
      ...(plan === undefined
        ? []
        : ([
            ['ChecksumAlgorithm', plan.algorithm.toUpperCase()],
            ['ChecksumType', plan.type],
          ] as const)),
      ...page.parts.map((part): Xml => ['Part', elementsOf(part)]),
    ],
  ])
}

const elementsOf = ({ number, modified, etag, size, checksums }: PartInfo): readonly Xml[] => [
  ['PartNumber', number],
  ['LastModified', timeOf(modified)],
  ['ETag', etag],
  ['Size', size],
  ...Object.entries(checksums?.values ?? {}).map(
    ([name, value]): Xml => [`Checksum${name}`, value],
  ),
]

export async function listUploads(
  operation: OperationNamed<'ListMultipartUploads'>,
  call: Call,
): Promise<void> {
  const { bucket, listing } = operation
  const { prefix, delimiter, limit, keyMarker, idMarker } = listing
  await admit(call, { method: 'LIST', path: folderOf(bucket, prefix) })
  const found: MultipartListing =
    limit === 0
      ? { uploads: [], prefixes: [] }
      : await call.services.store.multipart.list({
          prefix: bucket.path + prefix,
          limit,
          ...(delimiter !== undefined && { delimiter }),
          ...(keyMarker !== undefined && {
            after: {
              path: bucket.path + keyMarker,
              ...(idMarker !== undefined && { id: idMarker }),
            },
          }),
        })
  answerXml(call, ['ListMultipartUploadsResult', uploadsFound(operation, found, call)])
}

function uploadsFound(
  { bucket, listing }: OperationNamed<'ListMultipartUploads'>,
  found: MultipartListing,
  { grant }: Call,
): readonly (Xml | undefined)[] {
  const named = nameOf(listing.encoded)
  const key = (path: string): string => named(path.slice(bucket.path.length))
  const { next } = found
  // a glob of the key hides names, and a folder is one
  const hides = grant.blocks.some(({ match }) => match !== undefined)
  const prefixes = hides ? [] : found.prefixes
  return [
    ['Bucket', bucket.bucket],
    ['KeyMarker', named(listing.keyMarker ?? '')],
    ['UploadIdMarker', listing.idMarker ?? ''],
    next === undefined ? undefined : ['NextKeyMarker', key(next.path)],
    next?.id === undefined ? undefined : ['NextUploadIdMarker', next.id],
    ['Prefix', named(listing.prefix)],
    listing.delimiter === undefined ? undefined : ['Delimiter', named(listing.delimiter)],
    ['MaxUploads', listing.limit],
    listing.encoded ? ['EncodingType', 'url'] : undefined,
    ['IsTruncated', next !== undefined],
    ...found.uploads
      .filter(({ path, note }) => isNoteOfS3(note) && isListed(grant, path))
      .map(
        ({ path, id, created }): Xml => [
          'Upload',
          [
            ['Key', key(path)],
            ['UploadId', id],
            owner('Initiator'),
            owner('Owner'),
            ['StorageClass', 'STANDARD'],
            ['Initiated', timeOf(created)],
          ],
        ],
      ),
    ...prefixes.map((common): Xml => ['CommonPrefixes', [['Prefix', key(common)]]]),
  ]
}
