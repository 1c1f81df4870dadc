/** Resumable uploads as tus-js-client makes them: over cuts, kills, workers and two processes. */
import { Agent } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import SqliteDatabase from 'better-sqlite3'
import { DefaultHttpStack, type DetailedError, Upload, type UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { type Serve, ServeFolder } from '../support/serve-process.ts'
import { digest, pattern } from '../support/store.ts'
import { Tus } from '../support/tus.ts'

const MEBIBYTE = 1 << 20
const SIZE = 5 * MEBIBYTE + 17
const CONTENT = Buffer.from(pattern(SIZE))

/** A connection for each request: workers take turns. */
const httpStack = new DefaultHttpStack({ agent: new Agent({ keepAlive: false }) })

interface Client {
  readonly upload: Upload
  /** the ETag of the object; rejects with what the client reports */
  readonly done: Promise<string | undefined>
}

function clientOf(
  endpoint: string,
  key: string,
  path: string,
  options: UploadOptions = {},
  content: ConstructorParameters<typeof Upload>[0] = CONTENT,
): Client {
  let upload: Upload | undefined
  const done = new Promise<string | undefined>((resolve, reject) => {
    upload = new Upload(content, {
      endpoint: `${endpoint}/-/tus/`,
      headers: { Authorization: `Bearer ${key}` },
      metadata: { path, filetype: 'application/octet-stream' },
      retryDelays: [0, 10, 100],
      httpStack,
      ...options,
      onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('ETag')),
      onError: reject,
    })
  })
  done.catch(() => {})
  return { upload: upload as Upload, done }
}

const refusedWith = async ({ done }: Client): Promise<string> => {
  const error = (await done.catch((found: unknown) => found)) as DetailedError
  const { originalResponse: response } = error
  return `${response?.getStatus()} ${JSON.parse(response?.getBody() || '{}').code}`
}

