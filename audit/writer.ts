/**
 * Writes the records of one process: gathered in memory, appended by one call for all of them
 * within 100 ms: at once where somebody waits for the disk, and sooner where there are many.
 */
import type { KeyObject } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Slot, takeSlot } from '../database/lock.ts'
import { Refusal } from '../key/refusal.ts'
import type { Seconds } from '../key/units.ts'
import type { AuditSink } from './audit.ts'
import { Batch } from './batch.ts'
import { auditFiles, dayOf } from './names.ts'
import { datasync, NotSynced, type OpenFile, openIn } from './slot.ts'
import { asJson, TimeText } from './text.ts'

export interface AuditOptions {
  /** `DATA/audit`, made if missing */
  readonly folder: string
  readonly key: KeyObject
  /** files of days longer ago than this are removed */
  readonly keep: Seconds
  /** milliseconds since 1970; the clock of the machine unless stated */
  readonly now?: () => number
  /** told once when records can't be written any more, and with undefined when they can again */
  readonly onTrouble?: (trouble: Refusal | undefined) => void
}

/** How long a record waits at most, in milliseconds. */
const DELAY = 100
/** In bytes: with as much nobody waits for the time to come. */
const FULL = 512 * 1024
/** After a failure, in milliseconds. */
const RETRY_AFTER = 1000
/** In bytes: what is beyond while nothing can be written is counted, and lost. */
const MOST_HELD = 16 << 20

const DAY = 86_400_000

interface Waiting {
  readonly resolve: () => void
  readonly reject: (why: Refusal) => void
}

const CLOSED = new Refusal('unavailable', 'the audit has been closed: this process is ending')

const TOO_MUCH = new Refusal(
  'unavailable',
  'more is to be put on record than the disk takes: try again in a moment',
)

export class AuditWriter implements AuditSink {
  readonly #options: AuditOptions
  readonly #slot: Slot
  readonly #now: () => number
  readonly #timeText = new TimeText()
  #gathered = new Batch()
  /** the one that is being written, or was written last and is to be filled again */
  #spare = new Batch()
  #waiting: Waiting[] = []
  #lost = 0
  #file: OpenFile | undefined
  #timer: NodeJS.Timeout | undefined
  #isSoon = false
  #writing: Promise<void> | undefined
  #sweeping: Promise<void> | undefined
  #trouble: Refusal | undefined
  /** for good: nothing is promised any more */
  #failure: Refusal | undefined
  #closing: Promise<void> | undefined
  #isClosed = false

  private constructor(options: AuditOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#slot = takeSlot(options.folder)
  }

