/** What is uploaded is looked at before anybody sees it, whichever door it comes through. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { oldestFirst } from '../../audit/read.ts'
import type { ScanSettingsText } from '../../gateway/scan/config.ts'
import { EICAR, type FakeClamd, fakeClamd } from '../support/clamd.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'
import { s3Client, s3Key } from '../support/s3.ts'
import { isSame, pattern } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { Tus } from '../support/tus.ts'

const BAD = Buffer.concat([pattern(3_000_000), EICAR, pattern(10)])
const GOOD = Buffer.from(pattern(3_000_000))

let temp: ReturnType<typeof tempFolder>
let clamd: FakeClamd
beforeAll(async () => {
  temp = tempFolder()
  clamd = await fakeClamd(join(temp.path, 'clamd.sock'))
})
afterAll(async () => {
  await clamd.close()
  temp.remove()
})
beforeEach(() => {
  clamd.mood = 'well'
  clamd.seen.length = 0
  clamd.onSeen = async () => {}
})

const said = ({ status, code }: Answer): string => (code ? `${status} ${code}` : String(status))
const keyOf = (house: House): string => house.mint({ methods: ['GET', 'PUT', 'LIST', 'DELETE'] })
const stored = (house: House, path: string): Promise<Answer> => ask(house.url(path, keyOf(house)))
const put = (house: House, path: string, body: NonNullable<Question['body']>): Promise<Answer> =>
  ask(house.url(path, keyOf(house)), { method: 'PUT', body })

/** Resolves when somebody has asked for it, and is about to be answered. */
function asked<T extends object>(object: T, name: keyof T & string): Promise<void> {
  return new Promise((resolve) => {
    const original = object[name] as (...args: unknown[]) => unknown
    const spy = vi.spyOn(object as Record<string, (...args: unknown[]) => unknown>, name)
    spy.mockImplementation((...args) => {
      spy.mockRestore()
      const answer = original.apply(object, args)
      void Promise.resolve(answer).then(() => resolve())
      return answer
    })
  })
}

async function inHouse(scan: ScanSettingsText, story: (house: House) => Promise<void>) {
  const house = await openHouse({ scan })
  try {
    await story(house)
  } finally {
    await house.close()
  }
}

