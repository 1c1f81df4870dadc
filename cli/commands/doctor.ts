import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Layout } from '../../gateway/store/disk/layout.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { mintKey } from '../../key/sign.ts'
import { parseDuration, type Seconds, type UnixSeconds } from '../../key/units.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { certificate } from '../doctor/certificate.ts'
import { database } from '../doctor/databases.ts'
import { type Finding, fail, ok, warn } from '../doctor/finding.ts'
import { audit, backup, scrub } from '../doctor/keeping.ts'
import { gateway, type MintProbe, publicUrl } from '../doctor/network.ts'
import { clock, disk, fileSystem, permissions } from '../doctor/system.ts'
import { describe, UsageError } from '../failure.ts'
import { ownUrl, SettingsError } from '../settings/read.ts'
import type { Settings } from '../settings/schema.ts'

interface Flags {
  readonly acceptClock?: true
  readonly maxBackupAge: string
}

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('Look whether everything is as it should be, and say what to do where it is not.')
    .option('--accept-clock', 'the clock is right now, though it was later before; then restart')
    .option('--max-backup-age <duration>', 'how old the last backup may be', '7d')
    .addHelpText('after', '\nExample:\n  valetkey doctor --data /srv/valetkey')
    .action(async ({ acceptClock, maxBackupAge }: Flags) => {
      const backupAge = ageOf(maxBackupAge)
      if (acceptClock) await cli.withData({ make: false }, (data) => resetTime(cli, data))
      await doctor(cli, backupAge)
    })
}

function ageOf(text: string): Seconds {
  try {
    return parseDuration(text)
  } catch {
    throw new UsageError('--max-backup-age is a duration such as 7d')
  }
}

const resetTime = async ({ shell }: Cli, data: DataFolder): Promise<void> =>
  (await data.acts()).resetTime(shell.now())

async function doctor(cli: Cli, backupAge: Seconds): Promise<void> {
  const findings = await examine(cli, backupAge)
  const failed = findings.filter(({ status }) => status === 'fail')
  await cli.terminal.result({ healthy: failed.length === 0, findings }, () => table(cli, findings))
  if (failed.length > 0) cli.exitCode = 1
}

async function examine(cli: Cli, backupAge: Seconds): Promise<readonly Finding[]> {
  let settings: Settings
  try {
    settings = cli.settings()
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.mistakes.map((mistake) =>
      fail('configuration', mistake, 'correct it; nothing starts before'),
    )
  }
  const folder = await folderFindings(cli, settings, backupAge)
  return [
    ok('configuration', 'every setting is one, and right'),
    await look('certificate', () => certificate(settings.tls, cli.shell.now())),
    ...folder.findings,
    ...(await networkFindings(settings, folder.mint)),
  ]
}

interface Seen {
  readonly findings: readonly Finding[]
  /** absent where there is no signing key */
  readonly mint?: MintProbe
}

async function folderFindings(cli: Cli, settings: Settings, backupAge: Seconds): Promise<Seen> {
  const label = cli.label(cli.dataPath)
  if (!cli.hasData) {
    const advice = 'start valetkey serve, or name yours with --data'
    const none = warn('data folder', `there is none at ${label} yet`, advice)
    return { findings: [none, await clock(cli.shell.now(), undefined)] }
  }
  const path = cli.dataPath
  const now = cli.shell.now()
  const { findings, ...seen } = await contentFindings(cli, settings)
  const outside = [
    ok('data folder', label),
    await look('permissions', () => permissions(path)),
    await look('disk', () => disk(path, settings.store)),
    await look('file system', () => fileSystem(statfsSync(path).type)),
    await look('backup', () => backup(path, now, backupAge)),
    await look('scrub', () => scrub(path)),
    await look('audit', () => audit(path, settings.audit)),
  ]
  return { ...seen, findings: [...outside, ...findings] }
}

/** What can only be seen with the folder open. Whatever does not open is a finding of its own. */
async function contentFindings(cli: Cli, settings: Settings): Promise<Seen> {
  try {
    return await cli.withData({ make: false, settings }, async (data) => {
      const ledger = await tried(() => data.ledger())
      const findings = [
        await look('clock', () => clock(cli.shell.now(), ledger)),
        await look('database ledger', async () => ledgerDatabase(data)),
        await look('database store', async () => storeDatabase(data)),
        await look('signing key', () => signingKey(data)),
      ]
      const mint = await probing(data, cli.shell.now()).catch(() => undefined)
      return { findings, ...(mint && { mint }) }
    })
  } catch (error) {
    return { findings: [failed('data folder', error)] }
  }
}

/** For a minute, and for nothing: there is no such bucket. */
async function probing(data: DataFolder, now: UnixSeconds): Promise<MintProbe> {
  const key = (await data.keyring()).active()
  const exp = now + 60
  return (claims) =>
    mintKey(
      {
        jti: randomBytes(12).toString('base64url'),
        iat: now,
        exp,
        path: 'doctor-probe/',
        methods: ['GET'],
        ...claims,
      },
      key,
      nodeMac,
    )
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

async function networkFindings(
  settings: Settings,
  mint: MintProbe | undefined,
): Promise<readonly Finding[]> {
  const own = ownUrl(settings)
  const others = settings.publicUrl.filter((url) => url !== own)
  const ours = await gateway(own, mint)
  const isServing = ours.status === 'ok'
  const found = await Promise.all(others.map((url) => publicUrl(url, mint, isServing)))
  return [ours, ...found.flat()]
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function table({ terminal }: Cli, findings: readonly Finding[]): string {
  return terminal.table<Finding>(
    [
      {
        value: ({ status }) => status,
        paint: (cell, { status }) => terminal.paint(STYLES[status], cell),
      },
      { value: ({ check }) => check },
      {
        value: ({ detail, advice }) =>
          advice === undefined ? detail : `${detail}. To do: ${advice}`,
        fit: 'wrap',
      },
    ],
    findings,
  )
}
