import { type Command, Option } from 'commander'
import type { Logger } from 'pino'
import { type RunningGateway, startGateway } from '../../gateway/main.ts'
import { type RunningIssuer, startIssuer } from '../../issuer/main.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { OutputClosed } from '../failure.ts'
import { makeLog } from '../log.ts'
import { refuseExposure } from '../serve/exposure.ts'
import { rereadOn } from '../serve/reread.ts'
import { makeTour, printStart } from '../serve/start-message.ts'
import { ownUrl } from '../settings/read.ts'
import { LOG_LEVELS, type Settings } from '../settings/schema.ts'
import type { SettingFlag } from '../settings/sources.ts'
import { stopSignal } from '../stop-signal.ts'

interface Flags {
  readonly gatewayListen?: string
  readonly issuerListen?: string
  readonly only?: 'gateway' | 'issuer'
  readonly insecureHttp?: true
  readonly logLevel?: string
}

const PURGE_INTERVAL = 3_600_000

export function addServe(program: Command, cli: Cli): void {
  program
    .command('serve')
    .description('Run the gateway and the issuer on this data folder, until SIGTERM or Ctrl-C.')
    .option('--gateway-listen <address>', 'public: HOST:PORT (default: 127.0.0.1:8080)')
    .option('--issuer-listen <address>', 'private: HOST:PORT (default: 127.0.0.1:8081)')
    .addOption(new Option('--only <part>', 'run one of the two').choices(['gateway', 'issuer']))
    .option('--insecure-http', 'listen without TLS beyond this machine, with no proxy in front')
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS))
    .addHelpText('after', '\nExample:\n  valetkey serve --data /srv/valetkey')
    .action((flags: Flags) => serve(cli, flags))
}

const settingFlags = (flags: Flags): readonly SettingFlag[] =>
  [
    { flag: '--gateway-listen', setting: 'gateway.listen', value: flags.gatewayListen },
    { flag: '--issuer-listen', setting: 'issuer.listen', value: flags.issuerListen },
    { flag: '--log-level', setting: 'logLevel', value: flags.logLevel },
  ].filter(({ value }) => value !== undefined)

async function serve(cli: Cli, flags: Flags): Promise<void> {
  const settings = cli.settings(settingFlags(flags))
  refuseExposure(settings, flags)
  const log = makeLog(cli.shell, settings.logLevel)
  const stop = stopSignal(cli.shell)
  try {
    await cli.withData({ make: true, settings }, async (data) => {
      const running = await start(data, settings, flags, log)
      const endTasks = await beside(cli, data, settings, flags, log)
      try {
        const tour = await makeTour(cli, data, settings, running)
        await printStart(cli, settings, running, tour).catch(unread)
        const signal = await stop.received
        log.info({ signal, drain: settings.gateway.drain }, 'draining')
      } finally {
        endTasks()
        await Promise.all([running.gateway?.close(), running.issuer?.close()])
      }
    })
    log.info('stopped')
  } finally {
    stop.release()
    log.flush()
  }
}

/** Nobody reads what is printed: it serves all the same. */
function unread(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error
}

export interface Running {
  readonly gateway?: RunningGateway
  readonly issuer?: RunningIssuer
}

/** All or none: where one of them can't listen, the other is closed again. */
async function start(
  data: DataFolder,
  settings: Settings,
  { only }: Flags,
  log: Logger,
): Promise<Running> {
  await data.signingKey()
  const parts = { ledger: await data.ledger(), keyring: await data.keyring(), log }
  const store = only === 'issuer' ? undefined : await data.store()
  const gateway =
    store &&
    (await startGateway({ ...parts, settings: settings.gateway, cors: settings.cors, store }))
  if (only === 'gateway') return { ...(gateway && { gateway }) }
  try {
    const issuer = await startIssuer({
      ...parts,
      settings: settings.issuer,
      publicUrl: publicUrlOf(settings, gateway),
      secretsFolder: data.secretsFolder,
    })
    return { issuer, ...(gateway && { gateway }) }
  } catch (error) {
    await gateway?.close()
    throw error
  }
}

/** A stated one, else where the gateway in fact listens: its port may have been any free one. */
function publicUrlOf(settings: Settings, gateway: RunningGateway | undefined): string {
  const [first = ''] = settings.publicUrl
  if (gateway === undefined || first !== ownUrl(settings)) return first
  return ownUrl(settings, gateway.port)
}

/** What goes on beside the requests; returns what ends it. */
async function beside(
  cli: Cli,
  data: DataFolder,
  settings: Settings,
  flags: Flags,
  log: Logger,
): Promise<() => void> {
  const ledger = await data.ledger()
  const keyring = await data.keyring()
  const purge = setInterval(() => {
    ledger.purge(cli.shell.now()).then(
      (forgotten) => log.debug({ forgotten }, 'purged'),
      (error: unknown) => log.warn({ err: error }, 'not purged'),
    )
  }, PURGE_INTERVAL).unref()
  const endReread = rereadOn(cli.shell, {
    keyring,
    log,
    settings,
    read: () => cli.settings(settingFlags(flags)),
  })
  return () => {
    clearInterval(purge)
    endReread()
  }
}
