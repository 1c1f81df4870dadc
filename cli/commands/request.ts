import type { Command } from 'commander'
import { parsePath } from '../../key/object-path.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { addPageOptions, makePageLink, type PageFlags, readNote, tellLink } from '../page-link.ts'
import { addRestrictions, restrictionsStated } from '../restrictions.ts'

export function addRequest(program: Command, cli: Cli): void {
  const command = program
    .command('request')
    .description('Ask somebody for files: print the link of a page where they can be dropped.')
    .argument('<prefix>', 'BUCKET/ or BUCKET/PREFIX/ where the files go')
  addRestrictions(command, [
    'expires',
    'uses',
    'once',
    'maxSize',
    'types',
    'bytes',
    'files',
    'rate',
    'policy',
    'plan',
  ])
  addPageOptions(command)
    .addHelpText(
      'after',
      "\nExample:\n  valetkey request inbox/ann/ --max-size 50MiB --type 'image/*' --expires 3d --qr",
    )
    .action((prefix: string, flags: PageFlags) => request(cli, prefix, flags))
}

/** Uploads only create: what is there already is not for whoever has the link. */
async function request(cli: Cli, text: string, flags: PageFlags): Promise<void> {
  const { path } = parsePath(text === '' || text.endsWith('/') ? text : `${text}/`)
  if (path === '') throw new UsageError('PREFIX is BUCKET/ or BUCKET/PREFIX/')
  const settings = cli.settings()
  const note = await readNote(cli, flags)
  const options = { ...restrictionsStated({ ...flags }), path, methods: 'PUT' }
  const made = await cli.withData({ make: true, settings }, (data) =>
    makePageLink(data, settings, 'drop', options, note),
  )
  await cli.terminal.result(made, () => `${made.link}\n`)
  tellLink(cli, made, flags)
}
