import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../audit/audit.ts'
import { loadAuditKey } from '../../audit/key.ts'
import { auditFiles } from '../../audit/names.ts'
import { oldestFirst } from '../../audit/read.ts'
import { verifyAudit } from '../../audit/verify.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { openIssuer } from '../support/issuer.ts'
import { ServeFolder, SOURCE } from '../support/serve-process.ts'

const recordsIn = async (data: string): Promise<AuditRecord[]> => {
  const records: AuditRecord[] = []
  for await (const record of oldestFirst(join(data, 'audit'), {})) {
    if (record.kind !== 'note') records.push(record)
  }
  return records
}

const verified = (data: string) =>
  verifyAudit(join(data, 'audit'), loadAuditKey(join(data, 'secrets')))

describe('the gateway', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse()
  })
  afterEach(() => house.close())

  /** Resolves with what is on record when so many requests are. */
  async function onRecord(requests: number): Promise<AuditRecord[]> {
    await expect
      .poll(async () => (await recordsIn(house.folder)).filter(({ kind }) => kind === 'request'))
      .toHaveLength(requests)
    return recordsIn(house.folder)
  }

  it('has an upload on record before it is acknowledged, and what became of it after', async () => {
    const key = house.mint({ jti: 'k1', sub: 'ann "a"\u0007', methods: ['PUT', 'GET', 'DELETE'] })
    const url = house.url('docs/ä b.txt', key)
    expect((await ask(url, { method: 'PUT', body: 'hello' })).status).toBe(201)
    const [change] = await recordsIn(house.folder)
    expect(change).toMatchObject({
      kind: 'change',
      by: 'gateway',
      act: 'PUT',
      path: '/docs/%C3%A4%20b.txt',
      keys: ['k1'],
      kid: 'test',
      subjects: ['ann "a"\u0007'],
      address: '127.0.0.1',
      about: { size: 5, sha256: expect.stringMatching(/^2cf24dba/) },
    })
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const got = await ask(url, { headers: { traceparent } })
    expect(got.status).toBe(200)
    const records = await onRecord(2)
    expect(records.find(({ kind, act }) => kind === 'request' && act === 'PUT')).toMatchObject({
      id: change?.id,
      status: 201,
      in: 5,
    })
    expect(records.at(-1)).toMatchObject({
      id: got.headers['x-request-id'],
      status: 200,
      out: 5,
      ms: expect.any(Number),
      trace: '4bf92f3577b34da6a3ce929d0e0e4736',
    })
    expect((await verified(house.folder)).problems).toEqual([])
  })

  it('has refusals on record, and nothing that would help whoever reads it', async () => {
    const key = house.mint({ path: 'docs/', exp: house.now() + 3600 })
    await ask(`${house.gateway.url}/docs/${key}?vk=${key}&x=secret`)
    await ask(house.url('other/a.txt', key))
    await ask(`${house.gateway.url}/docs/a.txt?vk=nonsense`, { headers: { cookie: 'a=secret' } })
    await ask(`${house.gateway.url}/docs/%76${key.slice(1)}`)
    await ask(`${house.gateway.url}/docs/a%3FX-Amz-Date%3D1%26X-Amz-Signature%3Dsecret`)
    const records = await onRecord(5)
    expect(records.map(({ code }) => code)).toEqual([
      'object_not_found',
      'path_not_granted',
      'key_malformed',
      'key_missing',
      'key_missing',
    ])
    expect(records[4]?.path).toBe('/docs/a%3FX-Amz-Date%3D1%26X-Amz-Signature%3D...')
    expect(records[2]?.keys).toBeUndefined()
    const [{ name } = { name: '' }] = auditFiles(join(house.folder, 'audit'))
    const text = readFileSync(join(house.folder, 'audit', name), 'utf8')
    expect(text).toContain('/docs/vk1...')
    expect(text).not.toMatch(/secret|nonsense|k1\.\w|vk=/)
  })
})

it('logs each request only where somebody wants that, and keeps it on record in any case', async () => {
  const house = await openHouse({ gateway: { accessLog: false } })
  try {
    await ask(house.url('docs/a.txt'))
    await expect.poll(() => recordsIn(house.folder)).toHaveLength(1)
    expect(house.logged).toEqual([])
  } finally {
    await house.close()
  }
})

