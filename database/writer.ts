/**
 * The one writer of a database: a thread that commits jobs in groups, so that an fsync never blocks
 * the event loop and everybody who waits shares it. A job is acknowledged after its commit.
 */
import { Worker } from 'node:worker_threads'
import { type Database, DatabaseError, isFinal } from './open.ts'
import { loadable, siblingModule } from './sibling.ts'
import { Slots } from './slots.ts'

/** A module of jobs: what `writer-thread.ts` imports by its URL. */
export interface JobsModule {
  readonly migrations: readonly string[]
  readonly prepareJobs: (db: Database) => JobTable
  /** the names of jobs that act outside of the database, see {@link JobTable} */
  readonly outside?: readonly string[]
}

/**
 * What the writer can do. A job runs inside a transaction that it shares with others; if it throws,
 * what it did is undone and the others go on. It may have to run twice for that, and may be undone
 * after it has returned: where another one fails, or the commit. So what it does beside the database
 * must be as good when it is done twice, or when the database knows nothing of it.
 *
 * A job of which that can't be said is one of `outside`. It is run once, after the others of its group,
 * and answered as it returns: it has a transaction of its own, for the lock alone, and writes nothing to
 * the database, since a commit that fails could not take back what was done. What it throws says that
 * nothing was.
 *
 * Arguments and results are structured-cloned.
 */
// biome-ignore lint/suspicious/noExplicitAny: each table states its own arguments
export type JobTable = Readonly<Record<string, (argument: any) => unknown>>

export interface Job {
  /** until it is answered; then another job may have it */
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

/** What the thread is told: a group, in the order in which its jobs were asked for, or that it shall end. */
export type Message = readonly Job[] | 'close'

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** More would hold the write lock for long while other processes wait. */
const MAX_GROUP = 1024

export class Writer<Jobs extends JobTable> {
  readonly #thread: Worker
  /** they wait for the end of this turn of the event loop, or of the group that is under way */
  #asked: Job[] = []
  /** messages that the thread has not answered */
  #underWay = 0
  readonly #waiting = new Slots<Waiting>()
  readonly #ended: Promise<void>
  readonly #listeners: (() => void)[] = []
  #closed = false
  #failure: DatabaseError | undefined

  /** Use {@link startWriter}: a writer is ready once its database is open and migrated. */
  constructor(thread: Worker) {
    this.#thread = thread
    thread.on('message', (replies: readonly Reply[]) => {
      for (const listener of this.#listeners) listener()
      for (const reply of replies) this.#settle(reply)
      this.#underWay -= 1
      if (this.#underWay === 0 && this.#asked.length > 0) this.#sendNext()
    })
    this.#ended = new Promise((resolve) => {
      thread.once('exit', (code) => {
        this.#fail(ended(code))
        resolve()
      })
    })
    thread.once('error', (error) => {
      this.#fail(
        new DatabaseError(
          'WRITER_FAILED',
          `the database writer failed: ${error.message}; restart valetkey`,
          { cause: error },
        ),
      )
    })
  }

  /** Why nothing can be written any more; undefined while all is well. */
  get failure(): DatabaseError | undefined {
    return this.#failure
  }

  /** Calls the listener when something may have been written, before those who asked for it know. */
  onWritten(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Runs one job; resolves when what it wrote is durable.
   * @throws DatabaseError
   */
  run<Name extends keyof Jobs & string>(
    name: Name,
    argument: Parameters<Jobs[Name]>[0],
  ): Promise<ReturnType<Jobs[Name]>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#closed) {
      return Promise.reject(new DatabaseError('CLOSED', 'the database has been closed'))
    }
    return new Promise((resolve, reject) => {
      const id = this.#waiting.add({ resolve: resolve as (value: unknown) => void, reject })
      this.#ask({ id, name, argument })
    })
  }

  #ask(job: Job): void {
    const isFirst = this.#asked.push(job) === 1
    if (isFirst && this.#underWay === 0) setImmediate(() => this.#send())
  }

  /**
   * Whoever has just been answered asks again a turn later. What waits waits for them: they share an
   * fsync, and do not take turns with two.
   */
  #sendNext(): void {
    setImmediate(() => setImmediate(() => this.#send()))
  }

  #send(): void {
    if (this.#asked.length === 0) return
    const jobs = this.#asked.splice(0, MAX_GROUP)
    try {
      this.#post(jobs)
    } catch {
      for (const job of jobs) this.#sendAlone(job)
      if (this.#underWay === 0 && this.#asked.length > 0) this.#sendNext()
    }
  }

  /** What can't be cloned harms no other. */
  #sendAlone(job: Job): void {
    try {
      this.#post([job])
    } catch (error) {
      this.#waiting.takeOut(job.id)?.reject(error as Error)
    }
  }

  #post(jobs: readonly Job[]): void {
    this.#thread.postMessage(jobs satisfies Message)
    this.#underWay += 1
  }

  /** Finishes what was asked so far, closes the database, ends the thread. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      while (this.#asked.length > 0) this.#send()
      this.#thread.postMessage('close' satisfies Message)
    }
    this.#closed = true
    await this.#ended
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.takeOut(reply.id)
    if ('value' in reply) waiting?.resolve(reply.value)
    else {
      const error = new DatabaseError(reply.code, reply.message)
      if (isFinal(reply.code)) this.#failure ??= error
      waiting?.reject(error)
    }
  }

  #fail(failure: DatabaseError): void {
    this.#failure ??= failure
    for (const { reject } of this.#waiting.takeAll()) reject(failure)
  }
}

const ended = (exitCode: number): DatabaseError =>
  new DatabaseError(
    'WRITER_ENDED',
    `the database writer has ended (exit code ${exitCode}); restart valetkey`,
  )

/**
 * Opens the database in a thread of its own.
 * @param jobs the URL of a {@link JobsModule}
 * @throws DatabaseError
 */
export async function startWriter<Jobs extends JobTable>(
  file: string,
  jobs: URL,
): Promise<Writer<Jobs>> {
  const [main, table] = await loadable([siblingModule(import.meta.url, 'writer-thread'), jobs])
  const thread = new Worker(main as URL, { workerData: { file, jobs: table?.href } })
  await new Promise<void>((resolve, reject) => {
    const onExit = (code: number) => reject(ended(code))
    thread.once('error', reject).once('exit', onExit)
    thread.once('message', (opened: 'ready' | { code: string; message: string }) => {
      thread.off('error', reject).off('exit', onExit)
      if (opened === 'ready') resolve()
      else reject(new DatabaseError(opened.code, opened.message))
    })
  })
  return new Writer<Jobs>(thread)
}
