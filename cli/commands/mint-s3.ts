/** `mint --as`: presigned URLs, POST forms and temporary credentials for S3 clients. */
import type { MintOptions } from '../../issuer/options.ts'
import {
  type MintedCredentials,
  presignedPost,
  presignedUrl,
  type S3MintContext,
  s3Credentials,
} from '../../issuer/s3.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure } from '../failure.ts'
import { printable, relativeTime } from '../format.ts'
import { withFlagNames } from '../restrictions.ts'
import { s3CredentialOf } from '../s3-credential.ts'

export const S3_FORMS = ['s3', 's3-post', 's3-credentials'] as const
export type S3Form = (typeof S3_FORMS)[number]

export async function mintForS3(
  cli: Cli,
  options: MintOptions,
  form: S3Form,
  signingKey: string | undefined,
): Promise<void> {
  if (form === 's3-credentials') return mintCredentials(cli, options, signingKey)
  const context = await contextOf(cli, signingKey)
  if (form === 's3') {
    const minted = withFlagNames(() => presignedUrl(options, context))
    await cli.terminal.result(minted, () => `${minted.url}\n`)
    note(cli, minted.method, minted.expires)
  } else {
    const minted = withFlagNames(() => presignedPost(options, context))
    await cli.terminal.result(
      minted,
      () => `${JSON.stringify({ url: minted.url, fields: minted.fields }, null, 2)}\n`,
    )
    note(cli, 'POST', minted.expires)
  }
}

async function contextOf(cli: Cli, signingKey: string | undefined): Promise<S3MintContext> {
  const { publicUrl, issuer } = cli.settings()
  return {
    credential: await s3CredentialOf(cli, signingKey),
    region: cli.shell.env.AWS_REGION || cli.shell.env.AWS_DEFAULT_REGION || 'us-east-1',
    now: cli.shell.now(),
    publicUrl: publicUrl[0] ?? '',
    defaultLife: issuer.defaultExpires,
    maxLife: issuer.maxExpires,
  }
}

function note({ terminal, shell }: Cli, method: string, expires: UnixSeconds): void {
  terminal.note(`${method} until ${formatTime(expires)} (${relativeTime(expires, shell.now())})`)
}

async function mintCredentials(
  cli: Cli,
  options: MintOptions,
  signingKey: string | undefined,
): Promise<void> {
  const settings = cli.settings()
  const { defaultExpires: defaultLife, maxExpires: maxLife } = settings.issuer
  const minted = await cli.withData({ make: true, settings }, async (data) => {
    const context = { signingKey: await keyOf(data, signingKey), now: cli.shell.now() }
    const made = withFlagNames(() => s3Credentials(options, { ...context, defaultLife, maxLife }))
    await data.record([made])
    return made
  })
  const { id, path, methods, expires, credentials } = minted
  await cli.terminal.result({ id, path, methods, ...credentials }, () => lines(minted))
  note(cli, methods.join(', '), expires)
}

/** An S3 credential may mint temporary ones as well, within its own ceiling. */
async function keyOf(data: DataFolder, kid: string | undefined) {
  if (kid === undefined) return data.signingKey()
  const keyring = await data.keyring()
  const isActive = keyring.records().some((entry) => entry.kid === kid && entry.status === 'active')
  const key = isActive ? keyring.secretOf(kid) : undefined
  if (key !== undefined) return key
  throw new Failure(`"${printable(kid)}" is no active signing key here: see valetkey keys list`)
}

const lines = ({ credentials }: MintedCredentials): string =>
  [
    `AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
    `AWS_SESSION_TOKEN=${credentials.sessionToken}`,
    '',
  ].join('\n')
