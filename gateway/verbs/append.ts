/** What one request brings to a resumable upload. */
import { type UploadLimits, uploadLimits } from '../../key/clear.ts'
import { Refusal, type RefusalCode } from '../../key/refusal.ts'
import { type Bytes, bytes } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { limited } from '../body/limited.ts'
import { SNIFFED_BYTES } from '../body/media-type.ts'
import { BATCH_BYTES, type BatchSource, BodyReader, checkContent } from '../body/receive.ts'
import { ResumableDigest } from '../body/resumable-digest.ts'
import type { Exchange } from '../exchange.ts'
import type { Meter } from '../meter.ts'
import type { Services } from '../services.ts'
import type { PartUpload } from '../store/multipart.ts'
import type { Transfer } from '../transfers.ts'
import { probeUse } from './begin.ts'
import { checkRoom, declaredBy } from './intake.ts'
import { noSuchUpload } from './multipart.ts'
import type { PartNote, Progress } from './resume.ts'

/** Of the bytes of one request: all of them are kept, or none. */
export interface StatedChecksum {
  update(chunk: Uint8Array): void
  /** @throws Refusal where they have another */
  check(): void
}

export interface Addition {
  /** aborted when a newer request waits for this one to end */
  readonly signal: AbortSignal
  readonly checksum: StatedChecksum | undefined
  /** the length of the whole, where this request is the first to state it */
  readonly length: Bytes | undefined
}

/** A part is closed when it has so many bytes: more is not lost when the process is killed. */
const PART_BYTES = 32 << 20
const MOST_PARTS = 10_000
/** Of the offset: the largest upload has fewer than {@link MOST_PARTS} parts that we closed. */
const PART_SHARE = 1 / 1000

/** The request did not come to its end, but nothing is wrong with what it brought. */
const KEEPS: ReadonlySet<RefusalCode> = new Set([
  'incomplete_body',
  'too_slow',
  'unavailable',
  'conflict',
])

/** Nothing can come of the upload any more. */
const ENDS: ReadonlySet<RefusalCode> = new Set(['type_mismatch', 'key_revoked'])

const TAKEN_OVER = new Refusal(
  'conflict',
  'another request for this upload came after this one; what had arrived by then was kept',
)

/**
 * Takes the body to its end, and resolves with how far the upload is then, durably. When it breaks
 * off, what has arrived is kept as well, unless a checksum of all of it was stated.
 * @throws Refusal
 */
export async function append(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  progress: Progress,
  addition: Addition,
): Promise<Progress> {
  await checkRoom(services, admitted)
  checkPieces(progress)
  await probeUse(admitted, services)
  const { grant, attempt } = admitted
  const digest = await ResumableDigest.start(progress.state)
  const meter = await services.gatekeeper.meter(grant, attempt.now, declaredBy(exchange))
  try {
    return await appended({ admitted, services, digest, addition, progress }, meter, exchange)
  } finally {
    await meter?.settle()
  }
}

async function appended(
  materials: Omit<Materials, 'transfer'>,
  meter: Meter | undefined,
  exchange: Exchange,
): Promise<Progress> {
  const { admitted, services, addition, progress } = materials
  const { transfers, store, pacing } = services
  const { grant, attempt } = admitted
  const pace = pacing.of(grant)
  const cut = (why: Refusal): void => body.fail(why)
  const transfer = transfers.begin({ grant, path: attempt.path, direction: 'in', cut, pace })
  exchange.sendContinue()
  const raw = new BodyReader(exchange.incoming, (count) => {
    exchange.bytesIn += count
    meter?.arrived(count)
    transfer.move(count)
  })
  const body = limited(raw, { meter, pace }, transfer, exchange.incoming)
  const rest = async (): Promise<readonly Uint8Array[]> => {
    await meter?.cover()
    return raw.rest()
  }
  addition.signal.addEventListener('abort', () => cut(TAKEN_OVER))
  if (addition.signal.aborted) cut(TAKEN_OVER)
  const appending = new Appending({ ...materials, transfer })
  try {
    return await appending.take(body, rest)
  } catch (error) {
    if (error instanceof Refusal && ENDS.has(error.code)) {
      await store.multipart.abort(progress.upload)
    }
    throw error
  } finally {
    transfers.end(transfer)
  }
}

function checkPieces({ next }: Progress): void {
  if (next <= MOST_PARTS) return
  throw new Refusal(
    'too_large',
    `the upload came in ${MOST_PARTS} pieces and is not whole: begin anew, with larger ones`,
  )
}

interface Materials {
  readonly admitted: Admitted
  readonly services: Services
  readonly transfer: Transfer
  readonly digest: ResumableDigest
  readonly addition: Addition
  readonly progress: Progress
}

class Appending {
  readonly #materials: Materials
  readonly #limits: UploadLimits
  readonly #most: number
  /** as it is durable */
  #progress: Progress
  /** with what was written since */
  #offset: number
  #head: Buffer | undefined
  #part: PartUpload | undefined

