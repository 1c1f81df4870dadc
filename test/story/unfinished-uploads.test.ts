/** What is begun and never ended: no key leaves more of it behind than it could make objects of. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Block } from '../../key/claims.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask } from '../support/http.ts'
import { s3Client, s3Key } from '../support/s3.ts'
import { Tus } from '../support/tus.ts'

const MOST_OPEN = 5
const MiB = 1 << 20

let house: House
const clients: S3Client[] = []
let count = 0
const fresh = (): string => `bucket/unfinished/${++count}`

beforeAll(async () => {
  house = await openHouse({ gateway: { maxOpenUploads: MOST_OPEN } })
})
afterAll(async () => {
  for (const client of clients) client.destroy()
  await house.close()
})

async function clientWith(ceiling: Block): Promise<S3Client> {
  const client = s3Client(house, await s3Key(house, ceiling))
  clients.push(client)
  return client
}

const clientOf = (claims: Parameters<House['mint']>[0]): Tus =>
  new Tus(house, house.mint({ methods: ['PUT'], ...claims }))

const told = ({ status, code }: Answer): string =>
  code === undefined ? `${status}` : `${status} ${code}`

const manyBegun = async (client: Tus, uploads: number): Promise<string[]> =>
  (await Promise.all(Array.from({ length: uploads }, () => client.create({ path: fresh() })))).map(
    told,
  )

const of = (answers: readonly string[], what: string): number =>
  answers.filter((answer) => answer === what).length

describe('uploads that are open under a key', () => {
  test('are as many as it has uses left, however many begin at once', async () => {
    const client = clientOf({ uses: 3, jti: 'open-uses' })
    const path = fresh()
    const whole = await client.create({ path, length: 1, body: 'x' })
    expect(told(whole)).toBe('201')
    const answers = await manyBegun(client, 9)
    expect([of(answers, '201'), of(answers, '403 uses_exhausted')]).toEqual([2, 7])
  })

  test('are as many as it has files left to create; one that replaces creates none', async () => {
    const key = house.mint({ methods: ['PUT'], files: 2, jti: 'open-files' })
    const [there, client] = [fresh(), new Tus(house, key)]
    expect((await ask(house.url(there, key), { method: 'PUT', body: 'x' })).status).toBe(201)
    const answers = await manyBegun(client, 3)
    expect([of(answers, '201'), of(answers, '403 files_exhausted')]).toEqual([1, 2])
    expect(told(await client.create({ path: there }))).toBe('201')
  })

  test('make room when they end, and the refusal says so', async () => {
    const client = clientOf({ uses: 1, jti: 'open-one' })
    const location = await client.begun({ path: fresh() })
    const refused = await client.create({ path: fresh() })
    expect(refused.json().detail).toMatch(
      /^one upload is open, .* go on with what was begun, end it, or wait .* at \d{4}-/,
    )
    await client.ask('DELETE', location)
    expect(told(await client.create({ path: fresh() }))).toBe('201')
  })

  test('are not refused for what another holds only for a moment', async () => {
    const client = clientOf({ files: 2, jti: 'open-held' })
    await client.begun({ path: fresh() })
    const held = { id: 'files:open-held', most: 2 }
    await house.ledger.take({ of: [held], least: 1, want: 1, now: house.now() })
    const { multipart } = house.store
    const create = multipart.create.bind(multipart)
    const spy = vi.spyOn(multipart, 'create').mockImplementationOnce(async (...asked) => {
      try {
        return await create(...asked)
      } finally {
        await house.ledger.giveBack([held.id], 1)
      }
    })
    expect(told(await client.create({ path: fresh() }))).toBe('201')
    expect(spy).toHaveBeenCalledTimes(2)
    spy.mockRestore()
  })

  test('are those of the keys that were narrowed from it as well', async () => {
    const key = house.mint({ methods: ['PUT'] })
    const narrowed = Array.from({ length: MOST_OPEN }, (_, n) => house.narrow(key, { sub: `${n}` }))
    for (const one of narrowed) {
      expect(told(await new Tus(house, one).create({ path: fresh() }))).toBe('201')
    }
    const refused = await new Tus(house, key).create({ path: fresh() })
    expect(told(refused)).toBe('429 rate_limited')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(86_000)
    expect(told(await clientOf({}).create({ path: fresh() }))).toBe('201')
  })

  test('are counted for all protocols together', async () => {
    const key = house.mint({ methods: ['PUT'], uses: 1, jti: 'open-both' })
    const headers = { authorization: `Bearer ${key}`, 'upload-complete': '?0' }
    const begin = () =>
      ask(`${house.gateway.url}/-/uploads/${fresh()}`, { method: 'POST', headers })
    expect(told(await begin())).toBe('201')
    expect(told(await begin())).toBe('403 uses_exhausted')
    expect(told(await new Tus(house, key).create({ path: fresh() }))).toBe('403 uses_exhausted')
  })
})

describe('uploads of S3 that are open', () => {
  const Bucket = 'bucket'
  const begin = (client: S3Client) =>
    client.send(new CreateMultipartUploadCommand({ Bucket, Key: `s3/${++count}` }))

  test('are as many as the access key has uses and files left', async () => {
    for (const limit of [
      { jti: 's3-open-uses', uses: 1 },
      { jti: 's3-open-files', files: 1 },
    ]) {
      const client = await clientWith(limit)
      const { Key = '', UploadId } = await begin(client)
      await expect(begin(client)).rejects.toMatchObject({ name: 'AccessDenied' })
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
      await begin(client)
    }
  })

  test('are those of all URLs that the access key has presigned', async () => {
    const client = await clientWith({})
    const post = async (n: number) => {
      const command = new CreateMultipartUploadCommand({ Bucket, Key: `s3/presigned-${n}` })
      return (await ask(await getSignedUrl(client, command as never), { method: 'POST' })).status
    }
    for (let n = 0; n < MOST_OPEN; n += 1) expect(await post(n)).toBe(200)
    expect(await post(MOST_OPEN)).toBe(503)
  })

  test('have no more bytes in their parts than the key allows an upload', async () => {
    const client = await clientWith({ size: [0, 6 * MiB] })
    const { Key = '', UploadId } = await begin(client)
    const target = { Bucket, Key, UploadId }
    const part = (PartNumber: number, size: number) =>
      client.send(new UploadPartCommand({ ...target, PartNumber, Body: Buffer.alloc(size) }))
    const tooLarge = { name: 'EntityTooLarge' }
    const whole = `s3/source-${count}`
    const put = house.mint({ methods: ['PUT'] })
    await ask(house.url(`${Bucket}/${whole}`, put), { method: 'PUT', body: Buffer.alloc(MiB) })
    await part(1, 5 * MiB)
    await part(2, MiB)
    await expect(part(3, 1)).rejects.toMatchObject(tooLarge)
    await expect(part(2, MiB + 1)).rejects.toMatchObject(tooLarge)
    const CopySource = `${Bucket}/${whole}`
    await expect(
      client.send(new UploadPartCopyCommand({ ...target, PartNumber: 3, CopySource })),
    ).rejects.toMatchObject(tooLarge)
    const again = await part(1, 4 * MiB)
    await part(3, MiB)
    const parts = await house.store.multipart.parts(
      { path: `${Bucket}/${Key}` as never, id: UploadId ?? '' },
      { limit: 9 },
    )
    expect(parts?.parts.map(({ size }) => size / MiB)).toEqual([4, 1, 1])
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: again.ETag }] }
    await client.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload }))
    expect((await house.store.head(`${Bucket}/${Key}` as never))?.size).toBe(4 * MiB)
  })
})
