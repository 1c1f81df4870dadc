import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DatabaseError, openReader } from '../../../database/open.ts'
import { startWriter, type Writer } from '../../../database/writer.ts'
import type { NumberJobs } from '../../support/number-jobs.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const JOBS = new URL('../../support/number-jobs.ts', import.meta.url)

let folder: ReturnType<typeof tempFolder>
let file: string
let writer: Writer<NumberJobs>

beforeEach(async () => {
  folder = tempFolder()
  file = join(folder.path, 'numbers.db')
  writer = await startWriter<NumberJobs>(file, JOBS)
})

afterEach(async () => {
  await writer.close()
  folder.remove()
})

function numbers(): number[] {
  const db = openReader(file)
  const found = db.prepare<[], number>('SELECT n FROM numbers ORDER BY n').pluck().all()
  db.close()
  return found
}

const codeOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'done',
    (error: unknown) => (error instanceof DatabaseError ? error.code : String(error)),
  )

describe('a group', () => {
  test('is written when it is acknowledged, each job answered for itself', async () => {
    const all = Array.from({ length: 5000 }, (_, n) => n)
    expect(await Promise.all(all.map((n) => writer.run('add', n)))).toEqual(all)
    expect(numbers()).toEqual(all)
  })

  test('a job that fails is undone and harms no other', async () => {
    const codes = await Promise.all([
      codeOf(writer.run('add', 1)),
      codeOf(writer.run('addAndFail', 2)),
      codeOf(writer.run('add', 1)),
      codeOf(writer.run('add', 3)),
    ])
    expect(codes).toEqual(['done', 'UNKNOWN', 'SQLITE_CONSTRAINT_PRIMARYKEY', 'done'])
    expect(numbers()).toEqual([1, 3])
    expect(writer.failure).toBeUndefined()
  })

  test('an error says which file, and what the job said', async () => {
    await expect(writer.run('addAndFail', 1)).rejects.toThrow(`${file}: changed my mind`)
  })

  test('what returns nothing resolves to nothing', async () => {
    await expect(writer.run('nothing', undefined)).resolves.toBeUndefined()
  })

  test('a job that is not there is refused, not taken for done', async () => {
    const attempt = writer.run('missing' as 'nothing', undefined)
    expect(await codeOf(attempt)).toBe('NO_SUCH_JOB')
  })

  test('an argument that can not be sent is refused, and harms no other', async () => {
    const unsendable = writer.run('add', (() => 1) as never)
    const other = writer.run('add', 7)
    await expect(unsendable).rejects.toThrow(/could not be cloned/)
    expect(await other).toBe(7)
  })

  test('many that can not be sent keep nobody waiting', async () => {
    const unsendable = Array.from({ length: 1500 }, () => writer.run('add', (() => 1) as never))
    const other = writer.run('add', 7)
    const all = await Promise.allSettled(unsendable)
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(await other).toBe(7)
  })

  test('takes those who waited together with those who ask again as soon as they are answered', async () => {
    let groups = 0
    writer.onWritten(() => {
      groups += 1
    })
    const askTenTimes = async (): Promise<void> => {
      for (let n = 0; n < 10; n += 1) await writer.run('nothing', undefined)
    }
    const first = askTenTimes()
    await turn()
    // the first group is under way
    await Promise.all([first, askTenTimes()])
    // the first one's first, nine of both, the second one's last
    expect(groups).toBe(11)
  })

  test('where the whole transaction was lost, nobody is told that it was done, and nothing is', async () => {
    const codes = await Promise.all(
      (['add', 'endTransaction', 'add'] as const).map((name, n) => codeOf(writer.run(name, n))),
    )
    const written = numbers()
    for (const [n, code] of codes.entries()) expect(written.includes(n)).toBe(code === 'done')
    expect(codes[1]).toBe('SQLITE_FULL')
    await writer.run('add', 9)
    expect(numbers()).toContain(9)
  })
})

describe('a job that acts outside', () => {
  test.each(['addAndFail', 'endTransaction'] as const)(
    'is run once, and said to be done, also beside one that fails (%s)',
    async (failing) => {
      const trace = join(folder.path, 'trace')
      const answers = await Promise.all([
        writer.run('act', trace),
        codeOf(writer.run('actAndFail', trace)),
        writer.run('act', trace),
        codeOf(writer.run(failing, 1)),
      ])
      expect(answers.slice(0, 3)).toEqual([1, 'UNKNOWN', 3])
      expect(readFileSync(trace, 'utf8')).toBe('xxx')
      expect(answers[3]).not.toBe('done')
    },
  )

  test('is not run after a failed write', async () => {
    const trace = join(folder.path, 'trace')
    const codes = await Promise.all([
      codeOf(writer.run('act', trace)),
      codeOf(writer.run('breakDisk', undefined)),
    ])
    expect(codes).toEqual(Array(2).fill('SQLITE_IOERR_FSYNC'))
    expect(existsSync(trace)).toBe(false)
  })
})

describe('after a failed write', () => {
  test('nothing is tried again, not even what waits already', async () => {
    const codes = await Promise.all([
      codeOf(writer.run('breakDisk', undefined)),
      ...[1, 2, 3].map((n) => codeOf(writer.run('add', n))),
    ])
    expect(codes).toEqual(Array(4).fill('SQLITE_IOERR_FSYNC'))
    expect(writer.failure?.code).toBe('SQLITE_IOERR_FSYNC')
    expect(await codeOf(writer.run('add', 4))).toBe('SQLITE_IOERR_FSYNC')
    expect(numbers()).toEqual([])
  })

  test('a thread that ends leaves nobody waiting', async () => {
    const codes = await Promise.all([
      codeOf(writer.run('die', undefined)),
      codeOf(writer.run('add', 1)),
    ])
    expect(codes).toEqual(['WRITER_ENDED', 'WRITER_ENDED'])
    expect(await codeOf(writer.run('add', 2))).toBe('WRITER_ENDED')
  })
})

describe('closing', () => {
  test('finishes what was asked before, refuses what is asked after', async () => {
    const before = Array.from({ length: 3000 }, (_, n) => codeOf(writer.run('add', n)))
    const closed = writer.close()
    const after = codeOf(writer.run('add', 9999))
    await closed
    expect(new Set(await Promise.all(before))).toEqual(new Set(['done']))
    expect(await after).toBe('CLOSED')
    expect(numbers()).toHaveLength(3000)
  })

  test('may be asked for twice', async () => {
    await Promise.all([writer.close(), writer.close()])
    await writer.close()
  })
})

test('a module that can not be loaded is said to be so', async () => {
  const missing = new URL('../../support/missing-jobs.ts', import.meta.url)
  await expect(startWriter(file, missing)).rejects.toThrow(/missing-jobs/)
})
