/** Resumable uploads where something goes wrong on the way: slow lines, full houses, dead processes. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ResumableDigest } from '../../gateway/body/resumable-digest.ts'
import type { GatewaySettingsText } from '../../gateway/config.ts'
import { hashPin } from '../../key/node-pin.ts'
import { parseObjectPath } from '../../key/object-path.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { digest, isSame, pattern } from '../support/store.ts'
import { metadata, Tus } from '../support/tus.ts'

const CONTENT = pattern(3000)
const PATH = 'bucket/trouble'

let house: House
let key: string
let tus: Tus
/** what the gateway takes for the time since it began, in milliseconds */
let elapsed = 0

async function open(gateway: GatewaySettingsText = {}): Promise<void> {
  elapsed = 0
  house = await openHouse({ gateway, clock: { monotonic: () => elapsed } })
  key = house.mint({ methods: ['GET', 'PUT'] })
  tus = new Tus(house, key)
}
afterEach(() => house.close())

const stored = async (): Promise<Uint8Array> => (await ask(house.url(PATH, key))).body

/** A PATCH of all bytes from an offset on, of which this much has been sent. */
async function sending(
  location: string,
  count: number,
  rest: Uint8Array = CONTENT,
  at = 0,
): Promise<RawConnection> {
  const connection = await RawConnection.open(house.gateway.port)
  const head = headOf('PATCH', location, [
    'Tus-Resumable: 1.0.0',
    `Authorization: Bearer ${key}`,
    'Content-Type: application/offset+octet-stream',
    `Upload-Offset: ${at}`,
    `Content-Length: ${rest.length}`,
    'Expect: 100-continue',
  ])
  connection.send(head)
  expect((await connection.response())?.status).toBe(100)
  connection.send(rest.subarray(0, count))
  return connection
}

/** The same, and then the client is gone. */
async function cutShort(...upload: Parameters<typeof sending>): Promise<void> {
  // of the request; that of the connection has no path
  const broken = () =>
    house.logged.filter(({ code, path }) => code === 'incomplete_body' && path !== undefined).length
  const before = broken()
  const connection = await sending(...upload)
  connection.socket.end(() => connection.destroy())
  await expect.poll(broken).toBe(before + 1)
}

