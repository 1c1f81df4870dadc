import { describe, expect, test } from 'vitest'
import type { Block, FirstBlock } from '../../../../key/claims.ts'
import { clear } from '../../../../key/clear.ts'
import { nodeHashing, sigV4SignerOf } from '../../../../key/dialects/node-sigv4.ts'
import {
  mintSession,
  type SessionCredentials,
  sessionDuration,
  sessionFor,
} from '../../../../key/dialects/session.ts'
import { dateKeyOf, secretAccessKeyOf } from '../../../../key/dialects/sigv4.ts'
import { presign } from '../../../../key/dialects/sigv4-presign.ts'
import { beginOnNode, nodeMac } from '../../../../key/node-mac.ts'
import { parseObjectPath } from '../../../../key/object-path.ts'
import { type Grant, mintKey, narrowKey, readKey, verifyKey } from '../../../../key/sign.ts'
import type { Signer } from '../../../../key/signer.ts'
import type { Seconds, UnixSeconds } from '../../../../key/units.ts'
import { verified } from '../../../support/sigv4.ts'
import { codeOf } from '../refusals.ts'

const NOW = 1_800_000_000 as UnixSeconds
const HOUR = 3600 as Seconds
const signingKey = { kid: 'native-1', secret: new Uint8Array(32).map((_, i) => (i * 37) ^ 90) }
const claims: Omit<FirstBlock, 'kid'> = {
  jti: 'session-1',
  iat: NOW,
  exp: NOW + 900,
  path: 'bucket/',
  methods: ['GET', 'PUT'],
}

const lookup = (ceiling?: Block, isCredential = false) => {
  const { kid, secret } = signingKey
  const signer: Signer = {
    kid,
    status: 'active',
    begin: beginOnNode(secret),
    ...(ceiling && { ceiling }),
  }
  return (asked: string) =>
    asked === kid ? sigV4SignerOf(signer, secret, isCredential) : undefined
}

/** A request signed with credentials, static or temporary. */
function requestWith(
  credentials: Pick<SessionCredentials, 'accessKeyId' | 'secretAccessKey'> &
    Partial<SessionCredentials>,
) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const credential = {
    accessKeyId,
    dateKey: dateKeyOf(secretAccessKey, nodeMac),
    ...(sessionToken !== undefined && { sessionToken }),
  }
  const url = presign(
    {
      credential,
      region: 'us-east-1',
      now: NOW,
      method: 'GET',
      publicUrl: 'https://h',
      target: '/bucket/a',
      expires: 60,
    },
    nodeHashing,
  )
  return { method: 'GET', target: url.slice('https://h'.length), rawHeaders: ['Host', 'h'] }
}

const grantOf = (credentials: SessionCredentials, ceiling?: Block): Grant => {
  const found = verified(requestWith(credentials), { lookup: lookup(ceiling) })
  if (found === undefined) throw new Error('the request carries no signature')
  return found.grant
}

const attempt = (method: 'GET' | 'PUT' | 'DELETE', path: string, now = NOW) => ({
  now,
  method,
  path: parseObjectPath(path),
  address: '192.0.2.1',
  tls: true,
  header: () => undefined,
})

