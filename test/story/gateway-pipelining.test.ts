/** Requests that share a packet are answered one after the other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { headOf, RawConnection } from '../support/raw.ts'

let house: House
let key: string

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/a', key), { method: 'PUT', body: 'content' })
})
afterAll(() => house.close())

const signed = (path: string) => `${path}?vk=${key}`

describe('requests in one packet', () => {
  test('are answered in order, each after the one before', async () => {
    const connection = await RawConnection.open(house.gateway.port)
    const put = (body: string) =>
      headOf('PUT', signed('/bucket/p'), [`Content-Length: ${body.length}`]) + body
    const read = headOf('GET', signed('/bucket/p'))
    const remove = headOf('DELETE', signed('/bucket/p'))
    connection.send(put('one') + read + put('two') + read + remove + read)
    const seen: string[] = []
    for (let at = 0; at < 6; at += 1) {
      const response = await connection.response()
      const isObject = response?.headers.get('content-type') === 'application/octet-stream'
      seen.push(`${response?.status}${isObject ? ` ${response?.body}` : ''}`)
    }
    expect(seen).toEqual(['201', '200 one', '200', '200 two', '204', '404'])
    connection.destroy()
  })

  test('after a refused upload are not done', async () => {
    const stranger = house.mint({ methods: ['GET'] })
    const smuggled = headOf('DELETE', signed('/bucket/a'))
    for (const framing of [`Content-Length: ${smuggled.length}`, 'Content-Length: 100000']) {
      const connection = await RawConnection.open(house.gateway.port)
      connection.send(headOf('PUT', `/bucket/x?vk=${stranger}`, [framing]) + smuggled + smuggled)
      const refused = await connection.response()
      expect(outcome(refused)).toBe('403 method_not_granted')
      const isLast = refused?.headers.get('connection') === 'close'
      if (isLast) {
        connection.socket.end()
        expect(await connection.response()).toBeUndefined()
      } else expect((await connection.response())?.status).toBe(204)
      connection.destroy()
      const { status } = await ask(house.url('bucket/a', key), { method: 'HEAD' })
      expect(status).toBe(isLast ? 200 : 404)
      await ask(house.url('bucket/a', key), { method: 'PUT', body: 'content' })
    }
  })

  test('after one whose body nobody reads are not done', async () => {
    const connection = await RawConnection.open(house.gateway.port)
    const read = headOf('GET', signed('/bucket/a'), ['Content-Length: 3'])
    connection.send(`${read}abc${headOf('DELETE', signed('/bucket/a'))}`)
    const first = await connection.response()
    expect([first?.status, first?.headers.get('connection')]).toEqual([200, 'close'])
    await connection.ended()
    expect(connection.size).toBe(0)
    expect((await ask(house.url('bucket/a', key), { method: 'HEAD' })).status).toBe(200)
    connection.destroy()
  })

  test('that wait when the client leaves hold nothing', async () => {
    const large = new Uint8Array(24 << 20)
    await ask(house.url('bucket/large', key), { method: 'PUT', body: large })
    const once = house.mint({ uses: 1 })
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf('GET', signed('/bucket/large')) + headOf('GET', `/bucket/a?vk=${once}`))
    await connection.until(() => connection.size > 1000)
    connection.destroy()
    expect((await ask(house.url('bucket/a', once))).status).toBe(200)
  })

  test('of which one is no HTTP do not bring the others down', async () => {
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf('GET', signed('/bucket/a')))
    expect((await connection.response())?.status).toBe(200)
    connection.send('NONSENSE\r\n\r\n')
    expect(outcome(await connection.response())).toBe('400 request_malformed')
    await connection.ended()
    connection.destroy()
  })
})
