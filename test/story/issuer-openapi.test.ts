import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { KeyRequest } from '../../issuer/api/schemas.ts'
import { ROUTES } from '../../issuer/app.ts'
import { OPTION_NAMES, restrictionsFrom } from '../../issuer/options.ts'
import { type IssuerHouse, openIssuer } from '../support/issuer.ts'

const Content = z.record(z.string(), z.looseObject({ schema: z.looseObject({}) }))
const Operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().min(1),
  security: z.array(z.strictObject({ bearer: z.array(z.never()) })),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.enum(['path', 'query']),
        required: z.boolean().optional(),
        schema: z.looseObject({}),
      }),
    )
    .optional(),
  requestBody: z.looseObject({ content: Content }).optional(),
  responses: z.record(
    z.string().regex(/^[2-5]\d\d$/),
    z.strictObject({ description: z.string().min(1), content: Content.optional() }),
  ),
})

/** As far as OpenAPI 3.1 reaches here. */
const Document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  servers: z.tuple([z.strictObject({ url: z.literal('/') })]),
  components: z.looseObject({
    schemas: z.record(z.string(), z.looseObject({})),
    securitySchemes: z.looseObject({ bearer: z.looseObject({ type: z.literal('http') }) }),
  }),
  paths: z.record(
    z.string().startsWith('/'),
    z.strictObject({
      get: Operation.optional(),
      post: Operation.optional(),
      put: Operation.optional(),
      patch: Operation.optional(),
      delete: Operation.optional(),
    }),
  ),
  webhooks: z.looseObject({}).optional(),
})

describe('the OpenAPI document', () => {
  let house: IssuerHouse
  let document: z.output<typeof Document>
  let text: string
  beforeAll(async () => {
    house = await openIssuer()
    const sent = await house.send('GET', '/openapi.json', undefined, null)
    text = sent.text
    document = Document.parse(sent.json)
  })
  afterAll(() => house.close())

  it('documents every route, and no other', () => {
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    )
    expect(documented.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('gives every operation a name of its own', () => {
    const names = Object.values(document.paths)
      .flatMap((operations) => Object.values(operations))
      .map((operation) => operation?.operationId)
    expect(new Set(names).size).toBe(ROUTES.length)
  })

  it.each([
    ['a size', 'maxSize', ['0', '10MiB', '1.5 GB', '512B'], ['', '-1', '10XB', 'MiB']],
    ['a duration', 'expiresIn', ['15m', '1w2d3h4m5s', '90'], ['', 'm', '5m1h', 'soon']],
    ['a time', 'expires', ['2026-12-01T18:00:00Z', '2026-12-01', '1h30m'], ['', 'soon', '90']],
    ['a count', 'uses', ['1', '20'], ['', '0', 'one']],
  ])('describes %s as it is read', (_, option, good, bad) => {
    const property = document.components.schemas.KeyRequest?.properties as Record<
      string,
      { anyOf: { pattern?: string }[] }
    >
    const [{ pattern = '' } = {}] = property[option]?.anyOf ?? []
    const context = { now: house.now(), id: 'some' }
    const isRead = (value: string): boolean => {
      try {
        return restrictionsFrom({ [option]: value }, context) !== undefined
      } catch {
        return false
      }
    }
    for (const value of [...good, ...bad]) {
      const expected = good.includes(value)
      expect([value, new RegExp(pattern, 'u').test(value), isRead(value)]).toEqual([
        value,
        expected,
        expected,
      ])
    }
  })

  it('names every parameter of a path', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const operation of Object.values(operations)) {
        const inPath = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'path')
        expect(inPath.map(({ name }) => name)).toEqual(named)
        for (const { required } of inPath) expect(required).toBe(true)
      }
    }
  })

  it('refers to what is there', () => {
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
    expect(references.length).toBeGreaterThan(10)
    for (const [, name = ''] of references) expect(document.components.schemas).toHaveProperty(name)
  })

  it('documents every option of a key, and no other', () => {
    expect(Object.keys(KeyRequest.shape).sort()).toEqual([...OPTION_NAMES, 'renewable'].sort())
  })

  it('is true: answers have the shapes it states', async () => {
    await house.send('POST', '/v1/revocations', { subject: 'ann', reason: 'left' })
    const { id } = (await house.send('POST', '/v1/keys', { path: 'bkt/a', uses: 3 })).json
    await house.send('DELETE', `/v1/keys/${id}`)
    const [{ kid }] = (await house.send('GET', '/v1/signing-keys')).json.signingKeys
    const calls: readonly [string, string, unknown][] = [
      ['POST', '/v1/keys', { path: 'bkt/b', methods: ['PUT', 'GET'] }],
      ['POST', '/v1/keys', [{ path: 'bkt/c' }]],
      ['GET', '/v1/keys', undefined],
      ['GET', `/v1/keys/${id}`, undefined],
      ['POST', '/v1/keys', { path: 'bkt/d', id: 'lasting', renewable: true, plan: 'free' }],
      ['PATCH', '/v1/keys/lasting', { expiresIn: '1h', paused: true }],
      ['GET', '/v1/keys/lasting', undefined],
      ['POST', '/v1/keys/lasting/replace', undefined],
      ['PUT', '/v1/policies/readers', { methods: ['GET'] }],
      ['GET', '/v1/policies/readers', undefined],
      ['GET', '/v1/policies', undefined],
      ['PUT', '/v1/plans/free', { rate: '10/s', bytes: '1GiB', per: 'subject' }],
      ['GET', '/v1/plans/free', undefined],
      ['GET', '/v1/plans', undefined],
      ['POST', '/v1/revocations', { path: 'bkt/', mintedBefore: 5 }],
      ['GET', '/v1/revocations', undefined],
      ['POST', '/v1/signing-keys', { grace: '1h' }],
      ['GET', '/v1/signing-keys', undefined],
      ['POST', `/v1/signing-keys/${kid}/retire`, undefined],
      ['POST', `/v1/signing-keys/${kid}/revoke`, undefined],
      ['GET', '/-/health', undefined],
      ['GET', '/-/ready', undefined],
    ]
    for (const [method, path, body] of calls) {
      const sent = await house.send(method, path, body)
      const route = ROUTES.find(
        (candidate) =>
          candidate.method === method.toLowerCase() &&
          new RegExp(`^${candidate.path.replace(/\{\w+\}/, '[^/]+')}$`).test(path),
      )
      expect([path, sent.status]).toEqual([path, route?.success.status])
      expect(route?.success.schema?.safeParse(sent.json).error).toBeUndefined()
    }
  })
})
