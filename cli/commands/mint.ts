import { type Command, Option } from 'commander'
import { type Minted, mint as mintKey } from '../../issuer/mint.ts'
import type { MintOptions } from '../../issuer/options.ts'
import type { SigningKey } from '../../key/signer.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import { curlLines, toFillIn } from '../curl.ts'
import { UsageError } from '../failure.ts'
import { relativeTime } from '../format.ts'
import { drawQr } from '../qr.ts'
import { addRestrictions, restrictionsStated, withFlagNames } from '../restrictions.ts'
import type { Settings } from '../settings/schema.ts'
import { mintForS3, S3_FORMS, type S3Form } from './mint-s3.ts'

interface Flags {
  readonly overwrite?: true
  readonly renewable?: true
  readonly keyOnly?: true
  readonly curl?: true
  readonly qr?: true
  readonly as?: S3Form
  readonly signingKey?: string
}

export function addMint(program: Command, cli: Cli): void {
  const command = program
    .command('mint')
    .description('Mint a key and print its link. Needs no running server.')
    .argument('<path...>', 'BUCKET/KEY one object, BUCKET/PREFIX/ all beneath it, / everything')
  addRestrictions(command)
    .option('--overwrite', 'uploads may replace objects (without it they only create)')
    .option('--renewable', 'its end can be put off later, its link unchanged')
    .option('--key-only', 'print the key without the URL')
    .option('--curl', 'print curl command lines')
    .option('--qr', 'draw the link as a QR code, on stderr')
    .addOption(
      new Option('--as <form>', 'for S3 clients: a presigned URL, a form, credentials').choices(
        S3_FORMS,
      ),
    )
    .option('--signing-key <kid>', 'with --as: sign with this one')
    .addHelpText(
      'after',
      "\nExample:\n  valetkey mint uploads/ann/ --method PUT --max-size 10MiB --type 'image/*' --expires 1h",
    )
    .action((paths: readonly string[], flags: Flags) => mint(cli, paths, flags))
}

async function mint(cli: Cli, paths: readonly string[], flags: Flags): Promise<void> {
  const options: MintOptions = {
    ...restrictionsStated({ ...flags }),
    path: paths,
    ...(flags.overwrite && { overwrite: true }),
  }
  if (flags.as === undefined && flags.signingKey !== undefined) {
    throw new UsageError('--signing-key goes with --as')
  }
  if (flags.as !== undefined) {
    if (flags.keyOnly || flags.curl || flags.qr) {
      throw new UsageError('--key-only, --curl and --qr do not go with --as')
    }
    await mintForS3(cli, options, flags.as, flags.signingKey)
    return
  }
  const minted = await mintedWith(cli, options, flags)
  const { url, key, id, path, methods, expires } = minted
  await cli.terminal.result({ url, key, id, path, methods, expires }, () => text(minted, flags))
  const blanks = flags.curl ? toFillIn(curlLines(url, minted.claims), minted.claims) : undefined
  if (blanks !== undefined) cli.terminal.note(blanks)
  cli.terminal.note(summary(minted, cli.shell.now()))
  if (flags.qr) drawQr(cli, url)
}

/** Without a data folder, the signing key of the environment mints, and nobody writes it down. */
async function mintedWith(cli: Cli, options: MintOptions, { renewable }: Flags): Promise<Minted> {
  const settings = cli.settings()
  const stated = cli.signingKey
  if (stated !== undefined && !cli.hasData) {
    if (renewable) throw new UsageError('--renewable needs a data folder, which keeps the end')
    const minted = withFlagNames(() => mintKey(options, context(cli, settings, stated)))
    cli.terminal.warn(
      'valetkey: not recorded: there is no data folder here, VALETKEY_SIGNING_KEY was used',
    )
    return minted
  }
  return cli.withData({ make: true, settings }, async (data) => {
    const signingKey = await data.signingKey()
    const minting = { ...context(cli, settings, signingKey), renewable: renewable === true }
    const minted = withFlagNames(() => mintKey(options, minting))
    await data.record([minted])
    return minted
  })
}

const context = ({ shell }: Cli, { publicUrl, issuer }: Settings, signingKey: SigningKey) => ({
  signingKey,
  now: shell.now(),
  publicUrl: publicUrl[0] ?? '',
  defaultLife: issuer.defaultExpires,
  maxLife: issuer.maxExpires,
})

function text(minted: Minted, { keyOnly, curl }: Flags): string {
  if (keyOnly) return `${minted.key}\n`
  if (curl)
    return curlLines(minted.url, minted.claims)
      .map((line) => `${line}\n`)
      .join('')
  return `${minted.url}\n`
}

const summary = ({ id, expires, methods }: Minted, now: UnixSeconds): string =>
  `${methods.join(', ')} until ${formatTime(expires)} (${relativeTime(expires, now)}); revoke it with: valetkey revoke ${id}`
