/** A gateway that is told to end finishes what it has begun, says so meanwhile, and loses nothing. */
import { createConnection } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { GatewaySettingsText } from '../../gateway/config.ts'
import { parseObjectPath } from '../../key/object-path.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { exchangeRaw, headOf, RawConnection } from '../support/raw.ts'
import { isSame, pattern } from '../support/store.ts'

const LARGE = pattern(24 << 20)

let house: House
let key: string
afterEach(() => house.close())

async function begun(gateway: GatewaySettingsText) {
  house = await openHouse({ gateway })
  key = house.mint({ methods: ['GET', 'PUT'] })
  await ask(house.url('bucket/large', key), { method: 'PUT', body: LARGE })
  const upload = await RawConnection.open(house.gateway.port)
  const headers = ['Content-Length: 10', 'Expect: 100-continue']
  upload.send(headOf('PUT', `/bucket/new?vk=${key}`, headers))
  expect((await upload.response())?.status).toBe(100)
  upload.send('half ')
  const download = await RawConnection.open(house.gateway.port)
  download.send(headOf('GET', `/bucket/large?vk=${key}`))
  await download.until(() => download.size > 1000)
  download.socket.pause()
  const idle = await RawConnection.open(house.gateway.port)
  idle.send(headOf('GET', `/bucket/large?vk=${key}`, ['Range: bytes=0-0']))
  expect((await idle.response())?.status).toBe(206)
  return { upload, download, idle }
}

const refusesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })

test('what runs is finished; what is new is refused; whoever probes hears why', async () => {
  const { upload, download, idle } = await begun({})
  const { port } = house.gateway
  const closed = vi.fn()
  const closing = house.gateway.close().then(closed)
  const ready = await exchangeRaw(port, headOf('GET', '/-/ready'))
  expect([ready?.status, ready?.headers.get('connection')]).toEqual([503, 'close'])
  expect(ready?.json()).toMatchObject({ status: 'unavailable', reasons: [{ code: 'unavailable' }] })
  expect((await exchangeRaw(port, headOf('GET', '/-/health')))?.status).toBe(200)
  const refused = await exchangeRaw(port, headOf('GET', `/bucket/large?vk=${key}`))
  expect(outcome(refused)).toBe('503 unavailable')
  expect([refused?.headers.get('retry-after'), refused?.headers.get('connection')]).toEqual([
    '5',
    'close',
  ])
  expect(closed).not.toHaveBeenCalled()

  upload.send('whole')
  expect((await upload.response())?.status).toBe(201)
  download.socket.resume()
  expect(isSame((await download.response())?.body, LARGE)).toBe(true)
  await closing
  await Promise.all([upload.ended(), download.ended(), idle.ended()])
  expect(await refusesConnections(port)).toBe(true)
  const stored = await house.store.head(parseObjectPath('bucket/new'))
  expect(stored?.size).toBe(10)
  for (const connection of [upload, download, idle]) connection.destroy()
})

test('what does not end in time is cut, and nothing of it is kept', async () => {
  const { upload, download, idle } = await begun({ drain: 0 })
  await house.gateway.close()
  download.socket.resume()
  await Promise.all([upload.ended(), download.ended(), idle.ended()])
  expect(await upload.response()).toBeUndefined()
  expect(download.size).toBeLessThan(LARGE.length)
  expect(await house.store.head(parseObjectPath('bucket/new'))).toBeUndefined()
  // neither store nor ledger were used after they were closed
  expect(house.logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
  for (const connection of [upload, download, idle]) connection.destroy()
})

test('closing twice is closing once, also with nothing to do', async () => {
  house = await openHouse()
  await Promise.all([house.gateway.close(), house.gateway.close()])
  await house.gateway.close()
})
