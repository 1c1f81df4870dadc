import type { Command } from 'commander'
import { randomId } from '../../issuer/mint.ts'
import { narrow as narrowed } from '../../issuer/narrow.ts'
import type { NarrowOptions } from '../../issuer/options.ts'
import { inspectKey } from '../../key/inspect.ts'
import { keyOf } from '../../key/link.ts'
import { nodeMac } from '../../key/node-mac.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { addRestrictions, repeated, restrictionsStated, withFlagNames } from '../restrictions.ts'

interface Flags {
  readonly path?: readonly string[]
  readonly overwrite: boolean
}

export function addNarrow(program: Command, cli: Cli): void {
  const command = program
    .command('narrow')
    .description('Add restrictions to a key, offline and without any secret.')
    .argument('<url|key>', 'a link with its key, or the key alone')
    .option('--path <scope>', 'only this object or prefix; repeatable', repeated)
    .option('--no-overwrite', 'uploads may only create')
  addRestrictions(command)
    .addHelpText('after', "\nExample:\n  valetkey narrow 'https://…?vk=vk1.…' --expires 10s --once")
    .action((text: string, flags: Flags) => narrow(cli, text, flags))
}

async function narrow(cli: Cli, text: string, flags: Flags): Promise<void> {
  const options: NarrowOptions = {
    ...restrictionsStated({ ...flags }),
    ...(flags.path && { path: flags.path }),
    ...(!flags.overwrite && { overwrite: false }),
  }
  if (Object.keys(options).length === 0) {
    throw new UsageError('state at least one restriction, such as --expires 5m or --method GET')
  }
  const now = cli.shell.now()
  const result = withFlagNames(() => narrowed(text, options, { now, mac: nodeMac, randomId }))
  const { key, url } = keyOf(result)
  const { scopes, methods, expires, ...inspected } = inspectKey(key, now)
  // what revokes the narrower key and not the whole one, where it has an id of its own
  const id = inspected.blocks.findLast(({ claims }) => claims.jti)?.claims.jti ?? inspected.id
  if (scopes.length === 0 || methods.length === 0) {
    cli.terminal.warn(
      'valetkey: the key did not grant what it was narrowed to: now it opens nothing',
    )
  }
  const path = scopes.length === 1 ? scopes[0] : scopes
  await cli.terminal.result(
    { ...(url && { url: result }), key, id, path, methods, expires },
    () => `${result}\n`,
  )
}
