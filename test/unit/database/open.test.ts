import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  explained,
  isFinal,
  makeForOwnerOnly,
  openDatabase,
  openReader,
} from '../../../database/open.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let folder: ReturnType<typeof tempFolder>
let file: string
beforeEach(() => {
  folder = tempFolder()
  file = join(folder.path, 'a.db')
})
afterEach(() => folder.remove())

const TWO_STEPS = ['CREATE TABLE a (x)', 'CREATE TABLE b (y)']

describe('opening', () => {
  test.each(['new', 'there already'])('is durable when the database is %s', (which) => {
    if (which !== 'new') openDatabase(file, []).close()
    const db = openDatabase(file, [])
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    db.close()
  })

  test('runs the migrations that are missing, once', () => {
    openDatabase(file, TWO_STEPS.slice(0, 1)).close()
    openDatabase(file, TWO_STEPS).close()
    const db = openDatabase(file, TWO_STEPS)
    expect(db.pragma('user_version', { simple: true })).toBe(2)
    expect(db.prepare('SELECT count(*) FROM a, b').pluck().get()).toBe(0)
    db.close()
  })

  test('a migration that fails leaves the schema before it', () => {
    expect(() => openDatabase(file, ['CREATE TABLE a (x)', 'CREATE TABLE b (y); oops'])).toThrow(
      /a\.db: .*oops/,
    )
    const db = new SqliteDatabase(file)
    expect(db.pragma('user_version', { simple: true })).toBe(1)
    expect(db.prepare("SELECT name FROM sqlite_schema WHERE name = 'b'").get()).toBeUndefined()
    db.close()
  })

  test('again does not drop the locks that this process has on the file', () => {
    const holder = new SqliteDatabase(file)
    holder.exec('CREATE TABLE a (x); BEGIN EXCLUSIVE')
    makeForOwnerOnly(file)
    const elsewhere = `const db = require('better-sqlite3')(process.argv[1], { timeout: 0 })
      try { console.log(db.prepare('SELECT * FROM a').all()) } catch ({ code }) { console.log(code) }`
    const seen = execFileSync(process.execPath, ['-e', elsewhere, file], { encoding: 'utf8' })
    expect(seen.trim()).toBe('SQLITE_BUSY')
    holder.close()
  })
})

describe('a reader', () => {
  test('sees what was committed, and writes nothing', () => {
    const db = openDatabase(file, ['CREATE TABLE a (x)'])
    const reader = openReader(file)
    db.exec('INSERT INTO a VALUES (1)')
    expect(reader.prepare('SELECT x FROM a').pluck().all()).toEqual([1])
    expect(() => reader.exec('INSERT INTO a VALUES (2)')).toThrow(/readonly/)
    reader.close()
    db.close()
  })

  test('of a database that is not there is refused', () => {
    expect(() => openReader(file)).toThrow(/Check that the folder exists/)
  })
})

describe('errors', () => {
  test.each([
    ['SQLITE_FULL', /Free some space/],
    ['SQLITE_IOERR_WRITE', /check the disk/],
    ['SQLITE_CORRUPT', /restore the newest backup/],
    ['SQLITE_NOTADB', /restore the newest backup/],
    ['SQLITE_BUSY', /Another program holds the database/],
    ['EACCES', /this user may write/],
    ['SQLITE_CONSTRAINT', /^x\.db: message$/],
  ])('%s says what to do', (code, advice) => {
    const error = explained('x.db', Object.assign(new Error('message'), { code }))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(advice)
    expect(explained('y.db', error)).toBe(error)
  })

  test('after those that leave the disk unknown nothing is written', () => {
    const codes = ['SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT_VTAB', 'SQLITE_NOTADB']
    expect(codes.filter(isFinal)).toEqual(codes)
    expect(['SQLITE_FULL', 'SQLITE_BUSY', 'UNKNOWN'].filter(isFinal)).toEqual([])
  })
})
