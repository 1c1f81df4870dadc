/** What a person reads when the program has started: where it listens, and two commands to try. */
import { join } from 'node:path'
import { type Minted, mint } from '../../issuer/mint.ts'
import type { MintOptions } from '../../issuer/options.ts'
import { formatDuration, type Seconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { printable, shellQuoted } from '../format.ts'
import { ownUrl } from '../settings/read.ts'
import type { Settings } from '../settings/schema.ts'
import { programVersion } from '../version.ts'
import { isLoopback } from './exposure.ts'
import type { Running } from './running.ts'

interface Tour {
  readonly upload: string
  readonly download: string
  readonly life: Seconds
}

const TOUR_LIFE = 3600
const TOUR_PATH = 'demo/hello.txt'

/**
 * Commands that work when pasted. Keys are made for them only where nobody beyond this machine
 * could use them: what a server prints often ends up in a log.
 */
export async function makeTour(
  cli: Cli,
  data: DataFolder,
  settings: Settings,
  { gateway }: Running,
): Promise<Tour | undefined> {
  const { listen } = settings.gateway
  if (gateway === undefined || !isLoopback(listen.host)) return undefined
  const life = Math.min(TOUR_LIFE, settings.issuer.maxExpires) as Seconds
  const context = {
    signingKey: await data.signingKey(),
    now: cli.shell.now(),
    publicUrl: ownUrl(settings, gateway.port),
    defaultLife: life,
    maxLife: life,
  }
  const minted = (options: Omit<MintOptions, 'path'>): Minted =>
    mint({ path: TOUR_PATH, subject: 'tour', ...options }, context)
  const put = minted({ methods: 'PUT', overwrite: true, maxSize: '1MiB' })
  const get = minted({})
  await data.record([put, get], 'serve')
  return {
    upload: `curl --fail-with-body -X PUT -H 'Content-Type: text/plain' --data-binary 'hello from valetkey' ${shellQuoted(put.url)}`,
    download: `curl --fail-with-body ${shellQuoted(get.url)}`,
    life,
  }
}

export async function printStart(
  cli: Cli,
  { publicUrl }: Settings,
  { gateway, issuer }: Running,
  tour: Tour | undefined,
): Promise<void> {
  const { paint } = cli.terminal
  const token = printable(cli.label(join(cli.dataPath, 'secrets', 'admin-token')))
  const facts = [
    ...(gateway ? [`gateway  ${gateway.url}`] : []),
    ...(issuer ? [`issuer   ${issuer.url}  (admin token: ${token})`] : []),
    `data     ${printable(cli.label(cli.dataPath))}`,
  ]
  const hint = tour
    ? [
        `Try it, within ${formatDuration(tour.life)}: upload a file, then download it.`,
        '',
        `  ${tour.upload}`,
        `  ${tour.download}`,
      ]
    : ['Mint a link with: valetkey mint BUCKET/KEY --method PUT']
  await cli.terminal.result(
    { gateway: gateway?.url, issuer: issuer?.url, publicUrl, data: cli.dataPath, try: tour },
    () =>
      `${[paint('bold', `valetkey ${programVersion()}`), ...facts, '', ...hint].join('\n')}\n\n`,
  )
}
