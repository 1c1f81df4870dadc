import { rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuditHouse, act, auditHouse } from '../../support/audit.ts'

let house: AuditHouse
beforeEach(() => {
  house = auditHouse()
})
afterEach(() => house.remove())

const [FIRST, SECOND] = ['2026-11-24.0.0.jsonl', '2026-11-25.0.0.jsonl']
const DAY = 86_400_000

/** Two days of one slot, the first with five batches: what it begins with, and four records. */
async function written(): Promise<void> {
  const writer = await house.open()
  for (const name of ['a', 'b', 'c', 'd']) await writer.keep(act(name))
  house.time += DAY
  await writer.keep(act('e'))
  await writer.close()
}

const lines = (name: string): string[] => house.read(name).split(/(?<=\n)/)
const edited = (name: string, edit: (lines: string[]) => string[]): void =>
  house.write(name, edit(lines(name)).join(''))
const isRecord = (name: string) => (line: string) => line.includes(`"act":"${name}"`)

/** Batches are two lines here: a record and its seal. */
const without = (from: number, count: number) => (all: string[]) => all.toSpliced(from, count)

describe('what was written', () => {
  it('is found as it was', async () => {
    await written()
    const verdict = await house.verify()
    expect(verdict).toMatchObject({ files: 2, records: 7, problems: [], notes: [] })
    expect(verdict.heads).toEqual([{ file: SECOND, seq: 6, seal: expect.any(String) }])
    expect(await house.acts()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await house.newest()).toEqual(['e', 'd', 'c', 'b', 'a'])
  })

  it('goes on where the process before has ended, on the same day and on another', async () => {
    for (const name of ['a', 'b']) {
      const writer = await house.open()
      await writer.keep(act(name))
      await writer.close()
    }
    house.time += 3 * DAY
    const writer = await house.open()
    await writer.keep(act('c'))
    await writer.close()
    expect(house.names()).toEqual([FIRST, '2026-11-27.0.0.jsonl'])
    expect(await house.verify()).toMatchObject({ problems: [], notes: [], records: 5 })
  })

  it('of several processes at once lies in a file each, and is read as one', async () => {
    const writers = await Promise.all([house.open(), house.open(), house.open()])
    for (const [at, writer] of writers.entries()) {
      house.time += 1
      await writer.keep(act(`from${at}`))
    }
    for (const writer of writers) await writer.close()
    expect(house.names()).toHaveLength(3)
    expect(await house.acts()).toEqual(['from0', 'from1', 'from2'])
    expect(await house.newest()).toEqual(['from2', 'from1', 'from0'])
    expect((await house.verify()).problems).toEqual([])
  })
})