  /**
   * A full disk is a trouble and no failure: what frees it must be possible.
   * @throws where the folder can't be written for another reason
   */
  static async open(options: AuditOptions): Promise<AuditWriter> {
    const writer = new AuditWriter(options)
    try {
      await writer.#opened()
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.code !== 'storage_full') {
        writer.#slot.release()
        throw error
      }
      writer.#tell(refusal)
    }
    return writer
  }

  note(members: string): void {
    this.#isNoted(members)
  }

  #isNoted(members: string): boolean {
    if (this.#isClosed) return false
    if (this.#gathered.length > MOST_HELD) {
      this.#lost += 1
      return false
    }
    const now = this.#now()
    this.#gathered.add(`{"time":"${this.#timeText.of(now)}",${members}}\n`, now)
    const isFull = this.#gathered.length >= FULL && this.#trouble === undefined
    if (isFull && this.#writing === undefined) void this.#write()
    else this.#timer ??= setTimeout(() => void this.#write(), DELAY).unref()
    return true
  }

  keep(members: string): Promise<void> {
    const isNoted = this.#isNoted(members)
    if (this.#isClosed) return Promise.reject(CLOSED)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (!isNoted) return Promise.reject(this.#trouble ?? TOO_MUCH)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#isSoon || this.#writing !== undefined) return
      this.#isSoon = true
      // what else is asked for in this turn of the event loop shares the flush
      setImmediate(() => void this.#write())
    })
  }

  lag(): number {
    return Math.max(0, this.#now() - Math.min(this.#gathered.since, this.#spare.since))
  }

  trouble(): Refusal | undefined {
    return this.#failure ?? this.#trouble
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#sweeping
    await this.#writing
    if (this.#gathered.count > 0) await this.#write()
    this.#isClosed = true
    clearTimeout(this.#timer)
    // where this fails, whoever waited has been told before
    await this.#file?.handle.datasync().catch(() => {})
    await this.#file?.handle.close()
    this.#slot.release()
  }

  /** One at a time: what comes meanwhile goes with the next one. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      if (this.#waiting.length > 0) this.#writeNext()
    })
    return this.#writing
  }

  /** Whoever has just been answered asks again a turn later, and shares the flush with those who wait. */
  #writeNext(): void {
    this.#isSoon = true
    setImmediate(() => setImmediate(() => void this.#write()))
  }

  async #writeAll(): Promise<void> {
    this.#isSoon = false
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lost > 0) {
      this.#gathered.add(this.#own('lost', { records: this.#lost }), this.#now())
      this.#lost = 0
    }
    const [batch, waiting] = [this.#gathered, this.#waiting]
    if (batch.count === 0) return
    this.#gathered = this.#spare
    this.#spare = batch
    this.#waiting = []
    try {
      await this.#append(batch, waiting.length > 0)
      this.#tell(undefined)
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      this.#fail(batch, waiting, error)
    }
    batch.clear()
  }

  /** A record of the audit itself, as a line. */
  #own(act: string, about: object): string {
    const time = this.#timeText.of(this.#now())
    return `${asJson({ time, kind: 'note', by: 'audit', act, about })}\n`
  }

  async #append(batch: Batch, isWaitedFor: boolean): Promise<void> {
    const file = await this.#opened()
    const seq = file.seq + 1
    const { bytes, seal } = batch.sealed(this.#options.key, file.seal, seq)
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await file.handle.write(bytes, done)).bytesWritten
      }
    } catch (error) {
      await this.#cutBack(file)
      throw error
    }
    Object.assign(file, { seq, seal, length: file.length + bytes.length })
    if (isWaitedFor) await this.#sync(file)
  }

  async #sync({ handle }: OpenFile): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await datasync(handle)
  }

  /** Leaves no half of a batch behind; where that fails, the next file says that there is one. */
  async #cutBack(file: OpenFile): Promise<void> {
    try {
      await file.handle.truncate(file.length)
    } catch {
      this.#file = undefined
      await file.handle.close().catch(() => {})
    }
  }

  /** The file of today. */
  async #opened(): Promise<OpenFile> {
    const day = dayOf(this.#now())
    if (this.#file !== undefined && this.#file.file.day >= day) return this.#file
    const before = this.#file
    this.#file = undefined
    await before?.handle.close()
    const begin = (about: object) => this.#own('begin', about)
    this.#file = await openIn(this.#slot, day, this.#options.key, begin)
    this.#sweeping ??= this.#sweep(day).finally(() => {
      this.#sweeping = undefined
    })
    return this.#file
  }

  #fail(batch: Batch, waiting: readonly Waiting[], error: unknown): void {
    const refusal = refusalOf(error)
    if (error instanceof NotSynced) this.#failure ??= refusal
    else {
      // what could not be written goes first when it can be
      this.#gathered.prepend(batch)
      this.#timer ??= setTimeout(() => void this.#write(), RETRY_AFTER).unref()
    }
    this.#tell(refusal)
    for (const { reject } of waiting) reject(refusal)
  }

  #tell(trouble: Refusal | undefined): void {
    const isNews = trouble?.code !== this.#trouble?.code
    this.#trouble = trouble
    if (isNews && (trouble !== undefined || this.#failure === undefined)) {
      this.#options.onTrouble?.(trouble)
    }
  }

  /** Files that are old enough go, once it is on the disk that they did; of each slot the newest stays. */
  async #sweep(today: string): Promise<void> {
    const { folder, keep } = this.#options
    const oldest = dayOf(Date.parse(today) - Math.ceil((keep * 1000) / DAY) * DAY)
    const files = auditFiles(folder)
    const newest = new Map(files.map((file) => [file.slot, file.name]))
    const old = files
      .filter(({ day, slot, name }) => day < oldest && newest.get(slot) !== name)
      .map(({ name }) => name)
    if (old.length === 0) return
    try {
      const about = JSON.stringify({ files: old })
      await this.keep(`"kind":"note","by":"audit","act":"sweep","about":${about}`)
      for (const name of old) await unlink(join(folder, name)).catch(() => {})
    } catch {
      // they are swept another day
    }
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const detail = 'the audit can not be written, since the disk is full: free some space'
    return new Refusal('storage_full', detail, { cause: error })
  }
  const advice =
    error instanceof NotSynced ? 'check the disk, then restart valetkey' : 'check the disk'
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal('unavailable', `the audit can not be written (${why}): ${advice}`, {
    cause: error,
  })
}
