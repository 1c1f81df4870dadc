/** A revoked key is refused by the next request, here and elsewhere, and what runs under it is cut. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Revocation } from '../../ledger/ledger.ts'
import { eventually } from '../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { pattern } from '../support/store.ts'

const SIZE = 24 << 20

let house: House
let other: GatewayProcess
let all: string

beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
  all = house.mint({ methods: ['GET', 'PUT'], iat: house.now() + 1000 })
  await ask(house.url('bucket/a', all), { method: 'PUT', body: 'a' })
  await ask(house.url('bucket/large', all), { method: 'PUT', body: pattern(SIZE) })
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

const revocation = (kind: Revocation['kind'], value: string): Revocation => ({
  kind,
  value,
  revokedAt: house.now(),
  ...(kind !== 'id' && { mintedUpTo: house.now() }),
})

const elsewhere = (url: string): string => url.replace(house.gateway.url, other.url)
const codeOf = async (url: string): Promise<string | undefined> => (await ask(url)).code

let count = 0
const fresh = (prefix: string): string => {
  count += 1
  return `${prefix}-${count}`
}

interface Case {
  readonly what: string
  /** a key, and what revokes it */
  readonly make: () => { readonly key: string; readonly by: Revocation }
}

const cases: readonly Case[] = [
  {
    what: 'its id',
    make: () => {
      const jti = fresh('id')
      return { key: house.mint({ jti, methods: ['GET', 'PUT'] }), by: revocation('id', jti) }
    },
  },
  {
    what: 'the id of a block that narrows it',
    make: () => {
      const jti = fresh('block')
      const wide = house.mint({ methods: ['GET', 'PUT'] })
      return { key: house.narrow(wide, { jti }), by: revocation('id', jti) }
    },
  },
  {
    what: 'its subject',
    make: () => {
      const sub = fresh('subject')
      return { key: house.mint({ sub, methods: ['GET', 'PUT'] }), by: revocation('subject', sub) }
    },
  },
]

describe.each(cases)('a key revoked by $what', ({ make }) => {
  test('is refused by the next request here, and within a second elsewhere', async () => {
    const { key, by } = make()
    const url = house.url('bucket/a', key)
    expect([await codeOf(url), await codeOf(elsewhere(url))]).toEqual([undefined, undefined])
    await house.ledger.revoke([by])
    expect(await codeOf(url)).toBe('key_revoked')
    await eventually(async () => expect(await codeOf(elsewhere(url))).toBe('key_revoked'))
    expect((await ask(url, { method: 'PUT', body: 'x' })).code).toBe('key_revoked')
    expect(await codeOf(house.url('bucket/a', all))).toBeUndefined()
  })

  test('loses its download in flight, in both processes', async () => {
    const { key, by } = make()
    const connections = await Promise.all(
      [house.gateway.port, other.port].map((port) => RawConnection.open(port)),
    )
    for (const connection of connections) {
      connection.send(headOf('GET', `/bucket/large?vk=${key}`))
      await connection.until(() => connection.size > 1000)
      connection.socket.pause()
    }
    await house.ledger.revoke([by])
    // the response never comes to its end, however long one reads
    for (const connection of connections) {
      await connection.readSlowly()
      expect(connection.size).toBeLessThan(SIZE)
      connection.destroy()
    }
  })

  test('loses its upload in flight, and nothing is stored', async () => {
    for (const port of [house.gateway.port, other.port]) {
      const { key, by } = make()
      const path = `bucket/${fresh('upload')}`
      const connection = await RawConnection.open(port)
      const headers = ['Content-Length: 1000000', 'Expect: 100-continue']
      connection.send(headOf('PUT', `/${path}?vk=${key}`, headers))
      expect((await connection.response())?.status).toBe(100)
      connection.send(pattern(5000))
      await house.ledger.revoke([by])
      const response = await connection.response()
      expect([response?.status, response?.json().code]).toEqual([403, 'key_revoked'])
      connection.destroy()
      expect(await codeOf(house.url(path, all))).toBe('object_not_found')
    }
  })

  test('stays revoked when the process that revoked it is killed at once', async () => {
    const { key, by } = make()
    const doomed = await startGatewayProcess(house)
    await doomed.revoke([by])
    await doomed.kill()
    expect(await codeOf(house.url('bucket/a', key))).toBe('key_revoked')
    await eventually(async () =>
      expect(await codeOf(elsewhere(house.url('bucket/a', key)))).toBe('key_revoked'),
    )
  })
})

test('keys below a path end with it, those beside it and above it do not', async () => {
  await ask(house.url('bucket/tree/x/1', all), { method: 'PUT', body: '1' })
  await ask(house.url('bucket/tree/xy', all), { method: 'PUT', body: '2' })
  const key = house.mint({ path: 'bucket/tree/' })
  await house.ledger.revoke([revocation('path', 'bucket/tree/x/')])
  expect(await codeOf(house.url('bucket/tree/x/1', key))).toBe('key_revoked')
  expect(await codeOf(house.url('bucket/tree/xy', key))).toBeUndefined()
  expect(await codeOf(house.url('bucket/tree/x/1', all))).toBeUndefined()
})

test('keys minted up to a moment end, later ones do not', async () => {
  const old = house.mint({ iat: house.now() - 100 })
  const timeless = house.mint({ jti: 'timeless' })
  const young = house.mint({ iat: house.now() + 100 })
  await house.ledger.revoke([{ ...revocation('everything', ''), mintedUpTo: house.now() }])
  expect(await codeOf(house.url('bucket/a', old))).toBe('key_revoked')
  expect(await codeOf(house.url('bucket/a', timeless))).toBe('key_revoked')
  expect(await codeOf(house.url('bucket/a', young))).toBeUndefined()
  await eventually(async () =>
    expect(await codeOf(elsewhere(house.url('bucket/a', old)))).toBe('key_revoked'),
  )
})

test('a transfer that was admitted just before the revocation is cut too', async () => {
  // many begin while the revocation is on its way: none may slip through between check and start
  const jti = fresh('slip')
  const key = house.mint({ jti, iat: house.now() + 1000 })
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => RawConnection.open(house.gateway.port)),
  )
  const revoking = house.ledger.revoke([revocation('id', jti)])
  for (const connection of connections) {
    connection.send(headOf('GET', `/bucket/large?vk=${key}`))
    connection.socket.pause()
  }
  await revoking
  await eventually(() => {
    const codes = house.logged.filter((line) => line.jti === jti).map(({ code }) => code)
    expect(codes).toEqual(connections.map(() => 'key_revoked'))
  })
  for (const connection of connections) connection.destroy()
})

test('a signing key that is revoked takes all its keys along, in flight too', async () => {
  const key = house.mint({ iat: house.now() + 1000 })
  const connections = await Promise.all(
    [house.gateway.port, other.port].map((port) => RawConnection.open(port)),
  )
  for (const connection of connections) {
    connection.send(headOf('GET', `/bucket/large?vk=${key}`))
    await connection.until(() => connection.size > 1000)
    connection.socket.pause()
  }
  const record = { kid: 'test', kind: 'native', status: 'active', createdAt: house.now() } as const
  await house.ledger.addSigningKey(record)
  expect(await codeOf(house.url('bucket/a', key))).toBeUndefined()
  await other.revokeSigner('test')
  expect(await codeOf(elsewhere(house.url('bucket/a', key)))).toBe('key_revoked')
  await eventually(async () => expect(await codeOf(house.url('bucket/a', key))).toBe('key_revoked'))
  for (const connection of connections) {
    await connection.readSlowly()
    expect(connection.size).toBeLessThan(SIZE)
    connection.destroy()
  }
})
