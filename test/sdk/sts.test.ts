/** AWS's own STS client gets temporary credentials, which can do at most what their maker can. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type S3Credentials, s3Client, s3Key, temporary } from '../support/s3.ts'
import { tempFolder } from '../support/temp-folder.ts'

const ISSUER = 'https://login.example.com'
const folder = tempFolder()
const { privateKey, publicKey } = await generateKeyPair('ES256')
const jwks = join(folder.path, 'jwks.json')
writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] }))

let house: House
const closers: { destroy(): void }[] = []

beforeAll(async () => {
  house = await openHouse({
    s3: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of paths
      providers: { login: { issuer: ISSUER, audiences: ['files'], jwks, path: 'users/${sub}/' } },
    },
  })
})
afterAll(async () => {
  for (const client of closers) client.destroy()
  await house.close()
  folder.remove()
})

function stsClient(credentials: S3Credentials): STSClient {
  const client = new STSClient({
    endpoint: house.gateway.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials,
  })
  closers.push(client)
  return client
}

function clientOf(made: Credentials | undefined) {
  const credentials = {
    accessKeyId: made?.AccessKeyId ?? '',
    secretAccessKey: made?.SecretAccessKey ?? '',
    sessionToken: made?.SessionToken ?? '',
  }
  const client = s3Client(house, credentials)
  closers.push(client)
  return { client, credentials }
}

const putAs = (credentials: Credentials | undefined, Bucket: string, Key: string) =>
  clientOf(credentials).client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))

const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }
const role = { RoleArn: 'arn:aws:iam::000000000000:role/any', RoleSessionName: 'somebody' }
const policyFor = (Resource: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource }],
  })

describe.each(['access key', 'temporary'] as const)('whoever has %s credentials', (kind) => {
  const own = async () =>
    kind === 'access key'
      ? s3Key(house, { path: 'tenants/a/' })
      : temporary(house, { path: 'tenants/a/' })

  test('learns who that is', async () => {
    const identity = await stsClient(await own()).send(new GetCallerIdentityCommand({}))
    expect(identity).toMatchObject({ Account: '000000000000' })
  })

  test('gets credentials for the same and for less, never for more', async () => {
    const sts = stsClient(await own())
    const same = await sts.send(new AssumeRoleCommand(role))
    await putAs(same.Credentials, 'tenants', 'a/x')
    await expect(putAs(same.Credentials, 'tenants', 'b/x')).rejects.toMatchObject(denied)

    const Policy = policyFor('arn:aws:s3:::tenants/a/sub/*')
    const less = await sts.send(new AssumeRoleCommand({ ...role, Policy }))
    await putAs(less.Credentials, 'tenants', 'a/sub/x')
    await expect(putAs(less.Credentials, 'tenants', 'a/x')).rejects.toMatchObject(denied)

    const wide = policyFor('arn:aws:s3:::tenants/*')
    const more = await sts.send(new GetFederationTokenCommand({ Name: 'bob', Policy: wide }))
    await expect(putAs(more.Credentials, 'tenants', 'b/x')).rejects.toMatchObject(denied)
  })

  test('is refused a policy that can not be kept', async () => {
    const Policy = JSON.stringify({
      Statement: [{ Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::tenants/*' }],
    })
    await expect(
      stsClient(await own()).send(new AssumeRoleCommand({ ...role, Policy })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
  })
})

test('credentials of a session make further ones, which are revoked with them', async () => {
  const first = await stsClient(await s3Key(house)).send(new AssumeRoleCommand(role))
  const { credentials } = clientOf(first.Credentials)
  const second = await stsClient(credentials).send(
    new AssumeRoleCommand({ ...role, RoleSessionName: 'another' }),
  )
  await putAs(second.Credentials, 'chain', 'x')
  await house.ledger.revoke([
    { kind: 'id', value: credentials.accessKeyId, revokedAt: house.now() },
  ])
  await expect(putAs(second.Credentials, 'chain', 'x')).rejects.toMatchObject(denied)
})

test('whoever has no credentials, or revoked ones, gets none', async () => {
  const nobody = { accessKeyId: 'VKAAAAAAAAAAAAAAAAAA', secretAccessKey: 'x'.repeat(43) }
  await expect(stsClient(nobody).send(new AssumeRoleCommand(role))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  })
  const revoked = await s3Key(house)
  await house.ledger.setSigningKeyStatus(revoked.accessKeyId, 'revoked')
  await expect(stsClient(revoked).send(new AssumeRoleCommand(role))).rejects.toMatchObject(denied)
})

describe('whoever has a token of the identity provider', () => {
  const token = (sub: string, claims: { aud?: string; exp?: string; iss?: string } = {}) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setSubject(sub)
      .setIssuer(claims.iss ?? ISSUER)
      .setAudience(claims.aud ?? 'files')
      .setExpirationTime(claims.exp ?? '5m')
      .sign(privateKey)
  const exchange = (WebIdentityToken: string) =>
    stsClient({ accessKeyId: 'x', secretAccessKey: 'x' }).send(
      new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken }),
    )

  test('gets credentials for the folder that the template names', async () => {
    const { Credentials, SubjectFromWebIdentityToken } = await exchange(await token('alice'))
    expect(SubjectFromWebIdentityToken).toBe('alice')
    await putAs(Credentials, 'users', 'alice/x')
    await expect(putAs(Credentials, 'users', 'bob/x')).rejects.toMatchObject(denied)
    const { Buckets } = await clientOf(Credentials).client.send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['users'])
    const odd = await exchange(await token('../bob'))
    await expect(putAs(odd.Credentials, 'users', 'bob/x')).rejects.toMatchObject(denied)
  })

  test('of another issuer, for another audience, or expired, is refused', async () => {
    for (const claims of [{ iss: 'https://evil.example' }, { aud: 'mail' }, { exp: '-5m' }]) {
      await expect(exchange(await token('alice', claims))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      })
    }
  })

  test('loses them when the subject is revoked', async () => {
    const { Credentials } = await exchange(await token('carol'))
    await putAs(Credentials, 'users', 'carol/x')
    await house.ledger.revoke([{ kind: 'subject', value: 'carol', revokedAt: house.now() }])
    const { client } = clientOf(Credentials)
    await expect(
      client.send(new GetObjectCommand({ Bucket: 'users', Key: 'carol/x' })),
    ).rejects.toMatchObject(denied)
  })
})
