/** A process that may open few files: refuses what it has no descriptors for, and goes on afterwards. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { openFilesOf } from '../support/process-facts.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { type Serve, ServeFolder } from '../support/serve-process.ts'
import { isSame, pattern } from '../support/store.ts'
import { inventory } from '../support/store-leftovers.ts'

const LIMIT = 160
/** What it has open when nobody asks anything, where that can't be seen. */
const ASSUMED = 60
/** Descriptors that clients leave to it. */
const LEFT = 4
const OBJECTS = 24
const SIZE = 1_200_000

let folder: ServeFolder
let serve: Serve
let key: string
const connections: RawConnection[] = []

beforeEach(async () => {
  folder = new ServeFolder()
  key = folder.mint()
  serve = await folder.start({ under: ['sh', '-c', `ulimit -n ${LIMIT} && exec "$0" "$@"`] })
})
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy()
  await serve.kill()
  folder.remove()
})

const contentOf = (n: number): Uint8Array => pattern(SIZE, n + 1)
const connect = async (): Promise<RawConnection> => {
  const connection = await RawConnection.open(Number(new URL(serve.gateway).port))
  connections.push(connection)
  return connection
}
const put = (n: number) => ask(serve.url(`files/${n}`, key), { method: 'PUT', body: contentOf(n) })

it('refuses what it can not open, and is as before when there are descriptors again', async () => {
  for (let n = 0; n < OBJECTS; n += 1) expect((await put(n)).status).toBe(201)
  const before = openFilesOf(serve.pid)
  const many = LIMIT - (before ?? ASSUMED) - LEFT
  const open = await Promise.all(Array.from({ length: many }, connect))
  for (const connection of open) {
    connection.send(headOf('GET', '/-/health'))
    expect((await connection.response())?.status).toBe(200)
  }

  // all at once: objects of their own to read, and to write
  const targets = open.map((_, n) => `/files/${n % OBJECTS}?vk=${key}`)
  const outcomes = await Promise.all(
    open.map(async (connection, n) => {
      const target = targets[n] ?? ''
      const isUpload = n % 3 === 0
      if (isUpload) connection.send(headOf('PUT', target, [`Content-Length: ${SIZE}`]))
      else connection.send(headOf('GET', target))
      if (isUpload) connection.send(contentOf(n % OBJECTS))
      return outcome(await connection.response())
    }),
  )
  expect(new Set(outcomes)).toEqual(new Set(['200', '503 unavailable']))

  // a connection too many is ended, not left waiting
  const further = await Promise.all(Array.from({ length: 2 * LEFT }, connect))
  for (const connection of further) {
    connection.send(headOf('GET', '/-/health'))
    expect(['200', 'nothing']).toContain(outcome(await connection.response()))
  }

  for (const connection of connections.splice(0)) connection.destroy()
  await eventually(async () => {
    for (let n = 0; n < OBJECTS; n += 1) {
      const answer = await ask(serve.url(`files/${n}`, key))
      expect([answer.status, isSame(answer.body, contentOf(n))]).toEqual([200, true])
    }
    expect((await put(0)).status).toBe(200)
  })
  expect((await ask(`${serve.gateway}/-/ready`)).status).toBe(200)
  await eventually(() => expect(inventory(folder.store).staged).toEqual([]))
  const most = (before ?? 0) + OBJECTS + LEFT
  await eventually(() => expect(openFilesOf(serve.pid) ?? 0).toBeLessThanOrEqual(most))
})

/** A form whose file is small: it needs no descriptor but for its parser, which is not loaded yet. */
const form = (): string => {
  const part = (head: string, content: string): string =>
    `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`
  const body = `${part('name="vk"', key)}${part('name="file"; filename="a"', 'content')}--B--\r\n`
  const type = 'Content-Type: multipart/form-data; boundary=B'
  return headOf('POST', '/files/', [type, `Content-Length: ${body.length}`]) + body
}

it('loads what is loaded on demand though all descriptors are taken, and more are asked for', async () => {
  const connection = await connect()
  connection.send(headOf('GET', '/-/health'))
  expect((await connection.response())?.status).toBe(200)
  const connectMany = () => Promise.all(Array.from({ length: LIMIT }, connect))
  await connectMany()
  connection.send(form())
  await connectMany()
  expect(outcome(await connection.response())).toBe('201')
})
