/** DELETE of an object. */
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Admitted } from '../admit.ts'
import { changing } from '../audit-record.ts'
import { writeCondition } from '../body/conditional.ts'
import type { Headers } from '../request.ts'
import type { Services } from '../services.ts'
import { holds } from '../store/condition.ts'

/**
 * Resolves when the object is durably gone, also when there was none.
 * @throws Refusal precondition_failed, uses_exhausted
 */
export async function remove(
  admitted: Admitted,
  services: Services,
  headers: Headers,
): Promise<void> {
  const path = admitted.attempt.path as ObjectPath
  const condition = writeCondition(headers)
  if (!holds(condition, await services.store.head(path))) throw failed()
  const use = await services.gatekeeper.takeUse(admitted)
  let done = 0
  try {
    const outcome = await changing(admitted, services, { act: 'DELETE' }, async () =>
      services.store.delete(path, condition),
    )
    if (typeof outcome === 'object') throw failed()
    done = 1
  } finally {
    await use?.settle(done)
  }
}

const failed = (): Refusal =>
  new Refusal('precondition_failed', 'the object is not in the state that the request asks for')
