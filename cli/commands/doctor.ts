import { join } from 'node:path'
import type { Command } from 'commander'
import { Layout } from '../../gateway/store/disk/layout.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { certificate } from '../doctor/certificate.ts'
import { database } from '../doctor/databases.ts'
import { type Finding, fail, ok, warn } from '../doctor/finding.ts'
import { gateway, publicUrl } from '../doctor/network.ts'
import { clock, disk, fileSystem, permissions } from '../doctor/system.ts'
import { describe } from '../failure.ts'
import { ownUrl, SettingsError } from '../settings/read.ts'
import type { Settings } from '../settings/schema.ts'
import { formatTable } from '../table.ts'

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('Look whether everything is as it should be, and say what to do where it is not.')
    .option('--accept-clock', 'the clock is right now, though it was later before; then restart')
    .addHelpText('after', '\nExample:\n  valetkey doctor --data /srv/valetkey')
    .action(async ({ acceptClock }: { acceptClock?: true }) => {
      if (acceptClock) await cli.withData({ make: false }, (data) => resetTime(cli, data))
      await doctor(cli)
    })
}

const resetTime = async ({ shell }: Cli, data: DataFolder): Promise<void> =>
  (await data.acts()).resetTime(shell.now())

async function doctor(cli: Cli): Promise<void> {
  const findings = await examine(cli)
  const failed = findings.filter(({ status }) => status === 'fail')
  await cli.terminal.result({ healthy: failed.length === 0, findings }, () => table(cli, findings))
  if (failed.length > 0) cli.exitCode = 1
}

async function examine(cli: Cli): Promise<readonly Finding[]> {
  let settings: Settings
  try {
    settings = cli.settings()
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.mistakes.map((mistake) =>
      fail('configuration', mistake, 'correct it; nothing starts before'),
    )
  }
  return [
    ok('configuration', 'every setting is one, and right'),
    await look('certificate', () => certificate(settings.tls, cli.shell.now())),
    ...(await folderFindings(cli, settings)),
    ...(await networkFindings(settings)),
  ]
}

async function folderFindings(cli: Cli, settings: Settings): Promise<readonly Finding[]> {
  const label = cli.label(cli.dataPath)
  if (!cli.hasData) {
    const advice = 'start valetkey serve, or name yours with --data'
    return [
      warn('data folder', `there is none at ${label} yet`, advice),
      await clock(cli.shell.now(), undefined),
    ]
  }
  const path = cli.dataPath
  return [
    ok('data folder', label),
    await look('permissions', () => permissions(path)),
    await look('disk', () => disk(path, settings.store)),
    await look('file system', () => fileSystem(path)),
    ...(await contentFindings(cli, settings)),
  ]
}

/** What can only be seen with the folder open. Whatever does not open is a finding of its own. */
async function contentFindings(cli: Cli, settings: Settings): Promise<readonly Finding[]> {
  try {
    return await cli.withData({ make: false, settings }, async (data) => {
      const ledger = await tried(() => data.ledger())
      return [
        await look('clock', () => clock(cli.shell.now(), ledger)),
        await look('database ledger', async () => ledgerDatabase(data)),
        await look('database store', async () => storeDatabase(data)),
        await look('signing key', () => signingKey(data)),
      ]
    })
  } catch (error) {
    return [failed('data folder', error)]
  }
}

const tried = async (open: () => Promise<Ledger>): Promise<Ledger | undefined> =>
  open().catch(() => undefined)

async function ledgerDatabase(data: DataFolder): Promise<Finding> {
  await data.ledger()
  return database('ledger', join(data.path, 'ledger.db'))
}

async function storeDatabase(data: DataFolder): Promise<Finding> {
  await data.store()
  return database('store', new Layout(join(data.path, 'store')).index)
}

async function signingKey(data: DataFolder): Promise<Finding> {
  const keyring = await data.keyring()
  const [problem] = keyring.problems()
  if (problem !== undefined) return failed('signing key', problem)
  return ok('signing key', `${keyring.active().kid} signs new keys`)
}

async function look(check: string, at: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await at()
  } catch (error) {
    return failed(check, error)
  }
}

const failed = (check: string, error: unknown): Finding =>
  fail(check, describe(error), 'see what it says')

async function networkFindings(settings: Settings): Promise<readonly Finding[]> {
  const own = ownUrl(settings)
  const others = settings.publicUrl.filter((url) => url !== own)
  return Promise.all([gateway(own), ...others.map(publicUrl)])
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function table({ terminal: { paint } }: Cli, findings: readonly Finding[]): string {
  return formatTable<Finding>(
    [
      { value: ({ status }) => status, paint: (cell, { status }) => paint(STYLES[status], cell) },
      { value: ({ check }) => check },
      {
        value: ({ detail, advice }) =>
          advice === undefined ? detail : `${detail}. To do: ${advice}`,
      },
    ],
    findings,
  )
}
