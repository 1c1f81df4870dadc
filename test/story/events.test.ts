/** Whoever wants to know is told, though the program is killed in the middle of it. */
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newestFirst } from '../../audit/read.ts'
import { ask } from '../support/http.ts'
import { ServeFolder } from '../support/serve-process.ts'

async function hasEnded(data: string, path: string): Promise<boolean> {
  for await (const { record } of newestFirst(join(data, 'audit'), { path })) {
    if (record?.kind === 'request') return true
  }
  return false
}

it('uploads, deletions and used-up keys are told of, once each, over a kill', async () => {
  const folder = new ServeFolder()
  const secret = randomBytes(32)
  const told = new Map<string, { type: string; subject: string }>()
  let isUp = true
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const {
        'webhook-id': id,
        'webhook-timestamp': time,
        'webhook-signature': signed,
      } = request.headers
      const mac = createHmac('sha256', secret).update(`${id}.${time}.${body}`).digest('base64')
      const isTaken = isUp && signed === `v1,${mac}`
      if (isTaken) told.set(String(id), JSON.parse(body) as { type: string; subject: string })
      response.writeHead(isTaken ? 204 : 503).end()
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const events = () => [...told.values()].map(({ type, subject }) => `${type} ${subject}`).sort()
  try {
    mkdirSync(folder.data, { recursive: true, mode: 0o700 })
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    writeFileSync(
      join(folder.data, 'valetkey.toml'),
      `[webhooks]\nallowPrivate = true\n[webhooks.targets.app]\nurl = "${url}"\nsecretEnv = "HOOK"\n`,
    )
    // as from a vault
    const env = { HOOK: `exec:echo whsec_${secret.toString('base64')}` }
    const first = await folder.start({ env })
    const key = folder.mint({ jti: 'k1' })
    const single = folder.mint({ jti: 'once', uses: 1 })
    await ask(first.url('docs/a.txt', key), { method: 'PUT', body: 'hello' })
    await ask(first.url('docs/a.txt', single))
    await ask(first.url('docs/a.txt', key), { method: 'DELETE' })
    // there is nothing any more: that is no event
    await ask(first.url('docs/a.txt', key), { method: 'DELETE' })
    const so = ['key.used_up once', 'object.deleted /docs/a.txt', 'upload.finished /docs/a.txt']
    const expected = so.map((text) => `valetkey.${text}`)
    await expect.poll(events).toEqual(expected)
    isUp = false
    expect((await ask(first.url('docs/b.txt', key), { method: 'PUT', body: 'b' })).status).toBe(201)
    // the last 100 ms of what became of requests may go with the process: they are told of later
    await expect.poll(() => hasEnded(folder.data, '/docs/b.txt')).toBe(true)
    await first.kill()
    isUp = true
    const second = await folder.start({ env })
    await expect.poll(events).toEqual([...expected, 'valetkey.upload.finished /docs/b.txt'])
    await second.stop()
  } finally {
    receiver.closeAllConnections()
    receiver.close()
    folder.remove()
  }
})