describe('with clamd', () => {
  let house: House
  beforeAll(async () => {
    house = await openHouse({ scan: { clamd: clamd.address, maxSize: '4MiB' } })
  })
  afterAll(() => house.close())

  test.each([
    ['small', EICAR],
    ['large', BAD],
  ])('an upload (%s) that it knows is refused, and nothing of it is kept', async (name, bad) => {
    const path = `bucket/bad-${name}`
    const answer = await put(house, path, bad)
    expect(said(answer)).toBe('422 content_refused')
    expect(answer.json().detail).toContain('Eicar-Test-Signature')
    expect(said(await stored(house, path))).toBe('404 object_not_found')
    expect(isSame(clamd.seen[0], bad)).toBe(true)
  })

  test('any other is stored as it was sent, and was seen whole', async () => {
    expect(said(await put(house, 'bucket/good', GOOD))).toBe('201')
    expect(isSame((await stored(house, 'bucket/good')).body, GOOD)).toBe(true)
    expect(isSame(clamd.seen[0], GOOD)).toBe(true)
    expect(said(await put(house, 'bucket/empty', ''))).toBe('201')
  })

  test('what it replaces stays while it is looked at, and where it is refused', async () => {
    expect(said(await put(house, 'bucket/kept', 'before'))).toBe('201')
    let meanwhile = ''
    clamd.onSeen = async () => {
      meanwhile = (await stored(house, 'bucket/kept')).text()
    }
    expect(said(await put(house, 'bucket/kept', EICAR))).toBe('422 content_refused')
    expect(meanwhile).toBe('before')
    expect((await stored(house, 'bucket/kept')).text()).toBe('before')
  })

  test('a key that is revoked while its upload is looked at makes no object', async () => {
    const key = house.mint({ methods: ['PUT'], jti: 'revoked-meanwhile-1' })
    clamd.onSeen = async () => {
      const revokedAt = house.now()
      await house.ledger.revoke([{ kind: 'id', value: 'revoked-meanwhile-1', revokedAt }])
    }
    const answer = await ask(house.url('bucket/late', key), { method: 'PUT', body: 'content' })
    expect(said(answer)).toBe('403 key_revoked')
    expect(said(await stored(house, 'bucket/late'))).toBe('404 object_not_found')
  })

  test('a form, a resumable upload, S3 in one and in parts, and a copy are looked at too', async () => {
    const form = Buffer.concat([
      Buffer.from(`--B\r\nContent-Disposition: form-data; name="vk"\r\n\r\n${keyOf(house)}\r\n`),
      Buffer.from('--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'),
      EICAR,
      Buffer.from('\r\n--B--\r\n'),
    ])
    const headers = { 'content-type': 'multipart/form-data; boundary=B' }
    const answer = await ask(`${house.gateway.url}/bucket/`, {
      method: 'POST',
      headers,
      body: form,
    })
    expect(said(answer)).toBe('422 content_refused')

    const tus = new Tus(house, keyOf(house))
    const at = await tus.begun({ path: 'bucket/tus', length: BAD.length })
    const half = BAD.length - 20
    expect((await tus.patch(at, 0, BAD.subarray(0, half))).status).toBe(204)
    expect(said(await tus.patch(at, half, BAD.subarray(half)))).toBe('422 content_refused')
    expect((await tus.head(at)).status).toBe(404)

    const s3 = s3Client(house, await s3Key(house))
    const where = { Bucket: 'bucket', Key: 's3' }
    const whole = s3.send(new PutObjectCommand({ ...where, Body: EICAR }))
    await expect(whole).rejects.toMatchObject({ name: 'InvalidRequest' })
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(where))
    const part = { ...where, UploadId, PartNumber: 1, Body: BAD }
    const { ETag } = await s3.send(new UploadPartCommand(part))
    const Parts = [{ PartNumber: 1, ETag }]
    const complete = () =>
      s3.send(
        new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts } }),
      )
    await expect(complete()).rejects.toMatchObject({ name: 'InvalidRequest' })
    await expect(complete()).rejects.toMatchObject({ name: 'NoSuchUpload' })
    s3.destroy()
    for (const name of ['f', 'tus', 's3']) {
      expect([name, said(await stored(house, `bucket/${name}`))]).toEqual([
        name,
        '404 object_not_found',
      ])
    }
  })

  test('in parts and resumable, what is good is stored as it was sent', async () => {
    const tus = new Tus(house, keyOf(house))
    const at = await tus.begun({ path: 'bucket/good-tus', length: GOOD.length })
    expect((await tus.patch(at, 0, GOOD.subarray(0, 7))).status).toBe(204)
    expect((await tus.patch(at, 7, GOOD.subarray(7))).status).toBe(204)
    expect(isSame(clamd.seen[0], GOOD)).toBe(true)
    expect(isSame((await stored(house, 'bucket/good-tus')).body, GOOD)).toBe(true)
  })

  test('what is larger than can be looked at is refused before a byte is taken', async () => {
    const answer = await put(house, 'bucket/huge', pattern((4 << 20) + 1))
    expect(said(answer)).toBe('413 too_large')
    expect(clamd.seen).toEqual([])
    const chunked = await put(house, 'bucket/huge', [pattern(4 << 20), pattern(1)])
    expect(said(chunked)).toBe('413 too_large')
  })

  test.each(['confused', 'rude'] as const)(
    'a %s clamd lets nothing pass, and the upload can be sent again',
    async (mood) => {
      clamd.mood = mood
      const answer = await put(house, `bucket/${mood}`, GOOD)
      expect(said(answer)).toBe('503 unavailable')
      expect(answer.headers['retry-after']).toMatch(/^\d+$/)
      clamd.mood = 'well'
      expect(said(await put(house, `bucket/${mood}`, GOOD))).toBe('201')
    },
  )

  test('a resumable upload whose check failed goes on where it is', async () => {
    const tus = new Tus(house, keyOf(house))
    const at = await tus.begun({ path: 'bucket/again', length: 4 })
    clamd.mood = 'rude'
    expect(said(await tus.patch(at, 0, 'good'))).toBe('503 unavailable')
    clamd.mood = 'well'
    expect(await tus.offset(at)).toBe(4)
    expect((await stored(house, 'bucket/again')).text()).toBe('good')
  })
})

