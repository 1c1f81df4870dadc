/** Resumable uploads by tus 1.0.0, held to its sentences and to the key's limits. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { digest, isSame, pattern } from '../support/store.ts'
import { metadata, Tus } from '../support/tus.ts'

const CONTENT = pattern(3000)
const SHA256 = digest(CONTENT)

let house: House
let tus: Tus
let all: string
let count = 0
const fresh = (): string => `bucket/tus/${++count}.bin`

beforeAll(async () => {
  house = await openHouse({ gateway: { maxObjectSize: 1 << 20 } })
  all = house.mint({ methods: ['PUT', 'GET'] })
  tus = new Tus(house, all)
})
afterAll(() => house.close())

const clientOf = (claims: Parameters<House['mint']>[0]): Tus =>
  new Tus(house, house.mint({ methods: ['PUT'], ...claims }))

const stored = async (path: string): Promise<Uint8Array | undefined> => {
  const { status, body } = await ask(house.url(path, all))
  return status === 200 ? body : undefined
}

const outcome = ({ status, code }: { status: number; code: string | undefined }): string =>
  code === undefined ? String(status) : `${status} ${code}`

describe('an upload', () => {
  test('is created, sent in two parts, and is the object with the last byte', async () => {
    const path = fresh()
    const created = await tus.create({ path, type: 'text/plain', length: 3000 })
    expect(outcome(created)).toBe('201')
    const { location = '' } = created.headers
    expect(location).toMatch(/^\/-\/tus\/[0-9a-f]{32}\/bucket\/tus\/\d+\.bin$/)
    expect(created.headers).toMatchObject({ 'tus-resumable': '1.0.0', 'content-length': '0' })
    const expires = Date.parse(created.headers['upload-expires'] as string) / 1000
    expect(expires - house.now()).toBeGreaterThan(86_400 - 60)

    const first = await tus.patch(location, 0, CONTENT.subarray(0, 1000))
    expect(first.headers).toMatchObject({ 'upload-offset': '1000', 'tus-resumable': '1.0.0' })
    expect(await stored(path)).toBeUndefined()
    const told = await tus.head(location)
    expect(told.headers).toMatchObject({
      'upload-offset': '1000',
      'upload-length': '3000',
      'upload-metadata': metadata({ path, filetype: 'text/plain' }),
      'cache-control': 'no-store',
    })

    const last = await tus.patch(location, 1000, CONTENT.subarray(1000))
    expect(outcome(last)).toBe('204')
    const whole = {
      'upload-offset': '3000',
      etag: `"${SHA256}"`,
      'repr-digest': `sha-256=:${Buffer.from(SHA256, 'hex').toString('base64')}:`,
      'content-location': `/${path}`,
    }
    expect(last.headers).toMatchObject(whole)
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
    // who did not hear of the end asks, and hears of it
    expect((await tus.head(location)).headers).toMatchObject({ ...whole, 'upload-length': '3000' })
    expect((await tus.patch(location, 3000, '')).headers).toMatchObject(whole)
  })
})