describe('one gateway', () => {
  let house: House
  let key: string
  let count = 0
  const fresh = (): string => `bucket/js/${++count}`
  beforeAll(async () => {
    house = await openHouse()
    key = house.mint({ methods: ['PUT', 'GET'] })
  })
  afterAll(() => house.close())

  const start = (options: UploadOptions = {}, content?: Parameters<typeof clientOf>[4]) => {
    const path = fresh()
    const client = clientOf(house.gateway.url, key, path, options, content)
    client.upload.start()
    return { ...client, path }
  }
  const shaOf = async (path: string) => digest((await ask(house.url(path, key))).body)
  const expectWhole = async ({ done, path }: Client & { path: string }): Promise<void> => {
    expect(await done).toBe(`"${digest(CONTENT)}"`)
    expect(await shaOf(path)).toBe(digest(CONTENT))
  }

  test.each([
    ['in one request', {}],
    ['in pieces', { chunkSize: MEBIBYTE }],
    ['from its creation on', { uploadDataDuringCreation: true }],
    ['from its creation on, in pieces', { uploadDataDuringCreation: true, chunkSize: MEBIBYTE }],
    ['with POST for PATCH', { overridePatchMethod: true, chunkSize: 2 * MEBIBYTE }],
  ])('takes an upload %s', async (_, options) => {
    await expectWhole(start(options))
  })

  test('takes one of unknown length, out of a stream', async () => {
    const pieces = Array.from({ length: 8 }, (_, at) =>
      CONTENT.subarray(at * 700_000, (at + 1) * 700_000),
    )
    const options = { uploadLengthDeferred: true, chunkSize: MEBIBYTE }
    await expectWhole(start(options, Readable.from(pieces) as never))
  })

  test('goes on where a pause was made', async () => {
    const path = fresh()
    const paused = await new Promise<string>((resolve) => {
      const { upload } = clientOf(house.gateway.url, key, path, {
        chunkSize: MEBIBYTE,
        onChunkComplete: (_, accepted) => {
          if (accepted === 2 * MEBIBYTE) void upload.abort().then(() => resolve(upload.url ?? ''))
        },
      })
      upload.start()
    })
    const offset = await new Tus(house, key).offset(paused)
    expect(offset).toBeGreaterThanOrEqual(2 * MEBIBYTE)
    const sent: number[] = []
    const again = clientOf(house.gateway.url, key, path, {
      uploadUrl: paused,
      chunkSize: MEBIBYTE,
      onChunkComplete: (_, accepted) => void sent.push(accepted),
    })
    again.upload.start()
    await expectWhole({ ...again, path })
    expect(sent[0]).toBeGreaterThan(offset)
  })

  test('goes on by itself where the connection was cut', async () => {
    const line = await openLine(house.gateway.port, 2 * MEBIBYTE + 12_345)
    const path = fresh()
    const offsets: number[] = []
    const client = clientOf(line.url, key, path, {
      onAfterResponse: (request, response) => {
        if (request.getMethod() === 'HEAD')
          offsets.push(Number(response.getHeader('Upload-Offset')))
      },
    })
    client.upload.start()
    await expectWhole({ ...client, path })
    await line.close()
    expect(offsets).toHaveLength(1)
    // what had gone through the line, its headers and what lay in between apart
    expect(offsets[0]).toBeGreaterThan(MEBIBYTE)
    expect(offsets[0]).toBeLessThan(2 * MEBIBYTE + 12_345)
  })

  test('lets a client end its upload', async () => {
    // in the middle: it has been told of one piece, and begins no other
    const url = await new Promise<string>((resolve, reject) => {
      const { upload } = clientOf(house.gateway.url, key, fresh(), {
        chunkSize: MEBIBYTE,
        onChunkComplete: () => {
          const begun = upload.url ?? ''
          upload.abort(true).then(() => resolve(begun), reject)
        },
      })
      upload.start()
    })
    expect(Number.isNaN(await new Tus(house, key).offset(url))).toBe(true)
  })

  test('says why it refuses', async () => {
    const narrow = house.mint({ methods: ['PUT'], size: [0, 1000], path: 'bucket/small/' })
    const large = clientOf(house.gateway.url, narrow, 'bucket/small/a')
    large.upload.start()
    expect(await refusedWith(large)).toBe('413 too_large')
    const elsewhere = clientOf(house.gateway.url, narrow, 'bucket/other/a')
    elsewhere.upload.start()
    expect(await refusedWith(elsewhere)).toBe('403 path_not_granted')
  })

  test('takes an upload from two clients at once, each piece of it once', async () => {
    const path = fresh()
    const url = await new Tus(house, key).begun({ path, length: SIZE })
    const uploadUrl = new URL(url, house.gateway.url).href
    // as often as it takes: how long a piece of the other takes depends on the disk
    const options = { uploadUrl, chunkSize: MEBIBYTE, retryDelays: Array(1000).fill(20) }
    const both = [1, 2].map(() => clientOf(house.gateway.url, key, path, options))
    for (const { upload } of both) upload.start()
    await Promise.all(both.map(({ done }) => done))
    expect(await shaOf(path)).toBe(digest(CONTENT))
  })
})

describe('two processes on one data folder', () => {
  let house: House
  let other: GatewayProcess
  beforeAll(async () => {
    house = await openHouse()
    other = await startGatewayProcess(house)
  })
  afterAll(async () => {
    await other.kill()
    await house.close()
  })

  test('take turns in one upload, and only one of them takes a piece that both are sent', async () => {
    const key = house.mint({ methods: ['PUT', 'GET'] })
    const clients = [new Tus(house, key), new Tus(house, key, other.url)]
    const path = 'bucket/two'
    const location = (await clients[0]?.begun({ path, length: SIZE })) ?? ''
    for (let at = 0; at < SIZE; at += MEBIBYTE) {
      const piece = CONTENT.subarray(at, at + MEBIBYTE)
      const both = await Promise.all(clients.map((client) => client.patch(location, at, piece)))
      expect(both.map(({ status }) => status)).toContain(204)
      for (const { status } of both) expect([204, 409]).toContain(status)
      for (const client of clients) {
        expect(await client.offset(location)).toBe(Math.min(SIZE, at + MEBIBYTE))
      }
    }
    expect(digest((await ask(house.url(path, key))).body)).toBe(digest(CONTENT))
  })
})