  constructor(materials: Materials) {
    const { admitted, services, addition } = materials
    const { length } = addition
    const progress = { ...materials.progress, ...(length !== undefined && { length }) }
    this.#materials = materials
    this.#limits = uploadLimits(admitted.grant)
    this.#most = Math.min(
      this.#limits.most,
      services.settings.maxObjectSize,
      progress.length ?? Number.MAX_SAFE_INTEGER,
    )
    this.#progress = progress
    this.#offset = progress.offset
    const { head, offset } = progress
    if (this.#limits.types.length > 0 && (offset === 0 || head !== undefined)) {
      this.#head = Buffer.from(head ?? '', 'base64url')
    }
  }

  /** @param rest what has arrived and was not read, when the body has broken off */
  async take(body: BatchSource, rest: () => Promise<readonly Uint8Array[]>): Promise<Progress> {
    const { checksum } = this.#materials.addition
    try {
      const broken = await this.#readAll(body)
      if (broken === undefined) checksum?.check()
      else if (checksum !== undefined || !KEEPS.has(broken.code)) throw broken
      else await this.#write(await rest())
      await this.#close()
      if (broken !== undefined) throw broken
      return this.#progress
    } finally {
      await this.#part?.discard()
    }
  }

  /** What broke the body off; undefined where it has come to its end. */
  async #readAll(body: BatchSource): Promise<Refusal | undefined> {
    for (;;) {
      const batch = await nextOf(body, this.#head === undefined ? BATCH_BYTES : SNIFFED_BYTES)
      if (batch === undefined || batch instanceof Refusal) return batch
      await this.#write(batch)
      const { offset } = this.#progress
      const isFull = this.#offset - offset >= Math.max(PART_BYTES, offset * PART_SHARE)
      if (isFull && this.#materials.addition.checksum === undefined) await this.#close()
    }
  }

  async #write(batch: readonly Uint8Array[]): Promise<void> {
    if (batch.length === 0) return
    const { digest, addition, transfer } = this.#materials
    for (const chunk of batch) {
      this.#offset += chunk.length
      digest.update(chunk)
      addition.checksum?.update(chunk)
    }
    if (this.#offset > this.#most) throw tooMuch(this.#most, this.#progress.length)
    await this.#look(batch)
    this.#part ??= await this.#open()
    await transfer.onOurTime(this.#part.write(batch))
  }

  /** Only a key that restricts types asks for the content to be of the declared one. */
  async #look(batch: readonly Uint8Array[]): Promise<void> {
    if (this.#head === undefined) return
    const head = Buffer.concat([this.#head, ...batch]).subarray(0, SNIFFED_BYTES)
    this.#head = Buffer.from(head)
    if (head.length < SNIFFED_BYTES) return
    const { type } = this.#progress.upload
    await checkContent({ type, limits: this.#limits }, [head])
    this.#head = undefined
  }

  async #open(): Promise<PartUpload> {
    const { upload, next } = this.#progress
    const part = await this.#materials.services.store.multipart.part(upload, next)
    if (part === undefined) throw await this.#gone()
    return part
  }

  /** Ended, or whole by what another request has brought. */
  async #gone(): Promise<Refusal> {
    const { multipart } = this.#materials.services.store
    const isWhole = (await multipart.recall(this.#progress.upload)) !== undefined
    return isWhole ? OTHERS_FIRST : noSuchUpload()
  }

  /** Makes what was written since durable, if there is anything new to know. */
  async #close(): Promise<void> {
    const { admitted, services, transfer, digest, addition } = this.#materials
    const { length, next, offset: before } = this.#progress
    if (this.#offset === before && addition.length === undefined) return
    const { grant, attempt } = admitted
    const modified = services.clock.now()
    const revoked = await services.gatekeeper.revoked(grant, attempt.path, modified)
    if (revoked !== undefined) throw revoked
    const note: PartNote = {
      offset: bytes(this.#offset),
      state: digest.state,
      ...(length !== undefined && { length }),
      ...(this.#head !== undefined && { head: this.#head.toString('base64url') }),
    }
    const part = this.#part ?? (await this.#open())
    this.#part = part
    const as = { etag: `"${next}-${this.#offset}"`, modified, note: JSON.stringify(note) }
    const outcome = await transfer.onOurTime(part.commit(as, { absent: true }))
    if (!outcome.done) throw outcome.failed === 'part_exists' ? OTHERS_FIRST : await this.#gone()
    const { head: _, ...rest } = this.#progress
    this.#progress = { ...rest, ...note, next: next + 1 }
    this.#part = undefined
  }
}

async function nextOf(
  body: BatchSource,
  least: number,
): Promise<readonly Uint8Array[] | Refusal | undefined> {
  try {
    return await body.next(least)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

const OTHERS_FIRST = new Refusal(
  'conflict',
  'another request has brought the same bytes of this upload; ask for its offset and go on there',
)

const tooMuch = (most: number, length: number | undefined): Refusal =>
  new Refusal(
    'too_large',
    most === length
      ? `the upload was said to have ${length} bytes, and more were sent`
      : `the upload has more than the ${most} bytes allowed`,
  )
