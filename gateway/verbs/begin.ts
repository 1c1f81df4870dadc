/** What beginning an upload has in common, whether its parts come in order or not. */
import { setTimeout } from 'node:timers/promises'
import type { ObjectPath } from '../../key/object-path.ts'
import { later, type Seconds } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { isOfLedger, tooManyOpen } from '../open-uploads.ts'
import type { Services } from '../services.ts'
import { holds } from '../store/condition.ts'
import { type MultipartInfo, type NewMultipart, TooManyOpen } from '../store/multipart.ts'
import { checkRoom } from './intake.ts'
import { conditionOf, conflictOf, takeUploadUse } from './put.ts'

/** An upload that nobody has ended by then ends by itself. */
export const UNFINISHED_SECONDS = 86_400 as Seconds

/** @throws Refusal */
export async function begin(
  admitted: Admitted,
  services: Services,
  as: Pick<NewMultipart, 'meta' | 'note'>,
): Promise<MultipartInfo> {
  const path = admitted.attempt.path as ObjectPath
  await checkRoom(services, admitted)
  const existing = await services.store.head(path)
  if (!holds(conditionOf(admitted, {}), existing)) throw conflictOf(admitted, { condition: {} })
  await probeUse(admitted, services)
  const created = services.clock.now()
  const type = admitted.attempt.upload?.type ?? ''
  const expires = later(created, UNFINISHED_SECONDS)
  const upload = { ...as, type, created, expires }
  return opened(admitted, services, upload, existing === undefined)
}

/**
 * An upload that goes on, or is about to be the object, holds for a moment what it takes, and is open
 * as well: who finds no room looks again before it is believed.
 */
const LOOKS = 4
const BETWEEN_MS = 150

async function opened(
  { grant, attempt }: Admitted,
  { store, gatekeeper, settings }: Services,
  as: NewMultipart,
  creates: boolean,
): Promise<MultipartInfo> {
  for (let look = 1; ; look += 1) {
    const limits = await gatekeeper.openLimits(grant, creates, settings.maxOpenUploads)
    try {
      return await store.multipart.create(attempt.path as ObjectPath, as, limits)
    } catch (error) {
      if (!(error instanceof TooManyOpen)) throw error
      if (look === LOOKS || !isOfLedger(error)) throw tooManyOpen(error, as.created)
      await setTimeout(BETWEEN_MS)
    }
  }
}

/** A use is taken when the object appears; who has none left stores no parts either. */
export async function probeUse(admitted: Admitted, services: Services): Promise<void> {
  const use = await takeUploadUse(admitted, services)
  await use?.settle(0)
}
