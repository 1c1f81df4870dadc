/** The thread behind `writer.ts`: takes all jobs that wait, runs them in one transaction, commits, answers. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type Database, explained, openDatabase } from './open.ts'
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

function refused(id: number, error: unknown): Reply {
  const { code, message } = explained(file, error)
  return { id, code, message }
}

/** Each job is undone by itself if it fails; the others of its group go on. */
function runGroup(db: Database, table: JobTable, group: readonly Job[]): readonly Reply[] {
  try {
    db.exec('BEGIN IMMEDIATE')
    const replies = group.map(({ id, name, argument }): Reply => {
      db.exec('SAVEPOINT job')
      try {
        const value = table[name]?.(argument)
        db.exec('RELEASE job')
        return { id, value }
      } catch (error) {
        // some errors (a full disk) end the whole transaction: then COMMIT below fails for everybody
        if (db.inTransaction) db.exec('ROLLBACK TO job; RELEASE job')
        return refused(id, error)
      }
    })
    db.exec('COMMIT')
    return replies
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    return group.map(({ id }) => refused(id, error))
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
  const table = prepareJobs(db)
  port.on('message', (first: Message) => {
    const messages = takeWaiting(first)
    const group = messages.filter((message) => message !== 'close')
    if (group.length > 0) port.postMessage(runGroup(db, table, group))
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
