/** The S3 credential that signs: the one that is named, that of the environment, or the newest one here. */

import { dateKeyOf } from '../key/dialects/sigv4.ts'
import type { SigV4Credential } from '../key/dialects/sigv4-presign.ts'
import { nodeMac } from '../key/node-mac.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Cli } from './cli.ts'
import { Failure } from './failure.ts'
import { printable } from './format.ts'

const MAKE_ONE = 'make one with: valetkey keys create --kind s3'

/** @throws Failure where there is none */
export async function s3CredentialOf(cli: Cli, kid: string | undefined): Promise<SigV4Credential> {
  const stated = kid === undefined ? fromEnvironment(cli.shell.env) : undefined
  if (stated !== undefined) return stated
  if (!cli.hasData) {
    throw new Failure(
      `there is no S3 credential: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ${MAKE_ONE}`,
    )
  }
  return cli.withData({ make: false }, async (data) => fromKeyring(await data.keyring(), kid))
}

function fromEnvironment(env: Cli['shell']['env']): SigV4Credential | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env
  if (!AWS_ACCESS_KEY_ID && !AWS_SECRET_ACCESS_KEY) return undefined
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new Failure('set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither')
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    dateKey: dateKeyOf(AWS_SECRET_ACCESS_KEY, nodeMac),
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  }
}

function fromKeyring(keyring: Keyring, kid: string | undefined): SigV4Credential {
  const usable = keyring
    .records()
    .filter(
      ({ kind, status, secret }) => kind === 's3' && status === 'active' && secret !== 'missing',
    )
  const chosen = kid === undefined ? usable.at(-1) : usable.find((entry) => entry.kid === kid)
  const dateKey = chosen && keyring.sigV4Signer(chosen.kid)?.dateKey
  if (chosen !== undefined && dateKey !== undefined) return { accessKeyId: chosen.kid, dateKey }
  throw new Failure(
    kid === undefined
      ? `there is no S3 credential here: ${MAKE_ONE}`
      : `"${printable(kid)}" is no active S3 credential; see valetkey keys list, or ${MAKE_ONE}`,
  )
}