describe('an upload', () => {
  test('below a base path stays below it', async () => {
    await open({ basePath: '/files' })
    const below = new Tus(house, key, `${house.gateway.url}/files/`)
    const created = await below.ask('POST', '/files/-/tus/', {
      'upload-length': '0',
      'upload-metadata': metadata({ path: PATH }),
    })
    expect(created.headers.location).toMatch(/^\/files\/-\/tus\/[0-9a-f]{32}\/bucket\/trouble$/)
    expect(created.headers['content-location']).toBe(`/files/${PATH}`)
    expect(await below.offset(created.headers.location ?? '')).toBe(0)
    expect((await tus.ask('POST', '/-/tus/')).code).toBe('path_malformed')
  })

  test('asks for the PIN that its key asks for, on every request', async () => {
    await open()
    await house.ledger.keepNotes([{ id: 'with-pin', pin: await hashPin('4711') }])
    const pinned = new Tus(house, house.mint({ jti: 'with-pin', pin: true, methods: ['PUT'] }))
    const proof = { 'valetkey-pin': '4711' }
    expect((await pinned.create({ path: PATH, length: 3000 })).code).toBe('pin_required')
    const location = await pinned.begun({ path: PATH, length: 3000, headers: proof })
    expect((await pinned.patch(location, 0, CONTENT)).code).toBe('pin_required')
    expect((await pinned.patch(location, 0, CONTENT, proof)).status).toBe(204)
  })

  test('that is too slow is cut, and goes on where it was', async () => {
    await open()
    const location = await tus.begun({ path: PATH, length: CONTENT.length })
    const connection = await sending(location, 1000)
    elapsed += 30_000
    expect(outcome(await connection.response())).toBe('408 too_slow')
    connection.destroy()
    expect(await tus.offset(location)).toBe(1000)
    expect((await tus.patch(location, 1000, CONTENT.subarray(1000))).status).toBe(204)
    expect(isSame(await stored(), CONTENT)).toBe(true)
  })

  test('has its share of the uploads that run at one time, and no more', async () => {
    await open({ maxUploads: 1 })
    const [first, second] = await Promise.all(
      [PATH, `${PATH}2`].map((path) => tus.begun({ path, length: CONTENT.length })),
    )
    const connection = await sending(first ?? '', 10)
    const refused = await tus.patch(second ?? '', 0, CONTENT)
    expect([refused.status, refused.code]).toEqual([503, 'unavailable'])
    expect(refused.headers['retry-after']).toBe('5')
    expect((await tus.create({ path: PATH, length: 1 })).code).toBe('unavailable')
    connection.send(CONTENT.subarray(10))
    expect((await connection.response())?.status).toBe(204)
    connection.destroy()
    expect((await tus.patch(second ?? '', 0, CONTENT)).status).toBe(204)
  })

  test('that was whole when its process died is made the object by whoever asks', async () => {
    await open()
    const location = await tus.begun({ path: PATH, length: CONTENT.length })
    await wroteAll(location, (await hashed(CONTENT)).state)
    expect((await stored()).length).not.toBe(CONTENT.length)
    const { headers } = await tus.head(location)
    expect(headers).toMatchObject({ 'upload-offset': '3000', etag: `"${digest(CONTENT)}"` })
    expect(isSame(await stored(), CONTENT)).toBe(true)
  })

  test('whose hash nobody can go on with is not there any more', async () => {
    await open()
    const location = await tus.begun({ path: PATH, length: CONTENT.length })
    const { state } = await hashed(CONTENT)
    const ofOtherVersion = Buffer.from(state, 'base64url')
    ofOtherVersion[0] = (ofOtherVersion[0] ?? 0) ^ 1
    await wroteAll(location, ofOtherVersion.toString('base64url'))
    expect((await tus.head(location)).status).toBe(404)
  })

  test('in parts of S3 is none of tus', async () => {
    await open()
    const now = house.now()
    const upload = { type: 'text/plain', note: 'crc32 COMPOSITE', created: now, expires: now + 60 }
    const { id } = await house.store.multipart.create(parseObjectPath(PATH), upload as never)
    expect((await tus.head(`/-/tus/${id}/${PATH}`)).status).toBe(404)
  })

  test('of whatever pieces, some of them cut short, is what they are together', async () => {
    await open()
    const pieces = fc.array(
      fc.record({ size: fc.nat(9000), cut: fc.option(fc.nat(9000), { freq: 2 }) }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(40_000), async (all, total) => {
        const content = pattern(total, all.length + 1)
        const location = await tus.begun({ path: PATH, length: total })
        let at = 0
        for (const { size, cut } of [...all, { size: total, cut: null }]) {
          const piece = content.subarray(at, at + size)
          const isCut = cut !== null && cut < piece.length
          if (isCut) await cutShort(location, cut, piece, at)
          else expect((await tus.patch(location, at, piece)).status).toBe(204)
          const expected = at + (isCut ? cut : piece.length)
          at = await tus.offset(location)
          expect(at).toBe(expected)
        }
        expect(at).toBe(total)
        expect(isSame(await stored(), content)).toBe(true)
      }),
      { numRuns: 15 },
    )
  })
})

async function hashed(content: Uint8Array): Promise<ResumableDigest> {
  const digest = await ResumableDigest.start()
  digest.update(content)
  return digest
}

/** What a process leaves behind that died between the last part and the object. */
async function wroteAll(location: string, state: string): Promise<void> {
  const [, , , id = ''] = location.split('/')
  const ref = { path: parseObjectPath(PATH), id }
  const part = await house.store.multipart.part(ref, 1)
  await part?.write([CONTENT.slice()])
  const note = JSON.stringify({ offset: CONTENT.length, length: CONTENT.length, state })
  await part?.commit({ etag: '"1"', modified: house.now(), note })
}
