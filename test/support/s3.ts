/** S3 credentials of a house, and AWS's own clients with them. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Block, FirstBlock } from '../../key/claims.ts'
import { mintSession } from '../../key/dialects/session.ts'
import { secretAccessKeyOf } from '../../key/dialects/sigv4.ts'
import { nodeMac } from '../../key/node-mac.ts'
import type { SigningKey } from '../../key/signer.ts'
import { unixSeconds } from '../../key/units.ts'
import { writeSigningKey } from '../../ledger/key-files.ts'
import type { House } from './house.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A new access key that may do what the ceiling says; everything unless it says otherwise. */
export async function s3Key(house: House, ceiling?: Block): Promise<S3Credentials> {
  const letters = Array.from(randomBytes(18), (byte) => BASE32[byte % 32]).join('')
  const key: SigningKey = { kid: `VK${letters}`, secret: randomBytes(32) }
  await writeSigningKey(join(house.folder, 'secrets'), key)
  await house.ledger.addSigningKey({
    kid: key.kid,
    kind: 's3',
    status: 'active',
    createdAt: unixSeconds(1),
    ...(ceiling !== undefined && { ceiling }),
  })
  await house.keyring.refresh()
  return { accessKeyId: key.kid, secretAccessKey: secretAccessKeyOf(key.secret) }
}

/** Temporary credentials under the house's native signing key. */
export function temporary(house: House, claims: Partial<FirstBlock> = {}): S3Credentials {
  const { accessKeyId, secretAccessKey, sessionToken } = mintSession(
    {
      jti: randomBytes(12).toString('base64url'),
      exp: house.now() + 3600,
      path: '/',
      methods: ['GET', 'PUT', 'DELETE', 'LIST'],
      ...claims,
    },
    house.keyring.active(),
    nodeMac,
  )
  return { accessKeyId, secretAccessKey, sessionToken }
}

/** A client as its users make one, but for retries: what fails, fails at once. */
export const s3Client = (
  house: Pick<House, 'gateway'>,
  credentials: S3Credentials,
  config: S3ClientConfig = {},
): S3Client =>
  new S3Client({
    endpoint: house.gateway.url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials,
    ...config,
  })
