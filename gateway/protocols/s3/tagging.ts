/** The tags of an object. */
import { bytes } from '../../../key/units.ts'
import { changeMeta } from '../../verbs/change-meta.ts'
import { sourceOf } from '../../verbs/copy.ts'
import { smallBody } from './body.ts'
import { admit, answer, answerXml, type Call } from './call.ts'
import { S3Refusal } from './errors.ts'
import { checkedTags } from './metadata.ts'
import type { OperationNamed } from './operation.ts'
import { childrenOf, parseXml, requiredText, type Xml } from './xml.ts'

const MAX_BODY = bytes(64 << 10)

export async function getTagging(
  { object }: OperationNamed<'GetObjectTagging'>,
  call: Call,
): Promise<void> {
  const admitted = await admit(call, { method: 'GET', path: object.path })
  const { meta } = await sourceOf(admitted, call.services)
  const tags = Object.entries(meta?.tags ?? {})
  answerXml(call, [
    'Tagging',
    [
      [
        'TagSet',
        tags.map(
          ([key, value]): Xml => [
            'Tag',
            [
              ['Key', key],
              ['Value', value],
            ],
          ],
        ),
      ],
    ],
  ])
}

export async function putTagging(
  { object }: OperationNamed<'PutObjectTagging'>,
  call: Call,
): Promise<void> {
  const admitted = await admit(call, { method: 'PUT', path: object.path })
  const root = parseXml(await smallBody(call, object.path, MAX_BODY), 'Tagging')
  const [set, second] = childrenOf(root, 'TagSet')
  if (set === undefined || second !== undefined) {
    throw new S3Refusal('MalformedXML', 'Tagging has one TagSet')
  }
  const pairs = childrenOf(set, 'Tag').map(
    (tag) => [requiredText(tag, 'Key'), requiredText(tag, 'Value')] as const,
  )
  await changeMeta(admitted, call.services, { tags: checkedTags(pairs) ?? null })
  answer(call, 200)
}

export async function deleteTagging(
  { object }: OperationNamed<'DeleteObjectTagging'>,
  call: Call,
): Promise<void> {
  const admitted = await admit(call, { method: 'PUT', path: object.path })
  await changeMeta(admitted, call.services, { tags: null })
  answer(call, 204)
}
