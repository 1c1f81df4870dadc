import { type Command, Option } from 'commander'
import type { NarrowOptions } from '../../issuer/options.ts'
import { createS3Key } from '../../issuer/signing-keys.ts'
import type { Cli } from '../cli.ts'
import { addRestrictions, byFlags, repeated, restrictionsStated } from '../restrictions.ts'

interface Flags {
  readonly path?: readonly string[]
  readonly overwrite: boolean
}

export function addKeysCreate(keys: Command, cli: Cli): void {
  const command = keys
    .command('create')
    .description('Make an access key for S3 clients, which may do at most what is stated.')
    .addOption(
      new Option('--kind <kind>', 'what kind of key').choices(['s3']).makeOptionMandatory(),
    )
    .option('--path <scope>', 'only this object or prefix; repeatable', repeated)
    .option('--no-overwrite', 'uploads may only create')
  addRestrictions(command)
    .addHelpText(
      'after',
      '\nExample:\n  valetkey keys create --kind s3 --path backups/ --method GET,PUT,LIST',
    )
    .action((flags: Flags) => create(cli, flags))
}

async function create(cli: Cli, flags: Flags): Promise<void> {
  const options: NarrowOptions = {
    ...restrictionsStated({ ...flags }),
    ...(flags.path && { path: flags.path }),
    ...(!flags.overwrite && { overwrite: false }),
  }
  await cli.withData({ make: true }, async (data) => {
    const context = await data.signingKeys()
    const { accessKeyId, secretAccessKey, record } = await createS3Key(options, context).catch(
      (error: unknown) => {
        throw byFlags(error)
      },
    )
    const { ceiling } = record
    await cli.terminal.result(
      { accessKeyId, secretAccessKey, ...(ceiling && { ceiling }) },
      () => `AWS_ACCESS_KEY_ID=${accessKeyId}\nAWS_SECRET_ACCESS_KEY=${secretAccessKey}\n`,
    )
    cli.terminal.note(
      `Keep the secret where only its user reads it; revoke both with: valetkey keys revoke ${accessKeyId}`,
    )
  })
}
