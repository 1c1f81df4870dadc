import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { KEEP_ALIVE_TIMEOUT, keepFields, writeHeadOf } from '../../../gateway/head.ts'

const FIELDS = ['Content-Type', 'text/plain', 'ETag', '"é"', 'Referrer-Policy', 'no-referrer']
const KEPT = [...FIELDS]
keepFields(KEPT)
const MORE = ['Content-Length', '2', 'X-Request-Id', 'abc-1']

/** how many heads were left to Node */
const byNode = vi.fn()

/** `/STATUS/kept` answers with the fields that were kept, `/STATUS/node` with the same ones that were not. */
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT }, (incoming, outgoing) => {
  const [, status, how] = (incoming.url ?? '').split('/')
  const { writeHead } = outgoing
  outgoing.writeHead = ((...of: Parameters<typeof writeHead>) => {
    byNode(how)
    return writeHead.apply(outgoing, of)
  }) as typeof writeHead
  writeHeadOf(outgoing, Number(status), how === 'kept' ? KEPT : FIELDS, MORE)
  outgoing.end(status === '304' ? undefined : 'ok')
})
server.on('checkContinue', (incoming, outgoing) => server.emit('request', incoming, outgoing))

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => server.close())

/** Everything that comes back for the requests, the last of which ends the connection. */
async function answered(how: 'kept' | 'node', requests: readonly string[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(requests.map((request) => request.replace('HOW', how)).join(''))
  const all = await text(socket.setEncoding('latin1'))
  return all.replaceAll(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/gm, 'Date: now\r')
}

const LAST = 'GET /200/HOW HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const ORDINARY = {
  'a whole object': 'GET /200/HOW HTTP/1.1\r\nHost: a\r\n\r\n',
  'a range': 'GET /206/HOW HTTP/1.1\r\nHost: a\r\n\r\n',
  HEAD: 'HEAD /200/HOW HTTP/1.1\r\nHost: a\r\n\r\n',
  'one that asks to be kept open':
    'GET /200/HOW HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
}

const OTHERS = {
  'one without a body': 'GET /304/HOW HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/1.0': 'GET /200/HOW HTTP/1.0\r\n\r\n',
  'HTTP/1.0 that is kept open': 'GET /200/HOW HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'one that waits to be asked for its body':
    'GET /200/HOW HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
}

describe('a head of fields that were kept', () => {
  it.each(Object.entries({ ...ORDINARY, ...OTHERS }))('is what Node sends: %s', async (_, one) => {
    const [kept, node] = await Promise.all([
      answered('kept', [one, LAST]),
      answered('node', [one, LAST]),
    ])
    expect(kept).toBe(node)
    expect(kept).toMatch(/^HTTP\/1\.1 \d{3} .*\r\nContent-Type: text\/plain\r\n/)
    expect(kept).toContain('Date: now\r\n')
  })

  it.each(Object.entries(ORDINARY))(
    'is put together by us where it is ordinary: %s',
    async (_, one) => {
      byNode.mockClear()
      await answered('kept', [one, LAST])
      // the last one ends its connection
      expect(byNode.mock.calls).toEqual([['kept']])
    },
  )

  it.each(Object.entries(OTHERS))('is left to Node where it is not: %s', async (_, one) => {
    byNode.mockClear()
    const all = await answered('kept', [one, LAST])
    const heads = all.match(/HTTP\/1\.1 [2-5]/g) ?? []
    expect(heads.length).toBeGreaterThan(0)
    expect(byNode.mock.calls.length).toBeGreaterThanOrEqual(heads.length)
  })

  it('is left to a Node that has no place for it', () => {
    const writeHead = vi.fn()
    writeHeadOf({ writeHead, req: {} } as unknown as ServerResponse, 200, KEPT, MORE)
    expect(writeHead).toHaveBeenCalledExactlyOnceWith(200, [...KEPT, ...MORE])
  })
})

describe('what no header may hold', () => {
  const BAD = [
    ['X-Ours', 'a\r\nSet-Cookie: b'],
    ['X-Ours', 'a\0'],
    ['X Ours', 'a'],
    ['X-Ours\r\nSet-Cookie', 'a'],
  ]

  it.each(BAD)('is not kept: %j: %j', (name, value) => {
    expect(() => keepFields([name, value])).toThrow(TypeError)
  })

  it.each(BAD)('is not sent beside what was kept: %j: %j', (name, value) => {
    const outgoing = {
      _header: null,
      shouldKeepAlive: true,
      req: { httpVersion: '1.1', headers: {} },
    }
    expect(() =>
      writeHeadOf(outgoing as unknown as ServerResponse, 200, KEPT, [name, value]),
    ).toThrow(TypeError)
    expect(outgoing._header).toBeNull()
  })
})
