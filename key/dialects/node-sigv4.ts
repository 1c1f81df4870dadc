/** SigV4 on Node: its hashes, and signing keys that sign without showing their secret. */
import { createHash } from 'node:crypto'
import { nodeMac } from '../node-mac.ts'
import type { Signer } from '../signer.ts'
import {
  dateKeyOf,
  type Hashing,
  type SigV4Signer,
  secretAccessKeyOf,
  sessionSecretOf,
} from './sigv4.ts'

export const nodeHashing: Hashing = {
  mac: nodeMac,
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
}

/** @param isCredential whether the key itself is an S3 credential, with its own access key */
export const sigV4SignerOf = (
  signer: Signer,
  secret: Uint8Array,
  isCredential: boolean,
): SigV4Signer => ({
  signer,
  ...(isCredential && { dateKey: dateKeyOf(secretAccessKeyOf(secret), nodeMac) }),
  sessionDateKey: (token) => dateKeyOf(sessionSecretOf(secret, token, nodeMac), nodeMac),
})
