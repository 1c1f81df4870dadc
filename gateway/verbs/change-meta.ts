/** Changing what is known of an object, and not its content. */
import { uploadLimits } from '../../key/clear.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Admitted } from '../admit.ts'
import { changing, checkAudit } from '../audit-record.ts'
import type { Services } from '../services.ts'
import type { MetaChange } from '../store/full-store.ts'
import { absent } from './get.ts'

/**
 * Counts as an upload: a key that may only create changes nothing that is there.
 * @throws Refusal object_not_found, object_exists, uses_exhausted
 */
export async function changeMeta(
  admitted: Admitted,
  services: Services,
  change: MetaChange,
): Promise<void> {
  const { store, gatekeeper, audit } = services
  const path = admitted.attempt.path as ObjectPath
  checkAudit(audit)
  if ((await store.head(path)) === undefined) throw absent()
  if (uploadLimits(admitted.grant).create) {
    throw new Refusal('object_exists', 'the key may only create, and not change what is there')
  }
  const use = await gatekeeper.takeUse(admitted)
  let done = 0
  try {
    const outcome = await changing(admitted, services, { act: 'set-metadata' }, async () =>
      store.setMeta(path, change),
    )
    if (!outcome.done) throw absent()
    done = 1
  } finally {
    await use?.settle(done)
  }
}