describe('workers', () => {
  let folder: ServeFolder
  let serve: Serve
  const begin = async (): Promise<void> => {
    serve = await folder.start({ args: ['--workers', '2'] })
  }
  beforeAll(async () => {
    folder = new ServeFolder()
    await begin()
  })
  afterAll(async () => {
    await serve.kill()
    folder.remove()
  })

  const partsStored = (): number => {
    const db = new SqliteDatabase(folder.indexFile, { readonly: true })
    try {
      return db.prepare<[], number>('SELECT count(*) FROM parts').pluck().get() ?? 0
    } finally {
      db.close()
    }
  }

  test('killed in the middle of a long request have kept what they closed of it', async () => {
    const key = folder.mint()
    const content = pattern(70 * MEBIBYTE)
    const client = () => new Tus({ gateway: serve as never }, key, serve.gateway)
    const path = 'bucket/killed'
    const location = await client().begun({ path, length: content.length })
    const connection = await RawConnection.open(Number(new URL(serve.gateway).port))
    connection.send(
      headOf('PATCH', location, [
        'Tus-Resumable: 1.0.0',
        `Authorization: Bearer ${key}`,
        'Content-Type: application/offset+octet-stream',
        'Upload-Offset: 0',
        `Content-Length: ${content.length}`,
      ]),
    )
    connection.send(content.subarray(0, 69 * MEBIBYTE))
    await expect.poll(partsStored).toBe(2)
    await serve.kill()
    connection.destroy()
    await begin()
    const offset = await client().offset(location)
    expect(offset).toBeGreaterThanOrEqual(64 * MEBIBYTE)
    expect(offset).toBeLessThan(69 * MEBIBYTE)
    const last = await client().patch(location, offset, content.subarray(offset))
    expect([last.status, last.headers.etag]).toEqual([204, `"${digest(content)}"`])
    expect(partsStored()).toBe(0)
  })

  test('take pieces of one upload each, also after they were killed', async () => {
    const key = folder.mint()
    const path = 'bucket/workers'
    const interrupted = await new Promise<string>((resolve) => {
      const { upload } = clientOf(serve.gateway, key, path, {
        chunkSize: MEBIBYTE / 2,
        retryDelays: null,
        onChunkComplete: (_, accepted) => {
          if (accepted < 3 * MEBIBYTE) return
          void upload.abort()
          resolve(upload.url ?? '')
        },
      })
      upload.start()
    })
    await serve.kill()
    await begin()
    const uploadUrl = new URL(new URL(interrupted).pathname, serve.gateway).href
    const resumed: number[] = []
    const client = clientOf(serve.gateway, key, path, {
      uploadUrl,
      chunkSize: MEBIBYTE / 2,
      onChunkComplete: (_, accepted) => void resumed.push(accepted),
    })
    client.upload.start()
    expect(await client.done).toBe(`"${digest(CONTENT)}"`)
    expect(resumed[0]).toBeGreaterThan(3 * MEBIBYTE)
    expect(digest((await ask(serve.url(path, key))).body)).toBe(digest(CONTENT))
  })
})

/** A line to a gateway that is cut once, after so many bytes have gone through it. */
async function openLine(port: number, after: number) {
  let left = after
  const ends = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const end of [near, far]) ends.add(end.on('error', () => end.destroy()))
    near.on('close', () => far.end())
    far.on('close', () => near.destroy())
    far.pipe(near)
    near.on('data', (chunk: Buffer) => {
      if (left > 0 && chunk.length >= left) {
        // the client learns of it when the gateway has got all that went through
        near.pause()
        far.unpipe(near).resume()
        far.end(chunk.subarray(0, left))
      } else far.write(chunk)
      left -= chunk.length
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const end of ends) end.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
