/** Keys for people: what `share` and `request` have in common. The link is one to a page of the gateway. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { type Minted, mint } from '../issuer/mint.ts'
import type { MintOptions } from '../issuer/options.ts'
import { pageLinkOf } from '../key/link.ts'
import { hashPin, isPin, PIN_LENGTHS } from '../key/node-pin.ts'
import { formatTime, type Seconds } from '../key/units.ts'
import type { Cli } from './cli.ts'
import type { DataFolder } from './data-folder.ts'
import { Failure, UsageError } from './failure.ts'
import { printable, relativeTime } from './format.ts'
import { drawQr } from './qr.ts'
import { withFlagNames } from './restrictions.ts'
import type { Settings } from './settings/schema.ts'
import { askSecret } from './terminal.ts'

export interface PageFlags {
  readonly message?: string
  readonly password?: true | string
  readonly qr?: true
}

/** People need longer than programs: seven days, where keys may live as long. */
const DEFAULT_LIFE = 7 * 86_400
const LONGEST_MESSAGE = 2000

export const addPageOptions = (command: Command): Command =>
  command
    .option('--message <text>', 'what the page says')
    .option(
      '--password [pin]',
      'the page asks for this PIN (default: VALETKEY_PASSWORD, else you are asked)',
    )
    .option('--qr', 'draw the link as a QR code, on stderr')

export interface PageLink extends Omit<Minted, 'url' | 'claims'> {
  readonly link: string
}

/** What the key's holder is told and asked. @throws UsageError, Failure */
export async function readNote(
  cli: Cli,
  { message, password }: PageFlags,
): Promise<{ readonly message?: string; readonly pin?: string }> {
  if (message !== undefined && (message.length > LONGEST_MESSAGE || !message.isWellFormed())) {
    throw new UsageError(`--message has at most ${LONGEST_MESSAGE} characters`)
  }
  const pin = password === undefined ? undefined : await pinOf(cli, password)
  return {
    ...(message !== undefined && { message }),
    ...(pin !== undefined && { pin: await hashPin(pin) }),
  }
}

async function pinOf(cli: Cli, stated: true | string): Promise<string> {
  const { shell } = cli
  if (stated !== true && existsSync(cli.resolve(stated))) {
    throw new UsageError(
      `--password has taken ${printable(stated)}, a file that is here, for the PIN: write --password behind everything else (a PIN of that name goes into VALETKEY_PASSWORD)`,
    )
  }
  const given = stated === true ? shell.env.VALETKEY_PASSWORD || undefined : stated
  const pin = given ?? (await askSecret(shell, 'PIN: '))
  if (isPin(pin)) return pin
  const { least, most } = PIN_LENGTHS
  throw new Failure(`a PIN has ${least} to ${most} characters, none of them a control character`)
}

/**
 * Mints the key, keeps what belongs to it, and writes it down.
 * @param page `share` or `drop`
 */
export async function makePageLink(
  data: DataFolder,
  settings: Settings,
  page: 'share' | 'drop',
  options: MintOptions,
  note: { readonly message?: string; readonly pin?: string },
): Promise<PageLink> {
  const { publicUrl, issuer } = settings
  const context = {
    signingKey: await data.signingKey(),
    now: (await data.clock()).now(),
    publicUrl: publicUrl[0] ?? '',
    defaultLife: Math.min(DEFAULT_LIFE, issuer.maxExpires) as Seconds,
    maxLife: issuer.maxExpires,
    pin: note.pin !== undefined,
  }
  const minted = withFlagNames(() => mint(options, context))
  await data.record([minted])
  if (Object.keys(note).length > 0) await data.keepNotes([{ id: minted.id, ...note }])
  const { url: _, claims: __, ...shown } = minted
  return { link: pageLinkOf(context.publicUrl, page, minted.key), ...shown }
}

/** Says how long it lives, and how it ends. */
export function tellLink(cli: Cli, { link, id, expires }: PageLink, { qr }: PageFlags): void {
  const until = `${formatTime(expires)} (${relativeTime(expires, cli.shell.now())})`
  cli.terminal.note(`until ${until}; revoke it with: valetkey revoke ${id}`)
  if (qr) drawQr(cli, link)
}
