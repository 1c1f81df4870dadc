/**
 * Imported by the program before anything else: sees from inside what it asks of the disk and what
 * it answers, and plays a full disk. For where neither may be had of the operating system.
 *
 * JavaScript, since threads import it before anything that could read TypeScript.
 *
 * TRACE_TO names the file that takes one line for each call's begin and end. While the file FULL_WHILE
 * is there, no space is free; unless it says `low`, nothing that needs room can be written.
 */
import fs, { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { IncomingMessage } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { threadId } from 'node:worker_threads'
import SqliteDatabase from 'better-sqlite3'

const { TRACE_TO, FULL_WHILE } = process.env
const append = appendFileSync
const exists = existsSync
const read = readFileSync

const isLow = () => FULL_WHILE !== undefined && exists(FULL_WHILE)
const isFull = () => isLow() && read(FULL_WHILE, 'utf8') !== 'low'
const noSpace = () =>
  Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

let lastCall = 0
/** Tells of the begin; the function that it returns tells of the end. */
function noted(what, on, text = '') {
  if (TRACE_TO === undefined) return () => {}
  lastCall += 1
  const id = `${threadId}.${lastCall}`
  append(TRACE_TO, `${JSON.stringify({ id, what, on, text })}\n`)
  return () => append(TRACE_TO, `${JSON.stringify({ id })}\n`)
}

const paths = new Map()
const pathOf = ([file]) => paths.get(file) ?? ''
const nothing = () => {}

/**
 * Puts something in front of a function of node:fs whose last argument is a callback.
 * @param tell notes its begin; what it returns notes its end
 * @param needsRoom whether a full disk refuses it
 * @param done is told of arguments and results
 */
function watch(name, tell, needsRoom, done = nothing) {
  const call = fs[name]
  fs[name] = (...given) => {
    const callback = given.pop()
    const ended = tell(given)
    if (needsRoom(given) && isFull()) {
      process.nextTick(() => callback(noSpace()))
      return
    }
    call(...given, (error, ...results) => {
      if (error === null) {
        done(given, results)
        ended()
      }
      callback(error, ...results)
    })
  }
}

const always = () => true
const never = () => false

watch(
  'open',
  () => nothing,
  ([, flags]) => flags === 'wx',
  ([path], [file]) => paths.set(file, path),
)
watch(
  'close',
  () => nothing,
  never,
  ([file]) => paths.delete(file),
)
watch('writev', (given) => noted('write', pathOf(given)), always)
watch('fsync', (given) => noted('sync', pathOf(given)), never)
watch('link', ([from, to]) => noted('link', from, to), always)
const { statfs } = fs
fs.statfs = (path, callback) =>
  statfs(path, (error, stats) => callback(error, isLow() ? { ...stats, bavail: 0 } : stats))
const openNow = fs.openSync
fs.openSync = (path, ...how) => {
  const file = openNow(path, ...how)
  paths.set(file, path)
  return file
}
syncBuiltinESMExports()

const { prepare } = SqliteDatabase.prototype
SqliteDatabase.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql)
  if (sql === 'COMMIT') watchCommit(this, statement)
  return statement
}

function watchCommit(db, statement) {
  const { run } = statement
  statement.run = (...given) => {
    if (isFull()) {
      db.exec('ROLLBACK')
      throw new SqliteDatabase.SqliteError('database or disk is full', 'SQLITE_FULL')
    }
    // at synchronous=FULL a commit is a sync of the log
    const ended = noted('sync', `${db.name}-wal`)
    const result = run.apply(statement, given)
    ended()
    return result
  }
}

const { push } = IncomingMessage.prototype
IncomingMessage.prototype.push = function (...given) {
  noted('receive', String(this.socket.remotePort), `${this.method} ${this.url}`)()
  return push.apply(this, given)
}

const { write } = Socket.prototype
Socket.prototype.write = function (...given) {
  const text = String(given[0]).slice(0, 20)
  if (text.startsWith('HTTP/1.1 ')) noted('respond', String(this.remotePort), text)()
  return write.apply(this, given)
}
