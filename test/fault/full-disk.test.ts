/** A full disk: uploads are refused, all else goes on as far as it can, and nobody has to repair anything. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../audit/audit.ts'
import { loadAuditKey } from '../../audit/key.ts'
import { oldestFirst } from '../../audit/read.ts'
import { verifyAudit } from '../../audit/verify.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { type Serve, ServeFolder } from '../support/serve-process.ts'
import { mountSmallDisk, playedSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { isSame, pattern } from '../support/store.ts'
import { inventory, isTidy } from '../support/store-leftovers.ts'

const MEBIBYTE = 1 << 20
const SIZE = 40
const SMALL = pattern(2000, 1)
const LARGE = pattern(MEBIBYTE, 2)

const PROBE = mountSmallDisk(1)
PROBE?.remove()
/** What only a real one shows is not asked of the other. */
const DISKS: readonly (readonly [string, () => SmallDisk])[] = [
  ['played', playedSmallDisk],
  ...(PROBE === undefined ? [] : [['mounted', mounted] as const]),
]

function mounted(): SmallDisk {
  const disk = mountSmallDisk(SIZE)
  if (disk === undefined) throw new Error('nothing can be mounted any more')
  return disk
}

describe.each(DISKS)('a full disk, %s', (_, make) => {
  let disk: SmallDisk
  let folder: ServeFolder
  let serve: Serve
  let key: string

  const begin = async (reserve: string): Promise<void> => {
    disk = make()
    folder = new ServeFolder(disk.folder)
    key = folder.mint()
    await start(reserve)
  }
  const start = async (reserve: string): Promise<void> => {
    const { env, ...options } = disk.options
    serve = await folder.start({ ...options, env: { ...env, VALETKEY_STORE_RESERVE: reserve } })
  }
  afterEach(async () => {
    await serve.kill()
    disk.remove()
  })

  const put = (path: string, body: Uint8Array): Promise<Answer> =>
    ask(serve.url(path, key), { method: 'PUT', body })
  const get = (path: string): Promise<Answer> => ask(serve.url(path, key))
  const remove = (path: string): Promise<Answer> => ask(serve.url(path, key), { method: 'DELETE' })
  const ready = (): Promise<Answer> => ask(`${serve.gateway}/-/ready`)
  const statusWith = async (jti: string): Promise<number> =>
    (await ask(serve.url('old/small', folder.mint({ jti })))).status

  it('leaves room for revoking and deleting, when uploads have taken the rest', async () => {
    await begin('8MiB')
    expect((await put('old/small', SMALL)).status).toBe(201)
    await fillWithUploads(put, disk)
    const { bavail, bsize } = statfsSync(disk.folder)
    expect(bavail * bsize).toBeGreaterThan(6 * MEBIBYTE)
    expect((await ready()).json()).toMatchObject({ reasons: [{ code: 'storage_full' }] })
    expect(isSame((await get('old/0')).body, LARGE)).toBe(true)
    for (let n = 0; n < 50; n += 1) {
      expect((await serve.revoke(`key-${n}`)).status).toBe(201)
      expect(await statusWith(`key-${n}`)).toBe(403)
    }
    for (let n = 0; n < 4; n += 1) expect((await remove(`old/${n}`)).status).toBe(204)
    disk.free()
    await eventually(async () => expect((await put('new/large', LARGE)).status).toBe(201))
    expect((await ready()).status).toBe(200)
  })

  it('refuses what has no room at all, serves what it has, and goes on when there is room', async () => {
    await begin('0')
    const once = folder.mint({ uses: 1 })
    for (const name of ['small', 'other']) {
      expect((await put(`old/${name}`, SMALL)).status).toBe(201)
      expect((await put(`old/large-${name}`, LARGE)).status).toBe(201)
    }
    const under = await halfAnUpload(serve, key)
    disk.fill()
    const books = await actOnFullDisk({ put, get, remove, revoke: (id) => serve.revoke(id) })
    under.send(LARGE)
    expect((await under.response())?.status).toBe(507)
    under.destroy()
    // a use that can't be counted is not given
    const used = (await ask(serve.url('old/small', once))).status
    expect([200, 507]).toContain(used)
    await eventually(() => expect(inventory(folder.store).staged).toEqual([]))
    for (const jti of books.revoked) expect(await statusWith(jti)).toBe(403)

    disk.free()
    await eventually(async () => expect((await ready()).status).toBe(200))
    expect((await put('new/large', LARGE)).status).toBe(201)
    expect((await put('new/small', SMALL)).status).toBe(201)
    expect((await serve.revoke('afterwards')).status).toBe(201)
    expect((await remove('old/other')).status).toBe(204)
    expect((await ask(serve.url('old/small', once))).status).toBe(used === 200 ? 403 : 200)

    // what was done while nothing could be written down is on record since there is room
    const acts = () => onRecord(folder.data, 'revoke', ({ keys: [id] = [] }) => id)
    await eventually(async () =>
      expect(await acts()).toEqual(expect.arrayContaining(books.revoked)),
    )
    const removed = () => onRecord(folder.data, 'DELETE', ({ path }) => path?.slice(1))
    await eventually(async () =>
      expect(await removed()).toEqual(expect.arrayContaining(books.removed)),
    )

    await serve.kill()
    await start('0')
    expect(isSame((await get('new/large')).body, LARGE)).toBe(true)
    expect(isSame((await get('old/small')).body, SMALL)).toBe(true)
    for (const jti of [...books.revoked, 'afterwards']) expect(await statusWith(jti)).toBe(403)
    for (const path of [...books.removed, 'old/other']) expect((await get(path)).status).toBe(404)
    expect(await serve.stop()).toBe(0)
    expect(isTidy(folder.store)).toBe(true)
    const auditKey = loadAuditKey(join(folder.data, 'secrets'))
    expect((await verifyAudit(join(folder.data, 'audit'), auditKey)).problems).toEqual([])
  })
})