test('a clamd that is silent or not there refuses, unless the configuration says otherwise', async () => {
  clamd.mood = 'silent'
  await inHouse({ clamd: clamd.address, timeout: '1s' }, async (house) => {
    expect(said(await put(house, 'bucket/a', 'a'))).toBe('503 unavailable')
    expect(said(await stored(house, 'bucket/a'))).toBe('404 object_not_found')
  })
  const scan = { clamd: join(temp.path, 'nobody.sock'), onFailure: 'accept' } as const
  await inHouse(scan, async (house) => {
    expect(said(await put(house, 'bucket/a', 'a'))).toBe('201')
    const acts: unknown[] = []
    for await (const { act, path, about } of oldestFirst(join(house.folder, 'audit'), {})) {
      acts.push({ act, path, about })
    }
    const about = { why: 'clamd came to no verdict' }
    expect(acts).toContainEqual({ act: 'unchecked', path: '/bucket/a', about })
  })
})

test('only the buckets that are named are looked at, over TCP as well', async () => {
  const tcp = await fakeClamd()
  try {
    await inHouse({ clamd: tcp.address, buckets: ['inbox'] }, async (house) => {
      expect(said(await put(house, 'others/a', EICAR))).toBe('201')
      expect(said(await put(house, 'inbox/a', EICAR))).toBe('422 content_refused')
      const s3 = await s3Key(house)
      const client = s3Client(house, s3)
      const copy = { Bucket: 'inbox', Key: 'copied', CopySource: 'others/a' }
      await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({
        name: 'InvalidRequest',
      })
      client.destroy()
      expect(said(await stored(house, 'inbox/copied'))).toBe('404 object_not_found')
    })
  } finally {
    await tcp.close()
  }
})

describe('what is replaced while it waits to be looked at', () => {
  /** Has the only scanner busy until the swap was made, and swaps back once that was looked at. */
  async function swapped(
    house: House,
    begun: Promise<void>,
    swap: (content: Buffer) => Promise<unknown>,
  ) {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const busy = new Promise<void>((resolve) => {
      clamd.onSeen = () => {
        resolve()
        return released
      }
    })
    const blocking = put(house, 'inbox/blocking', 'x')
    await busy
    clamd.onSeen = async () => void (await swap(EICAR))
    return {
      async go() {
        await begun
        await swap(GOOD)
        release()
        await blocking
      },
    }
  }

  const settings = () => ({ clamd: clamd.address, buckets: ['inbox'], atOnce: 1 })

  test('is not copied', async () => {
    await inHouse(settings(), async (house) => {
      const swap = (content: Buffer) => put(house, 'others/src', content)
      await swap(EICAR)
      const s3 = s3Client(house, await s3Key(house))
      const turn = await swapped(house, asked(house.store, 'head'), swap)
      const copying = s3
        .send(new CopyObjectCommand({ Bucket: 'inbox', Key: 'dst', CopySource: 'others/src' }))
        .then(
          () => 'copied',
          ({ name }) => name,
        )
      await turn.go()
      expect(await copying).toBe('OperationAborted')
      expect(said(await stored(house, 'inbox/dst'))).toBe('404 object_not_found')
      s3.destroy()
    })
  })

  test('makes no object of parts', async () => {
    await inHouse(settings(), async (house) => {
      const s3 = s3Client(house, await s3Key(house))
      const where = { Bucket: 'inbox', Key: 'parts' }
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(where))
      const swap = (Body: Buffer) =>
        s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body }))
      const { ETag } = await swap(EICAR)
      const turn = await swapped(house, asked(house.store.multipart, 'parts'), swap)
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
      const completing = s3
        .send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload }))
        .then(
          () => 'completed',
          ({ name }) => name,
        )
      await turn.go()
      expect(await completing).toBe('OperationAborted')
      expect(said(await stored(house, 'inbox/parts'))).toBe('404 object_not_found')
      s3.destroy()
    })
  })
})

