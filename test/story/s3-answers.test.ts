/** Whose a request is, and how S3's refusals look from outside. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UnixSeconds } from '../../key/units.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask } from '../support/http.ts'
import { type S3Credentials, s3Key, temporary } from '../support/s3.ts'
import { type SignedRequest, signedRequest, type ToSign } from '../support/s3-request.ts'

let house: House
let credentials: S3Credentials
let asked: ToSign

beforeAll(async () => {
  house = await openHouse()
  credentials = await s3Key(house)
  asked = {
    host: `127.0.0.1:${house.gateway.port}`,
    now: house.now(),
    credentials,
    path: '/answers/object',
  }
  await send(signedRequest(asked, Buffer.from('content')))
})
afterAll(() => house.close())

const send = ({ method, target, headers, body }: SignedRequest, to = house): Promise<Answer> =>
  ask(`${to.gateway.url}${target}`, {
    method,
    headers: { ...headers },
    ...(method === 'PUT' && { body }),
  })
const signed = (method: string, more: Partial<ToSign> = {}): SignedRequest =>
  signedRequest({ ...asked, method, ...more })
const codeOf = ({ status, text }: Answer): string =>
  `${status} ${/<Code>(.*)<\/Code>/.exec(text())?.[1]}`

describe('a refusal', () => {
  test('is XML with a code, a resource and the id of the request', async () => {
    const answer = await send(signed('GET', { path: '/answers/nothing%26' }))
    const id = answer.headers['x-request-id']
    expect(answer.status).toBe(404)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/xml',
      'x-amz-request-id': id,
      'cache-control': 'no-store',
    })
    expect(answer.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>there is no object of this name</Message><Resource>/answers/nothing%26</Resource><RequestId>${id}</RequestId></Error>`,
    )
  })

  test('of HEAD has no body', async () => {
    const answer = await send(signed('HEAD', { path: '/answers/nothing' }))
    expect([answer.status, answer.body.length]).toEqual([404, 0])
  })

  test('of a signature tells nothing of why', async () => {
    const unknown = { ...credentials, accessKeyId: 'VKAAAAAAAAAAAAAAAAAA' }
    const wrong = { ...credentials, secretAccessKey: 'A'.repeat(43) }
    const revoked = await s3Key(house)
    await house.ledger.setSigningKeyStatus(revoked.accessKeyId, 'revoked')
    const wrongAndRevoked = { ...revoked, secretAccessKey: 'A'.repeat(43) }
    const foreign = { ...temporary(house), secretAccessKey: 'A'.repeat(43) }
    const answers = await Promise.all(
      [unknown, wrong, wrongAndRevoked, foreign].map((one) =>
        send(signed('GET', { credentials: one })),
      ),
    )
    const bodies = answers.map((answer) => answer.text().replace(/<RequestId>.*<\/RequestId>/, ''))
    expect(new Set(bodies).size).toBe(1)
    expect(bodies[0]).toContain('<Code>SignatureDoesNotMatch</Code>')
    expect(bodies[0]).not.toMatch(/AWS4-HMAC-SHA256|StringToSign|CanonicalRequest/)
  })

  test('of a request that states no hash of its body says so, whoever signed', async () => {
    for (const secretAccessKey of [credentials.secretAccessKey, 'A'.repeat(43)]) {
      const one = signed('GET', { credentials: { ...credentials, secretAccessKey } })
      const { 'x-amz-content-sha256': _, ...headers } = one.headers
      const answer = await send({ ...one, headers })
      expect(codeOf(answer)).toBe('400 InvalidRequest')
      expect(answer.text()).toContain('x-amz-content-sha256')
    }
  })

  test('of a clock that is wrong says so, once the signature is good', async () => {
    const late = await send(signed('GET', { now: (asked.now - 1000) as UnixSeconds }))
    expect(codeOf(late)).toBe('403 RequestTimeTooSkewed')
    const early = await send(signed('GET', { now: (asked.now + 1000) as UnixSeconds }))
    expect(codeOf(early)).toBe('403 RequestTimeTooSkewed')
    const forged = { ...credentials, secretAccessKey: 'A'.repeat(43) }
    const other = await send(
      signed('GET', { now: (asked.now - 1000) as UnixSeconds, credentials: forged }),
    )
    expect(codeOf(other)).toBe('403 SignatureDoesNotMatch')
  })
})

describe('whose a request is:', () => {
  const target = '/answers/object'

  test('without a credential, nobody’s', async () => {
    expect((await ask(`${house.gateway.url}${target}`)).code).toBe('key_missing')
  })

  test('without one, asked of a bucket’s region, which is told of any name', async () => {
    for (const bucket of ['answers', 'nowhere']) {
      const answer = await ask(`${house.gateway.url}/${bucket}`, { method: 'HEAD' })
      expect([answer.status, answer.headers['x-amz-bucket-region']]).toEqual([403, 'us-east-1'])
    }
    for (const path of ['/answers/', '/answers?x', '/A', '/-/nowhere']) {
      const answer = await ask(`${house.gateway.url}${path}`, { method: 'HEAD' })
      expect(answer.headers['x-amz-bucket-region'], path).toBeUndefined()
    }
    const bearer = { authorization: `Bearer ${house.mint({ path: '/' })}` }
    const native = await ask(`${house.gateway.url}/answers`, { method: 'HEAD', headers: bearer })
    expect(native.status).toBe(400)
  })

  test('with two, nobody’s either', async () => {
    const key = house.mint({ path: '/' })
    const { headers } = signed('GET')
    const both = [
      ask(`${house.gateway.url}${target}?vk=${key}`, { headers: { ...headers } }),
      ask(`${house.gateway.url}${target}`, { headers: { ...headers, cookie: `vk=${key}` } }),
      ask(`${house.gateway.url}${target}?X-Amz-Signature=x`, {
        headers: { authorization: `Bearer ${key}` },
      }),
    ]
    for (const answer of await Promise.all(both)) {
      expect([answer.status, answer.code]).toEqual([400, 'key_ambiguous'])
    }
  })

  test('signed in the header and in the query, refused by S3', async () => {
    const { headers } = signed('GET')
    const answer = await ask(`${house.gateway.url}${target}?X-Amz-Signature=x`, {
      headers: { ...headers },
    })
    expect(codeOf(answer)).toBe('400 InvalidRequest')
  })

  test('with Signature Version 2, told what to use', async () => {
    const answers = [
      ask(`${house.gateway.url}${target}?AWSAccessKeyId=x&Signature=y&Expires=1`),
      ask(`${house.gateway.url}${target}`, { headers: { authorization: 'AWS x:y' } }),
    ]
    for (const answer of await Promise.all(answers)) {
      expect(answer.text()).toMatch(/Version 4|AWS4-HMAC-SHA256/)
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
  })

  test('where S3 is switched off, not S3’s', async () => {
    const off = await openHouse({ s3: { enabled: false } })
    try {
      const answer = await send(signed('GET'), off)
      expect([answer.status, answer.code]).toEqual([401, 'key_missing'])
      const form = await ask(`${off.gateway.url}${target}`, {
        method: 'POST',
        body: '--B--',
        headers: { 'content-type': 'multipart/form-data; boundary=B' },
      })
      expect([form.status, form.code]).toEqual([400, 'request_malformed'])
    } finally {
      await off.close()
    }
  })

  test('of another region than the one that is set, refused', async () => {
    const far = await openHouse({ s3: { region: 'eu-north-1' } })
    try {
      const own = { ...asked, host: `127.0.0.1:${far.gateway.port}`, credentials: await s3Key(far) }
      const answer = await send(signedRequest({ ...own, method: 'GET' }), far)
      expect(codeOf(answer)).toBe('400 AuthorizationHeaderMalformed')
    } finally {
      await far.close()
    }
  })
})

test('a body is asked for only once the request is let in', async () => {
  const wait = async (request: SignedRequest): Promise<string> => {
    const head = Object.entries({
      ...request.headers,
      expect: '100-continue',
      'content-length': '7',
    })
    const socket = connect(house.gateway.port, '127.0.0.1')
    socket.write(
      `${request.method} ${request.target} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    )
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    )
    socket.destroy()
    return answer.split('\r\n')[0] ?? ''
  }
  expect(await wait(signed('PUT'))).toBe('HTTP/1.1 100 Continue')
  const forged = { ...credentials, secretAccessKey: 'A'.repeat(43) }
  expect(await wait(signed('PUT', { credentials: forged }))).toBe('HTTP/1.1 403 Forbidden')
})
