/** What every way of uploading has in common: bytes come in as a transfer, all or nothing. */
import type { UploadLimits } from '../../key/clear.ts'
import type { ObjectPath, Prefix } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Admitted } from '../admit.ts'
import { checkAudit } from '../audit-record.ts'
import { andThen } from '../awaitable.ts'
import { limited } from '../body/limited.ts'
import { type Body, type ContentDigest, type Received, receive } from '../body/receive.ts'
import type { Exchange } from '../exchange.ts'
import type { Meter } from '../meter.ts'
import type { Services } from '../services.ts'
import { checkTrouble, type Writing } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'

/** Begins to read a body, in whatever form it comes. */
export type OpenBody = (onBytes: (count: number) => void) => Body

export interface Intake<W extends Writing, T> {
  readonly grant: Grant
  readonly path: ObjectPath | Prefix
  readonly limits: UploadLimits
  readonly type: string
  readonly body: OpenBody
  readonly digest: ContentDigest
  /** where the bytes go */
  readonly open: () => Awaitable<W>
  /** false: nothing that is stored, such as a list of names */
  readonly isContent?: boolean
  /** looks at them before they become anything */
  readonly inspect?: ((writing: W, received: Received) => Promise<void>) | undefined
  /** makes them what they are to be, durably */
  readonly commit: (writing: W, received: Received, now: UnixSeconds) => Promise<T>
}

/** What needs no byte of the body to be refused. @throws Refusal too_large, storage_full, unavailable */
export function checkRoom(
  { settings, store, transfers, audit, inspection }: Services,
  { attempt }: Admitted,
): Awaitable<void> {
  const declared = attempt.upload?.size
  if (declared !== undefined) inspection?.checkSize(attempt.path as ObjectPath, declared)
  if (declared !== undefined && declared > settings.maxObjectSize) {
    throw new Refusal(
      'too_large',
      `the upload has ${declared} bytes; this gateway takes at most ${settings.maxObjectSize}`,
    )
  }
  transfers.checkUploads()
  checkAudit(audit)
  return andThen(store.trouble(), checkTrouble)
}

/**
 * Runs an upload as a transfer that can be cut. Whatever refuses it leaves nothing behind.
 * @throws Refusal
 */
export async function takeIn<W extends Writing, T>(
  intake: Intake<W, T>,
  exchange: Exchange,
  services: Services,
): Promise<T> {
  const meter = await meterOf(intake, exchange, services)
  try {
    return await transferred(intake, meter, exchange, services)
  } finally {
    await meter?.settle()
  }
}

async function transferred<W extends Writing, T>(
  intake: Intake<W, T>,
  meter: Meter | undefined,
  exchange: Exchange,
  services: Services,
): Promise<T> {
  const { grant, path } = intake
  const { transfers, pacing } = services
  const pace = pacing.of(grant)
  const cut = (why: Refusal): void => body.fail(why)
  const transfer = transfers.begin({ grant, path, direction: 'in', cut, pace })
  exchange.sendContinue()
  const raw = intake.body((count) => {
    exchange.bytesIn += count
    meter?.arrived(count)
    transfer.move(count)
  })
  const body = limited(raw, { meter, pace }, transfer, exchange.incoming)
  try {
    return await stored(intake, body, transfer, services)
  } finally {
    transfers.end(transfer)
  }
}

/** @throws Refusal bytes_exhausted */
function meterOf(
  { grant, isContent = true }: Pick<Intake<Writing, unknown>, 'grant' | 'isContent'>,
  exchange: Exchange,
  { gatekeeper, clock }: Services,
): Awaitable<Meter | undefined> {
  return isContent ? gatekeeper.meter(grant, clock.now(), declaredBy(exchange)) : undefined
}

/**
 * How many bytes a request says that it brings; a form has more in it than the file.
 * @throws Refusal too_large
 */
export function declaredBy({ incoming: { headers } }: Exchange): number | undefined {
  const length = headers['content-length']
  if (length === undefined || /^multipart\//i.test(headers['content-type'] ?? '')) return undefined
  const size = Number(length)
  if (Number.isSafeInteger(size)) return size
  throw new Refusal('too_large', `no upload has ${length} bytes`)
}

async function stored<W extends Writing, T>(
  { grant, path, limits, type, digest, open, inspect, commit }: Intake<W, T>,
  body: Body,
  transfer: Transfer,
  { settings, gatekeeper, clock }: Services,
): Promise<T> {
  const writing = await open()
  try {
    const expected = { type, limits, most: settings.maxObjectSize }
    const received = await receive(body, writing, digest, expected, transfer)
    if (inspect !== undefined) await transfer.onOurTime(inspect(writing, received))
    const now = clock.now()
    const revoked = await gatekeeper.revoked(grant, path, now)
    if (revoked !== undefined) throw revoked
    return await transfer.onOurTime(commit(writing, received, now))
  } finally {
    await writing.discard()
  }
}
