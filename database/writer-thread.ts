/**
 * The thread behind `writer.ts`: runs the jobs of a group in one transaction, commits, runs those that
 * act outside, answers.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  type Database,
  DatabaseError,
  explained,
  isFinal,
  lost,
  openDatabase,
  type Statement,
} from './open.ts'
import { displacement } from './presence.ts'
import type { Job, JobsModule, JobTable, Message, Reply } from './writer.ts'

const { file, jobs: jobsUrl } = workerData as { file: string; jobs: string }
if (parentPort === null) throw new Error('writer-thread.ts is started by writer.ts')
const port = parentPort

/** What no job may be run after, see {@link isFinal}; jobs may wait already when it happens. */
let final: DatabaseError | undefined

function refused(id: number, error: DatabaseError): Reply {
  return { id, code: error.code, message: error.message }
}

interface Opened {
  readonly db: Database
  readonly table: JobTable
  readonly outside: ReadonlySet<string>
  /** why what is written would be gone with this process */
  readonly displaced: () => string | undefined
  readonly begin: Statement
  readonly commit: Statement
}

function runAll(opened: Opened, jobs: readonly Job[]): readonly Reply[] {
  const isOutside = ({ name }: Job): boolean => opened.outside.has(name)
  const group = jobs.filter((job) => !isOutside(job))
  const replies = group.length > 0 ? runGroup(opened, group) : []
  return [...replies, ...jobs.filter(isOutside).map((job) => runOutside(opened, job))]
}

/** All that is done here is committed when this returns; the replies say what was. */
function runGroup(opened: Opened, group: readonly Job[]): readonly Reply[] {
  try {
    begin(opened)
    const replies = runTogether(opened, group) ?? runApart(opened, group)
    opened.commit.run()
    return replies
  } catch (error) {
    const reason = failure(error)
    rollBack(opened)
    return group.map(({ id }) => refused(id, reason))
  }
}

/** It has written nothing: there is no commit, which could fail when the rest is done. */
function runOutside(opened: Opened, job: Job): Reply {
  try {
    begin(opened)
    return { id: job.id, value: resultOf(opened.table, job) }
  } catch (error) {
    return refused(job.id, failure(error))
  } finally {
    rollBack(opened)
  }
}

function begin({ displaced, begin }: Opened): void {
  if (final !== undefined) throw final
  const what = displaced()
  if (what !== undefined) throw lost(file, what)
  begin.run()
}

function rollBack({ db }: Opened): void {
  if (db.inTransaction) db.exec('ROLLBACK')
}

function failure(error: unknown): DatabaseError {
  const reason = explained(file, error)
  if (isFinal(reason.code)) final ??= reason
  return reason
}

/**
 * Jobs hardly ever fail, and a savepoint for each would double what they cost: so none has one.
 * Where one fails after all, everything is undone and begun anew, undefined is returned, and they
 * are to be run apart.
 */
function runTogether({ db, table, begin }: Opened, group: readonly Job[]): Reply[] | undefined {
  try {
    return group.map((job) => ({ id: job.id, value: resultOf(table, job) }))
  } catch (error) {
    const reason = explained(file, error)
    // Some errors (a full disk) have undone the whole group already, and would again.
    if (!db.inTransaction || isFinal(reason.code)) throw reason
    db.exec('ROLLBACK')
    begin.run()
    return undefined
  }
}

/** A job that fails is undone by itself; the others of its group go on, unless the database is at fault. */
function runApart({ db, table }: Opened, group: readonly Job[]): Reply[] {
  return group.map((job) => {
    db.exec('SAVEPOINT job')
    try {
      const value = resultOf(table, job)
      db.exec('RELEASE job')
      return { id: job.id, value }
    } catch (error) {
      const reason = explained(file, error)
      // a savepoint outside of a transaction would commit the next job by itself
      if (!db.inTransaction || isFinal(reason.code)) throw reason
      db.exec('ROLLBACK TO job; RELEASE job')
      return refused(job.id, reason)
    }
  })
}

function resultOf(table: JobTable, { name, argument }: Job): unknown {
  const job = table[name]
  if (job === undefined) throw new DatabaseError('NO_SUCH_JOB', `there is no job "${name}"`)
  return job(argument)
}

try {
  const { migrations, prepareJobs, outside } = (await import(jobsUrl)) as JobsModule
  const db = openDatabase(file, migrations)
  const opened: Opened = {
    db,
    table: prepareJobs(db),
    outside: new Set(outside),
    displaced: displacement(file),
    begin: db.prepare<[]>('BEGIN IMMEDIATE'),
    commit: db.prepare<[]>('COMMIT'),
  }
  port.on('message', (message: Message) => {
    if (message !== 'close') return port.postMessage(runAll(opened, message))
    db.close()
    port.close()
  })
  port.postMessage('ready')
} catch (error) {
  const { code, message } = explained(file, error)
  port.postMessage({ code, message })
}