describe('what somebody has done to it is found', () => {
  it.each<[string, (all: string[]) => string[], RegExp]>([
    [
      'a record that was edited',
      (all) => all.map((line) => line.replace('"act":"b"', '"act":"x"')),
      /changed: 1 records were written, 1 are there/,
    ],
    ['a byte more', (all) => all.map((line) => line.replace('"act":"b"', '"act": "b"')), /changed/],
    [
      'a record that was dropped',
      (all) => all.filter((line) => !isRecord('b')(line)),
      /1 records were written, 0 are there/,
    ],
    [
      'a record that was added',
      (all) => all.toSpliced(4, 0, `{${act('b')}}\n`),
      /1 records were written, 2 are there/,
    ],
    ['a record with its seal', without(4, 2), /seal 3 stands where seal 2 should/],
    ['several', without(2, 4), /seal 3 stands where seal 1 should/],
    [
      'two that changed places',
      (all) => [...all.slice(0, 4), ...all.slice(6, 8), ...all.slice(4, 6), ...all.slice(8)],
      /stands where/,
    ],
    ['one that is there twice', (all) => all.toSpliced(6, 0, ...all.slice(4, 6)), /stands where/],
    [
      'a seal of a number of its own',
      (all) => all.map((line) => line.replace('"seq":2,', '"seq":3,')),
      /stands where/,
    ],
    [
      'a seal with another count',
      (all) => all.map((line) => line.replace('"seq":2,"count":1', '"seq":2,"count":2')),
      /changed/,
    ],
    ['the beginning of a file', without(0, 2), /does not begin with its own name/],
    [
      'the end of a file that another one follows',
      (all) => all.slice(0, -2),
      /ended with seal 4 and ends now with seal 3/,
    ],
    [
      'half of its last batch',
      (all) => [...all.slice(0, -1), (all.at(-1) ?? '').slice(0, 20)],
      /ended with seal 4 and ends now/,
    ],
    [
      'something behind its end',
      (all) => [...all, `{${act('z')}}\n`],
      /bytes behind its last seal were added/,
    ],
    ['everything', () => [], /is missing|cut off/],
  ])('%s', async (_, edit, expected) => {
    await written()
    edited(FIRST, edit)
    const { problems } = await house.verify()
    expect(problems.map(({ what }) => what).join('\n')).toMatch(expected)
  })

  it('a file that is gone', async () => {
    await written()
    rmSync(join(house.folder, FIRST))
    expect((await house.verify()).problems).toEqual([
      { file: SECOND, what: `the file before it, ${FIRST}, is missing` },
    ])
  })

  it('a file under the name of another', async () => {
    await written()
    house.write('2026-11-24.1.0.jsonl', house.read(FIRST))
    expect((await house.verify()).problems).toEqual([
      { file: '2026-11-24.1.0.jsonl', what: expect.stringContaining('was renamed') },
    ])
  })

  it('everything, for who has another key', async () => {
    await written()
    const other = auditHouse()
    try {
      const { problems } = await (await import('../../../audit/verify.ts')).verifyAudit(
        house.folder,
        (await import('node:crypto')).createSecretKey(Buffer.alloc(32, 8)),
      )
      expect(problems).toHaveLength(7)
    } finally {
      other.remove()
    }
  })
})

describe('what was there before', () => {
  const since = async (tamper: () => void): Promise<string[]> => {
    await written()
    const { heads } = await house.verify()
    tamper()
    return (await house.verify(heads)).problems.map(({ what }) => what)
  }

  it('is still there when more has come', async () => {
    await written()
    const { heads } = await house.verify()
    const writer = await house.open()
    await writer.keep(act('f'))
    await writer.close()
    expect((await house.verify(heads)).problems).toEqual([])
  })

  it('is missed where the end of the newest file was cut off behind a seal', async () => {
    expect(await since(() => edited(SECOND, (all) => all.slice(0, -2)))).toEqual([
      expect.stringMatching(/^it had seal 6 before, .*cut off/),
    ])
  })

  it('is missed where all files are gone', async () => {
    const gone = () => {
      for (const name of [FIRST, SECOND]) rmSync(join(house.folder, name))
    }
    expect(await since(gone)).toEqual(['it had seal 6 before, and is missing'])
  })

  it('may go when it is old enough', async () => {
    await written()
    const { heads } = await house.verify()
    house.time += 400 * DAY
    await (await house.open()).close()
    house.time += DAY
    const writer = await house.open()
    await writer.keep(act('g'))
    await writer.close()
    expect(house.names()).not.toContain(SECOND)
    expect((await house.verify(heads)).problems).toEqual([])
  })
})

describe('what a crash leaves behind', () => {
  it('is told apart: the next file names it, and the records before it count', async () => {
    const writer = await house.open()
    await writer.keep(act('a'))
    await writer.keep(act('b'))
    await writer.close()
    const size = Buffer.byteLength(house.read(FIRST))
    truncateSync(join(house.folder, FIRST), size - 30)
    expect(await house.verify()).toMatchObject({
      problems: [],
      notes: [{ file: FIRST, what: expect.stringContaining('as a crash leaves them') }],
    })
    const next = await house.open()
    await next.keep(act('c'))
    await next.close()
    expect(house.names()).toEqual([FIRST, '2026-11-24.0.1.jsonl'])
    expect(await house.verify()).toMatchObject({ problems: [], notes: [{ file: FIRST }] })
    expect(await house.acts()).toEqual(['a', 'c'])
  })

  it('is a file without any seal', async () => {
    await (await house.open()).close()
    house.write(FIRST, '{"time"')
    await (await house.open()).close()
    expect(house.names()).toEqual([FIRST, '2026-11-24.0.1.jsonl'])
    expect((await house.verify()).problems.map(({ file }) => file)).toEqual([FIRST])
  })
})