it('names the trace that a request is part of in the log as well', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` }
  const house = await openHouse({ gateway: { accessLog: true } })
  const issuer = await openIssuer()
  try {
    await ask(house.url('docs/a.txt'), { headers })
    await expect.poll(() => house.logged).toContainEqual(expect.objectContaining({ trace }))
    await ask(`${issuer.issuer.url}/-/health`, { headers })
    await expect.poll(() => issuer.logged.join('')).toContain(`"trace":"${trace}"`)
  } finally {
    await issuer.close()
    await house.close()
  }
})

describe('the issuer', () => {
  it('has acts and requests on record, and shows them', async () => {
    const issuer = await openIssuer('sqlite')
    try {
      const live = await fetch(`${issuer.issuer.url}/v1/audit/live?id=k1`, {
        headers: { authorization: `Bearer ${issuer.token}` },
      })
      const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader()
      expect((await reader?.read())?.value).toContain('from now on')
      await issuer.send('POST', '/v1/keys', { path: 'docs/', id: 'k1', subject: 'ann' })
      await issuer.send('POST', '/v1/revocations', { id: 'k1', reason: 'leaked' })
      await issuer.send('POST', '/v1/keys', { path: 'docs/' }, 'guessed')
      expect((await reader?.read())?.value).toMatch(/^data: \{.*"act":"mint".*\}\n\n/)
      const { json } = await issuer.send('GET', '/v1/audit?id=k1')
      expect(json).toMatchObject({
        next: null,
        records: [
          { act: 'revoke', who: 'admin', about: { kind: 'id', reason: 'leaked' } },
          { act: 'mint', who: 'admin', subjects: ['ann'], about: { paths: ['docs/'] } },
        ],
      })
      await expect
        .poll(async () => (await issuer.send('GET', '/v1/audit?refused=true')).json.records)
        .toMatchObject([{ act: 'POST', path: '/v1/keys', code: 'token_invalid', who: 'unknown' }])
      const page = (await issuer.send('GET', '/v1/audit?limit=1')).json
      const after = (await issuer.send('GET', `/v1/audit?limit=1&cursor=${page.next}`)).json
      expect(after.records[0].time <= page.records[0].time).toBe(true)
      expect(after.records).not.toEqual(page.records)
      expect((await issuer.send('GET', '/v1/audit?cursor=no')).json.code).toBe('request_malformed')
      for (const path of ['/v1/audit', '/v1/audit/live']) {
        const { status, json } = await issuer.send('GET', `${path}?address=foo`)
        expect([status, json.code]).toEqual([400, 'request_malformed'])
        expect(json.errors).toEqual([
          { option: 'address', message: expect.stringContaining('a network such as 10.0.0.0/8') },
        ])
      }
      for (const address of ['127.0.0.1', '127.0.0.0/8', '::1']) {
        expect((await issuer.send('GET', `/v1/audit?address=${address}`)).status).toBe(200)
      }
      await reader?.cancel()
    } finally {
      await issuer.close()
    }
  })
})

describe('the program', () => {
  it('follows what happens, for as long as somebody wants it to', async () => {
    const folder = new ServeFolder()
    const serve = await folder.start()
    const args = ['--import', 'tsx', SOURCE, 'audit', '--follow', '--json', '--data', folder.data]
    const following = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(following, 'exit')
    try {
      let told = ''
      following.stdout.on('data', (chunk: Buffer) => {
        told += chunk.toString()
      })
      const url = serve.url('docs/a.txt', folder.mint({ jti: 'followed' }))
      // it begins when it has started: so the question is asked until it is heard, and once more
      const heard = () => told.match(/"keys":\["followed"\]/g)?.length ?? 0
      for (const times of [1, 2]) {
        await expect
          .poll(async () => (await ask(url)).status === 404 && heard(), { timeout: 30_000 })
          .toBeGreaterThanOrEqual(times)
      }
      following.kill('SIGINT')
      expect(await ended).toEqual([0, null])
    } finally {
      following.kill('SIGKILL')
      await serve.stop()
      folder.remove()
    }
  })

  it('killed while it serves, leaves records that verify, and goes on behind them', async () => {
    const folder = new ServeFolder()
    try {
      const key = folder.mint({ jti: 'k1' })
      const served = await folder.start()
      const acknowledged: string[] = []
      const upload = async (lane: number): Promise<void> => {
        for (let at = 0; ; at += 1) {
          const path = `docs/${lane}-${at}.txt`
          const answer = await ask(served.url(path, key), { method: 'PUT', body: path })
          if (answer.status === 201) acknowledged.push(`/${path}`)
          if (acknowledged.length === 40) await served.kill()
        }
      }
      await Promise.allSettled([0, 1, 2, 3].map(upload))
      const changes = (await recordsIn(folder.data)).filter(({ kind }) => kind === 'change')
      expect(changes.map(({ path }) => path)).toEqual(expect.arrayContaining(acknowledged))
      expect((await verified(folder.data)).problems).toEqual([])
      const again = await folder.start()
      expect((await again.revoke('k1')).status).toBe(201)
      await again.stop()
      const acts = (await recordsIn(folder.data)).filter(({ kind }) => kind === 'act')
      expect(acts.at(-1)).toMatchObject({ act: 'revoke', by: 'issuer', keys: ['k1'] })
      expect((await verified(folder.data)).problems).toEqual([])
      const [{ name } = { name: '' }] = auditFiles(join(folder.data, 'audit'))
      const file = join(folder.data, 'audit', name)
      writeFileSync(file, readFileSync(file, 'utf8').replace('/docs/0-1.txt', '/docs/0-x.txt'))
      expect((await verified(folder.data)).problems).toHaveLength(1)
    } finally {
      folder.remove()
    }
  })
})
