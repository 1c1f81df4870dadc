/** Whether the store accepts uploads, and how errors of disk and database become refusals. */
import { DatabaseError } from '../../../database/open.ts'
import { Refusal } from '../../../key/refusal.ts'
import { type Bytes, bytes, formatBytes, type UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { andThen } from '../../awaitable.ts'
import { checkTrouble, Damaged, type Trouble } from '../store.ts'
import { codeOf, type FileDescriptor, type Files } from './files.ts'

const MIN_RESERVE = 2 ** 30
const RESERVE_SHARE = 0.05

interface HealthOptions {
  readonly files: Files
  readonly folder: string
  readonly now: () => UnixSeconds
  /** free space below which uploads are refused; absent: 5 % of the disk, at least 1 GiB */
  readonly reserve: Bytes | undefined
  /** why the index can't be written any more */
  readonly indexFailure: () => DatabaseError | undefined
}

export class Health {
  readonly #options: HealthOptions
  /** For good: after a failed fsync nobody knows what is on the disk, and a second would say all is well. */
  #failure: Trouble | undefined
  #lookedAt: UnixSeconds | undefined
  #space: Trouble | undefined
  #looking: Promise<Trouble | undefined> | undefined
  /** what may be appended before the reserve would be reached, in bytes; as of the last look */
  #room = 0

  constructor(options: HealthOptions) {
    this.#options = options
  }

  /**
   * Free space is looked up once a second at most, unless we ourselves may have used it up since: a
   * fast disk takes a whole reserve in that time.
   */
  trouble(): Awaitable<Trouble | undefined> {
    const failure = this.#failure ?? this.#indexTrouble()
    if (failure !== undefined) return failure
    const now = this.#options.now()
    const isUsedUp = this.#space === undefined && this.#room < 0
    if (now === this.#lookedAt && !isUsedUp) return this.#space
    this.#looking ??= this.#look(now).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** @throws Refusal what keeps us from accepting uploads */
  check(): Awaitable<void> {
    return andThen(this.trouble(), checkTrouble)
  }

  /**
   * The files, with appends that are counted, and an fsync that is never repeated: any failure but a
   * full disk's, which spoils that one file only, is for good.
   */
  guarded<More extends Files>(files: More): More & Files {
    const sync = async (file: FileDescriptor): Promise<void> => {
      try {
        await files.sync(file)
      } catch (error) {
        this.noteFailedSync(error)
        throw error
      }
    }
    const append: Files['append'] = (file, chunks) => {
      for (const { length } of chunks) this.#room -= length
      return files.append(file, chunks)
    }
    return { ...files, append, sync }
  }

  /** Of an fsync elsewhere than in the guarded files, such as on the writer's thread. */
  noteFailedSync(error: unknown): void {
    if (isFull(error)) return
    this.#failure ??= {
      code: 'unavailable',
      detail: `an fsync failed: ${messageOf(error)}; uploads are refused until valetkey is restarted. Check the disk first`,
    }
  }

  #indexTrouble(): Trouble | undefined {
    const failure = this.#options.indexFailure()
    return failure && { code: 'unavailable', detail: failure.message }
  }

  async #look(now: UnixSeconds): Promise<Trouble | undefined> {
    this.#space = await this.#roomTrouble()
    this.#lookedAt = now
    return this.#failure ?? this.#space
  }

  async #roomTrouble(): Promise<Trouble | undefined> {
    const { files, folder, reserve } = this.#options
    try {
      const { free, total } = await files.space(folder)
      const least = reserve ?? bytes(Math.max(MIN_RESERVE, Math.ceil(total * RESERVE_SHARE)))
      this.#room = free - least
      if (this.#room >= 0) return undefined
      return {
        code: 'storage_full',
        detail: `the disk has ${formatBytes(bytes(free))} free, less than the reserve of ${formatBytes(least)}; free some space or lower the reserve`,
      }
    } catch (error) {
      return { code: 'unavailable', detail: `free space is not known: ${messageOf(error)}` }
    }
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

const isFull = (error: unknown): boolean => /^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(codeOf(error))

/** An error of the operating system or the database, not one of our own making. */
const isOfTheMachine = (error: unknown): boolean =>
  error instanceof DatabaseError || /^(E[A-Z0-9]+|SQLITE_\w+)$/.test(codeOf(error))

/** What the contract lets a store throw, made of whatever went wrong. */
export function asRefusal(error: unknown): Error {
  if (error instanceof Refusal || error instanceof Damaged) return error
  if (isFull(error)) {
    return new Refusal('storage_full', 'the disk is full; free some space and try again', {
      cause: error,
    })
  }
  if (!isOfTheMachine(error)) return error instanceof Error ? error : new Error(String(error))
  return new Refusal('unavailable', `the store failed: ${describe(error)}`, { cause: error })
}

function describe(error: unknown): string {
  const code = codeOf(error)
  if (code === 'EMFILE' || code === 'ENFILE') {
    return 'too many files are open; try again, and raise the limit of open files (ulimit -n)'
  }
  return error instanceof DatabaseError ? error.message : `${messageOf(error)}; check the disk`
}