async function onRecord<T>(
  data: string,
  act: string,
  fact: (record: AuditRecord) => T,
): Promise<readonly T[]> {
  const found: T[] = []
  for await (const record of oldestFirst(join(data, 'audit'), {})) {
    if (record.act === act && record.kind !== 'request') found.push(fact(record))
  }
  return found
}

/** Large ones until they are refused, then small ones; of the others it was said that they are there. */
async function fillWithUploads(
  put: (path: string, body: Uint8Array) => Promise<Answer>,
  disk: SmallDisk,
): Promise<void> {
  let taken = 0
  for (const body of [LARGE, LARGE.subarray(0, 60_000), SMALL]) {
    for (let refused: Answer | undefined; refused === undefined; taken += 1) {
      // so that it ends: a disk that is played is looked at once a second, and a real one is fast
      expect(taken).toBeLessThan(50 * SIZE)
      if (taken === SIZE / 4) disk.lower()
      const answer = await put(`old/${taken}`, body)
      if (answer.status !== 201) refused = answer
      else continue
      expect([answer.status, answer.code]).toEqual([507, 'storage_full'])
    }
  }
}

interface Acts {
  readonly put: (path: string, body: Uint8Array) => Promise<Answer>
  readonly get: (path: string) => Promise<Answer>
  readonly remove: (path: string) => Promise<Answer>
  readonly revoke: (id: string) => Promise<Answer>
}

/** What was said to be done, though there is no room. */
async function actOnFullDisk({ put, get, remove, revoke }: Acts) {
  const large = await put('new/large', LARGE)
  expect([large.status, large.code]).toEqual([507, 'storage_full'])
  const small = await put('old/small', LARGE.subarray(0, 60_000))
  expect([200, 507]).toContain(small.status)
  if (small.status === 200) expect((await get('old/small')).body.length).toBe(60_000)
  else expect(isSame((await get('old/small')).body, SMALL)).toBe(true)
  expect(isSame((await get('old/large-small')).body, LARGE)).toBe(true)
  const revoked: string[] = []
  for (let n = 0; n < 5; n += 1) {
    const { status } = await revoke(`full-${n}`)
    expect([201, 503]).toContain(status)
    if (status === 201) revoked.push(`full-${n}`)
  }
  const { status } = await remove('old/large-other')
  expect([204, 507]).toContain(status)
  return { revoked, removed: status === 204 ? ['old/large-other'] : [] }
}

async function halfAnUpload(serve: Serve, key: string): Promise<RawConnection> {
  const connection = await RawConnection.open(Number(new URL(serve.gateway).port))
  const headers = [`Content-Length: ${2 * MEBIBYTE}`, 'Expect: 100-continue']
  connection.send(headOf('PUT', `/new/under-way?vk=${key}`, headers))
  expect((await connection.response())?.status).toBe(100)
  connection.send(LARGE)
  return connection
}
