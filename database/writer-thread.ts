/** The thread behind `writer.ts`: takes all jobs that wait, runs them in one transaction, commits, answers. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type Database, DatabaseError, explained, isFinal, lost, openDatabase } from './open.ts'
import { displacement } from './presence.ts'
import type { JobsModule, JobTable, Reply } from './writer.ts'

interface Job {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}
type Message = Job | 'close'

/** More would hold the write lock for long while other processes wait. */
const MAX_GROUP = 1024

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
  /** why what is written would be gone with this process */
  readonly displaced: () => string | undefined
}

/** All that is done here is committed when this returns; the replies say what was. */
function runGroup({ db, table, displaced }: Opened, group: readonly Job[]): readonly Reply[] {
  try {
    if (final !== undefined) throw final
    const what = displaced()
    if (what !== undefined) throw lost(file, what)
    db.exec('BEGIN IMMEDIATE')
    const replies = group.map((job) => runJob(db, table, job))
    db.exec('COMMIT')
    return replies
  } catch (error) {
    const reason = explained(file, error)
    if (isFinal(reason.code)) final ??= reason
    if (db.inTransaction) db.exec('ROLLBACK')
    return group.map(({ id }) => refused(id, reason))
  }
}

/** A job that fails is undone by itself; the others of its group go on, unless the database is at fault. */
function runJob(db: Database, table: JobTable, { id, name, argument }: Job): Reply {
  db.exec('SAVEPOINT job')
  try {
    const job = table[name]
    if (job === undefined) throw new DatabaseError('NO_SUCH_JOB', `there is no job "${name}"`)
    const value = job(argument)
    db.exec('RELEASE job')
    return { id, value }
  } catch (error) {
    const reason = explained(file, error)
    // Some errors (a full disk) have undone the whole group already; a savepoint outside of a
    // transaction would commit the next job by itself.
    if (!db.inTransaction || isFinal(reason.code)) throw reason
    db.exec('ROLLBACK TO job; RELEASE job')
    return refused(id, reason)
  }
}

function takeWaiting(first: Message): Message[] {
  const messages = [first]
  while (messages.length < MAX_GROUP) {
    const next = receiveMessageOnPort(port) as { message: Message } | undefined
    if (next === undefined) break
    messages.push(next.message)
  }
  return messages
}

try {
  const { migrations, prepareJobs } = (await import(jobsUrl)) as JobsModule
  const db = openDatabase(file, migrations)
  const opened = { db, table: prepareJobs(db), displaced: displacement(file) }
  port.on('message', (first: Message) => {
    const messages = takeWaiting(first)
    const group = messages.filter((message) => message !== 'close')
    if (group.length > 0) port.postMessage(runGroup(opened, group))
    if (group.length < messages.length) {
      db.close()
      port.close()
    }
  })
  port.postMessage('ready')
} catch (error) {
  const { code, message } = explained(file, error)
  port.postMessage({ code, message })
}