test('whoever asks for a resumable upload while it is looked at hears what came of it', async () => {
  await inHouse({ clamd: clamd.address }, async (house) => {
    const key = house.mint({ methods: ['PUT'], uses: 1 })
    const [tus, again] = [new Tus(house, key), new Tus(house, key)]
    const at = await tus.begun({ path: 'bucket/slow', length: 4 })
    let asking: Promise<Answer> | undefined
    clamd.onSeen = async () => {
      clamd.onSeen = async () => {}
      const known = asked(house.store.multipart, 'lastPart')
      asking = again.head(at)
      await known
    }
    expect((await tus.patch(at, 0, 'good')).status).toBe(204)
    expect(await asking).toMatchObject({ status: 200, headers: { 'upload-offset': '4' } })
    expect(clamd.seen).toHaveLength(1)
  })
})

describe('with a program', () => {
  /** @param body of a function of `input`, the content, whose result is the exit code */
  function program(name: string, script: string): string {
    const path = join(temp.path, name)
    writeFileSync(path, `#!${process.execPath}\n${script}`, { mode: 0o755 })
    return path
  }

  test('its exit code is the verdict; it knows what it looks at', async () => {
    const notes = join(temp.path, 'notes.json')
    const look = program(
      'look.cjs',
      `const { readFileSync, writeFileSync } = require('node:fs')
       const input = readFileSync(0)
       const { PATH, ...env } = process.env
       writeFileSync(process.argv[2], JSON.stringify({ env, length: input.length }))
       process.exit(input.includes('bad') ? 1 : input.includes('odd') ? 7 : 0)`,
    )
    await inHouse({ command: [look, notes] }, async (house) => {
      const key = house.mint({ methods: ['PUT'], jti: 'somebody-12345678' })
      const send = (body: NonNullable<Question['body']>) =>
        ask(house.url('bucket/a', key), {
          method: 'PUT',
          body,
          headers: { 'content-type': 'text/x-own' },
        })
      expect(said(await send(GOOD))).toBe('201')
      expect(JSON.parse(readFileSync(notes, 'utf8'))).toEqual({
        length: GOOD.length,
        env: {
          VALETKEY_SCAN_PATH: 'bucket/a',
          VALETKEY_SCAN_TYPE: 'text/x-own',
          VALETKEY_SCAN_SIZE: String(GOOD.length),
          VALETKEY_SCAN_KEY: 'somebody-12345678',
        },
      })
      expect(said(await send('bad'))).toBe('422 content_refused')
      expect(said(await send('odd'))).toBe('503 unavailable')
    })
  })

  test('one that reads nothing may pass or refuse all the same; one that hangs is ended', async () => {
    const pass = program('pass.cjs', 'process.exit(0)')
    await inHouse({ command: [pass] }, async (house) => {
      expect(said(await put(house, 'bucket/a', GOOD))).toBe('201')
    })
    const hang = program('hang.cjs', 'setInterval(() => {}, 1000)')
    await inHouse({ command: [hang], timeout: '1s' }, async (house) => {
      expect(said(await put(house, 'bucket/a', GOOD))).toBe('503 unavailable')
    })
    await inHouse({ command: [join(temp.path, 'missing')] }, async (house) => {
      expect(said(await put(house, 'bucket/a', 'a'))).toBe('503 unavailable')
    })
  })
})
