/** PUT: an upload, all or nothing. */
import { uploadLimits } from '../../key/clear.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { later } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { writeCondition } from '../body/conditional.ts'
import { Digester, etagOf, type StatedDigest, statedDigests } from '../body/digest.ts'
import { BodyReader, receive } from '../body/receive.ts'
import type { Exchange } from '../exchange.ts'
import type { Headers } from '../request.ts'
import type { Services } from '../services.ts'
import { holds } from '../store/condition.ts'
import type { Committed, WriteCondition } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'

/** What a request asks of its own upload, beside what the key does. */
export interface PutRequest {
  readonly condition: WriteCondition
  /** must hold of what arrives */
  readonly digests: readonly StatedDigest[]
}

/** @throws Refusal request_malformed */
export const putRequestOf = (headers: Headers): PutRequest => ({
  condition: writeCondition(headers),
  digests: statedDigests(headers),
})

/** One upload, with what it is held to. */
interface Task {
  readonly admitted: Admitted
  readonly services: Services
  readonly exchange: Exchange
  readonly path: ObjectPath
  readonly digester: Digester
  readonly condition: WriteCondition
}

/**
 * Takes the body and makes it the object; resolves when it survives a power cut.
 * Whatever refuses it leaves the old object as it was, and nothing of the new one behind.
 * @throws Refusal
 */
export async function put(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  request: PutRequest,
): Promise<Committed> {
  const path = admitted.attempt.path as ObjectPath
  const task: Task = {
    admitted,
    services,
    exchange,
    path,
    digester: new Digester(request.digests),
    condition: conditionOf(admitted, request),
  }
  await checkRoom(services, admitted)
  if (!holds(task.condition, await services.store.head(path))) throw conflictOf(task)
  const use = await services.gatekeeper.takeUse(admitted)
  let done = 0
  try {
    const committed = await transferred(task)
    done = 1
    return committed
  } finally {
    await use?.settle(done)
  }
}

/** What needs no byte of the body to be refused. */
async function checkRoom(
  { settings, store, transfers }: Services,
  { attempt }: Admitted,
): Promise<void> {
  const declared = attempt.upload?.size
  if (declared !== undefined && declared > settings.maxObjectSize) {
    throw new Refusal(
      'too_large',
      `the upload has ${declared} bytes; this gateway takes at most ${settings.maxObjectSize}`,
    )
  }
  transfers.checkUploads()
  const trouble = await store.trouble()
  if (trouble !== undefined) throw new Refusal(trouble.code, trouble.detail)
}

/** Runs the upload as a transfer that can be cut. */
async function transferred(task: Task): Promise<Committed> {
  const { transfers } = task.services
  const { incoming, outgoing } = task.exchange
  const transfer = transfers.begin({
    grant: task.admitted.grant,
    path: task.path,
    direction: 'in',
    cut: (why) => body.fail(why),
  })
  if (task.exchange.expectsContinue) outgoing.writeContinue()
  const body = new BodyReader(incoming, (count) => {
    task.exchange.bytesIn += count
    transfer.move(count)
  })
  try {
    return await stored(task, body, transfer)
  } finally {
    transfers.end(transfer)
  }
}

async function stored(task: Task, body: BodyReader, transfer: Transfer): Promise<Committed> {
  const { admitted, services, path, digester, condition } = task
  const { grant, attempt } = admitted
  const limits = uploadLimits(grant)
  const type = attempt.upload?.type ?? DEFAULT_TYPE
  const upload = await services.store.upload(path)
  try {
    const expected = { type, limits, most: services.settings.maxObjectSize }
    const { sha256 } = await receive(body, upload, digester, expected, transfer)
    const now = services.clock.now()
    const revoked = await services.gatekeeper.revoked(grant, path, now)
    if (revoked !== undefined) throw revoked
    const committed = await transfer.onOurTime(
      upload.commit(
        {
          type,
          etag: etagOf(sha256),
          sha256,
          modified: now,
          ...(limits.ttl !== undefined && { expires: later(now, limits.ttl) }),
        },
        condition,
      ),
    )
    if (!committed.done) throw conflictOf(task)
    return committed
  } finally {
    await upload.discard()
  }
}

export const DEFAULT_TYPE = 'application/octet-stream'

const conditionOf = ({ grant }: Admitted, { condition }: PutRequest): WriteCondition =>
  uploadLimits(grant).create ? { ...condition, absent: true } : condition

/** A key that may only create says so; a header of the request is a precondition. */
function conflictOf({ admitted, exchange }: Task): Refusal {
  const asked = exchange.request?.headers.has('if-none-match')
  if (uploadLimits(admitted.grant).create && asked !== true) {
    return new Refusal(
      'object_exists',
      'there is an object of this name, and the key may not replace it: choose another name, or ask for a key that may overwrite',
    )
  }
  return new Refusal(
    'precondition_failed',
    'the object is not in the state that the request asks for',
  )
}
