import { type Command, Option } from 'commander'
import type { Logger } from 'pino'
import { auditFolderOf } from '../../audit/open.ts'
import { NOTEWORTHY, type SteadyClock } from '../../gateway/clock.ts'
import type { RunningGateway } from '../../gateway/main.ts'
import type { Refusal } from '../../key/refusal.ts'
import { loadTls } from '../../listener/tls.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { OutputClosed } from '../failure.ts'
import { makeLog } from '../log.ts'
import { refuseExposure } from '../serve/exposure.ts'
import { rereadOn } from '../serve/reread.ts'
import type { Running } from '../serve/running.ts'
import { makeTour, printStart } from '../serve/start-message.ts'
import { startTelling } from '../serve/tell.ts'
import { isWorker, shareOf, startWorkers, workerSignals } from '../serve/workers.ts'
import { ownUrl } from '../settings/read.ts'
import { LOG_LEVELS, type Settings } from '../settings/schema.ts'
import type { SettingFlag } from '../settings/sources.ts'
import { stopSignal } from '../stop-signal.ts'
import { programVersion } from '../version.ts'

interface Flags {
  readonly gatewayListen?: string
  readonly issuerListen?: string
  readonly only?: 'gateway' | 'issuer'
  readonly insecureHttp?: true
  readonly accessLog?: true
  readonly logLevel?: string
  readonly workers?: number
}

const PURGE_INTERVAL = 3_600_000

export function addServe(program: Command, cli: Cli): void {
  program
    .command('serve')
    .description('Run the gateway and the issuer on this data folder, until SIGTERM or Ctrl-C.')
    .option('--gateway-listen <address>', 'public: HOST:PORT (default: 127.0.0.1:8080)')
    .option('--issuer-listen <address>', 'private: HOST:PORT (default: 127.0.0.1:8081)')
    .addOption(new Option('--only <part>', 'run one of the two').choices(['gateway', 'issuer']))
    .option('--workers <n>', 'processes that share the port of the gateway (default: 1)', Number)
    .option('--insecure-http', 'listen without TLS beyond this machine, with no proxy in front')
    .option('--access-log', 'log each request (the audit has them in any case)')
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS))
    .addHelpText('after', '\nExample:\n  valetkey serve --data /srv/valetkey')
    .action((flags: Flags) => serve(cli, flags))
}

const settingFlags = (flags: Flags): readonly SettingFlag[] =>
  [
    { flag: '--gateway-listen', setting: 'gateway.listen', value: flags.gatewayListen },
    { flag: '--issuer-listen', setting: 'issuer.listen', value: flags.issuerListen },
    { flag: '--access-log', setting: 'gateway.accessLog', value: flags.accessLog },
    { flag: '--log-level', setting: 'logLevel', value: flags.logLevel },
    { flag: '--workers', setting: 'gateway.workers', value: flags.workers },
  ].filter(({ value }) => value !== undefined)