describe('temporary credentials', () => {
  const session = mintSession(claims, signingKey, nodeMac)

  test('sign requests, which their token confines', () => {
    const grant = grantOf(session, { path: 'bucket/' })
    expect(session.accessKeyId).toBe('session-1')
    expect(grant.kid).toBe('native-1')
    expect(grant.ids).toContain('session-1')
    expect(grant.issuedAt).toBe(NOW)
    expect(grant.blocks).toEqual([
      { path: 'bucket/' },
      { kid: 'native-1', ...claims, aud: 'sigv4' },
      { nbf: NOW - 840, exp: NOW + 60 },
    ])
    expect(clear(grant, attempt('GET', 'bucket/a'))).toBeUndefined()
    expect(clear(grant, attempt('DELETE', 'bucket/a'))?.code).toBe('method_not_granted')
    expect(clear(grant, attempt('GET', 'other/a'))?.code).toBe('path_not_granted')
  })

  test('do nothing with another secret, id, or token', () => {
    const other = mintSession({ ...claims, jti: 'session-2' }, signingKey, nodeMac)
    for (const wrong of [
      { ...session, secretAccessKey: other.secretAccessKey },
      { ...session, sessionToken: other.sessionToken },
      { ...session, accessKeyId: 'session-2' },
      { ...session, accessKeyId: 'native-1' },
      { ...session, secretAccessKey: secretAccessKeyOf(signingKey.secret) },
    ]) {
      expect(codeOf(() => grantOf(wrong))).toBe('signature_invalid')
    }
    const { sessionToken: _, ...alone } = session
    const request = requestWith(alone)
    expect(codeOf(() => verified(request, { lookup: lookup() }))).toBe('signature_invalid')
  })

  test('a holder can not widen the token, nor use a narrowed one without its own secret', () => {
    const narrowed = narrowKey(session.sessionToken, { methods: ['GET'] }, nodeMac)
    const wrong = { ...session, sessionToken: narrowed }
    expect(codeOf(() => grantOf(wrong))).toBe('signature_invalid')
  })

  test('a key that is no session token signs nothing', () => {
    const sessionToken = mintKey(claims, signingKey, nodeMac)
    const { secretAccessKey } = sessionFor(
      { grant: grantOf(session), sessionToken: session.sessionToken, signingKey },
      { now: NOW, duration: HOUR, id: 'x' },
      nodeMac,
    )
    expect(codeOf(() => grantOf({ ...session, sessionToken, secretAccessKey }))).toBe(
      'signature_invalid',
    )
    const keyed = sigV4SignerOf(
      { kid: 'native-1', status: 'active', begin: beginOnNode(signingKey.secret) },
      signingKey.secret,
      false,
    )
    const url = presign(
      {
        credential: {
          accessKeyId: 'session-1',
          dateKey: keyed.sessionDateKey(sessionToken),
          sessionToken,
        },
        region: 'us-east-1',
        now: NOW,
        method: 'GET',
        publicUrl: 'https://h',
        target: '/bucket/a',
        expires: 60,
      },
      nodeHashing,
    )
    const request = { method: 'GET', target: url.slice(9), rawHeaders: ['Host', 'h'] }
    expect(codeOf(() => verified(request, { lookup: lookup() }))).toBe('key_malformed')
  })

  test('the token is no key by itself', () => {
    const signer = lookup()('native-1')?.signer
    const key = readKey(session.sessionToken)
    expect(codeOf(() => verifyKey(key, signer, nodeMac))).toBe('key_malformed')
  })
})

describe('STS', () => {
  const request = { now: NOW, duration: HOUR, id: 'child' }

  test('an access key hands out what it may do itself, for a while', () => {
    const ceiling: Block = { path: 'bucket/', exp: NOW + 1800 }
    const own = { accessKeyId: 'native-1', secretAccessKey: secretAccessKeyOf(signingKey.secret) }
    const caller = verified(requestWith(own), { lookup: lookup(ceiling, true) })
    if (caller === undefined) throw new Error('the request carries no signature')
    const policy: Block = { methods: ['GET'], path: 'bucket/a' }
    const made = sessionFor(
      { grant: caller.grant, signingKey },
      { ...request, subject: 'ann', policy },
      nodeMac,
    )
    expect(made).toMatchObject({ accessKeyId: 'child', expires: NOW + 1800 })
    const grant = grantOf(made, ceiling)
    expect(grant.subjects).toEqual(['ann'])
    expect(clear(grant, attempt('GET', 'bucket/a'))).toBeUndefined()
    expect(clear(grant, attempt('GET', 'bucket/b'))?.code).toBe('path_not_granted')
    expect(clear(grant, attempt('PUT', 'bucket/a'))?.code).toBe('method_not_granted')
  })

  test('a session hands out a narrower one, which falls with it', () => {
    const session = mintSession(claims, signingKey, nodeMac)
    const caller = { grant: grantOf(session), sessionToken: session.sessionToken, signingKey }
    const made = sessionFor(caller, request, nodeMac)
    expect(made).toMatchObject({ accessKeyId: 'child', expires: NOW + 900 })
    const grant = grantOf(made)
    expect(grant.ids).toEqual(expect.arrayContaining(['session-1', 'child']))
    expect(clear(grant, attempt('DELETE', 'bucket/a'))?.code).toBe('method_not_granted')
  })

  test('durations', () => {
    const most = 43_200 as Seconds
    expect(sessionDuration(undefined, most)).toBe(3600)
    expect(sessionDuration(undefined, 1000 as Seconds)).toBe(1000)
    expect(sessionDuration('900', most)).toBe(900)
    for (const text of ['899', '43201', '-900', '9e3', '', '1.5']) {
      expect(
        codeOf(() => sessionDuration(text, most)),
        text,
      ).toBe('request_malformed')
    }
  })
})
