import { join } from 'node:path'
import { setImmediate as check } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { oncePerTurn } from '../../../database/once-per-turn.ts'
import { type Database, openDatabase, openReader } from '../../../database/open.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let folder: ReturnType<typeof tempFolder>
let other: Database
let reader: Database
let reads: number
let version: ReturnType<typeof oncePerTurn<unknown>>

beforeEach(() => {
  folder = tempFolder()
  const file = join(folder.path, 'numbers.db')
  other = openDatabase(file, ['CREATE TABLE numbers (n INTEGER) STRICT'])
  reader = openReader(file)
  reads = 0
  version = oncePerTurn(() => {
    reads += 1
    return reader.pragma('data_version', { simple: true })
  })
})

afterEach(() => {
  reader.close()
  other.close()
  folder.remove()
})

const write = (): void => {
  other.exec('INSERT INTO numbers VALUES (1)')
}

/** Calls back when the loop looks for I/O next, as it does for what comes from a socket. */
function atNextLook<T>(call: () => T): Promise<T> {
  const { port1, port2 } = new MessageChannel()
  port2.postMessage('')
  return new Promise((resolve) => {
    port1.once('message', () => {
      resolve(call())
      port1.close()
    })
  })
}

/** Between two looks for I/O: what is asked there has the end of its turn behind it. */
const BETWEEN: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['after the last look', () => check()],
  ['from a timer', () => new Promise((resolve) => setTimeout(resolve))],
  ['during a look', () => atNextLook(() => undefined)],
]

describe('what is read once per turn', () => {
  test.each(BETWEEN)('is read anew in the next, asked for %s before', async (_, come) => {
    await come()
    const before = version()
    write()
    expect(await atNextLook(version)).not.toBe(before)
    expect(reads).toBe(2)
  })

  test('is read once, however often it is asked for in a turn', async () => {
    await check()
    const before = version()
    write()
    await Promise.resolve()
    expect([version(), version()]).toEqual([before, before])
    expect(reads).toBe(1)
  })

  test('is read anew after a write of our own', () => {
    const before = version()
    write()
    version.forget()
    expect(version()).not.toBe(before)
  })
})