async function serve(cli: Cli, flags: Flags): Promise<void> {
  const settings = cli.settings(settingFlags(flags))
  refuseExposure(settings, flags)
  if (isWorker()) return work(cli, flags, shareOf(settings))
  const log = makeLog(cli.shell, settings.logLevel)
  const stop = stopSignal(cli.shell)
  try {
    await cli.withData({ make: true, isExpected: true, settings }, async (data) => {
      await data.audit(tellOfAudit(log))
      await startTelling(cli, data, settings, log)
      const running = await start(cli, data, settings, flags, log)
      const endTasks = await beside(cli, data, settings, flags, log, running)
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

/** One gateway of several, see `serve/workers.ts`. Where it can't start, it ends all the same. */
async function work(cli: Cli, flags: Flags, settings: Settings): Promise<void> {
  const shell = { ...cli.shell, signals: workerSignals() }
  const log = makeLog(shell, settings.logLevel)
  const stop = stopSignal(shell)
  try {
    await cli.withData({ make: true, isExpected: true, settings }, async (data) => {
      await data.audit(tellOfAudit(log))
      const gateway = await startOne(data, settings, log)
      const { ledger, keyring } = await partsOf(data)
      const read = () => shareOf(cli.settings(settingFlags(flags)))
      const renewTls = (): void => gateway.renewTls(loadTls(settings.tls, 'gateway'))
      const endReread = rereadOn(shell, { keyring, log, settings, read, renewTls })
      const endNotes = (await data.clock()).noteRegularly((error) =>
        log.warn({ err: error, failure: ledger.failure()?.message }, 'the time was not noted'),
      )
      await stop.received
      endNotes()
      endReread()
      await gateway.close()
    })
  } finally {
    stop.release()
    log.flush()
    // the channel to the first process would hold this one
    if (process.connected) process.disconnect()
  }
}

/** Nobody reads what is printed: it serves all the same. */
function unread(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error
}

/** All or none: where one of them can't listen, the other is closed again. */
async function start(
  cli: Cli,
  data: DataFolder,
  settings: Settings,
  { only }: Flags,
  log: Logger,
): Promise<Running> {
  await data.signingKey()
  const gateway = only === 'issuer' ? undefined : await startAll(cli, data, settings, log)
  if (only === 'gateway') return { ...(gateway && { gateway }) }
  try {
    const { startIssuer } = await import('../../issuer/main.ts')
    const issuer = await startIssuer({
      ...(await partsOf(data)),
      log,
      audit: await data.audit(),
      auditFolder: auditFolderOf(data.path),
      dataFolder: data.path,
      metricsFolder: data.metricsFolder,
      metrics: settings.metrics,
      version: programVersion(),
      settings: settings.issuer,
      publicUrl: publicUrlOf(settings, gateway),
      secretsFolder: data.secretsFolder,
      now: (await data.clock()).now,
      tls: loadTls(settings.tls, 'issuer'),
    })
    return { issuer, ...(gateway && { gateway }) }
  } catch (error) {
    await gateway?.close()
    throw error
  }
}

const startAll = (
  cli: Cli,
  data: DataFolder,
  settings: Settings,
  log: Logger,
): Promise<RunningGateway> =>
  settings.gateway.workers === 1
    ? startOne(data, settings, log)
    : startWorkers(settings, cli.shell, log)

async function startOne(
  data: DataFolder,
  settings: Settings,
  log: Logger,
): Promise<RunningGateway> {
  const { startGateway } = await import('../../gateway/main.ts')
  return startGateway({
    ...(await partsOf(data)),
    settings: settings.gateway,
    cors: settings.cors,
    s3: settings.s3,
    scan: settings.scan,
    publicUrls: settings.publicUrl,
    store: await data.store(),
    clock: await data.clock(),
    audit: await data.audit(),
    metrics: data.metrics(),
    tls: loadTls(settings.tls, 'gateway'),
    log,
  })
}

const partsOf = async (data: DataFolder) => ({
  ledger: await data.ledger(),
  keyring: await data.keyring(),
})

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
  running: Running,
): Promise<() => void> {
  const { ledger, keyring } = await partsOf(data)
  const clock = await data.clock()
  tellOfClock(clock, log)
  const endNotes = clock.noteRegularly((error) =>
    log.warn({ err: error }, 'the time was not noted'),
  )
  const purge = setInterval(() => {
    ledger.purge(clock.now()).then(
      (forgotten) => log.debug({ forgotten }, 'purged'),
      (error: unknown) => log.warn({ err: error }, 'not purged'),
    )
  }, PURGE_INTERVAL).unref()
  const endReread = rereadOn(cli.shell, {
    keyring,
    log,
    settings,
    read: () => cli.settings(settingFlags(flags)),
    renewTls: () => renewTls(settings.tls, running),
  })
  return () => {
    clearInterval(purge)
    endNotes()
    endReread()
  }
}

/** Both or none. @throws TlsError */
function renewTls(tls: Settings['tls'], { gateway, issuer }: Running): void {
  const [ofGateway, ofIssuer] = [loadTls(tls, 'gateway'), loadTls(tls, 'issuer')]
  gateway?.renewTls(ofGateway)
  issuer?.renewTls(ofIssuer)
}

/** Reads go on without their records; whoever runs this must know. */
const tellOfAudit =
  (log: Logger) =>
  (trouble: Refusal | undefined): void => {
    if (trouble === undefined) log.warn('the audit is written again')
    else log.error({ code: trouble.code, detail: trouble.detail }, 'the audit is not written')
  }

function tellOfClock(clock: SteadyClock, log: Logger): void {
  const behind = clock.behind()
  if (behind <= NOTEWORTHY) return
  log.error(
    { behind },
    'the clock of this machine was set back: what had expired stays expired. If it is right now, say so with: valetkey doctor --accept-clock',
  )
}
