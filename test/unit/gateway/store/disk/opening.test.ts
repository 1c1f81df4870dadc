/** How an object of many files is opened while others write to the index. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../../../database/open.ts'
import { Descriptors } from '../../../../../gateway/store/disk/descriptors.ts'
import { IndexReader } from '../../../../../gateway/store/disk/index-reader.ts'
import { prepareJobs } from '../../../../../gateway/store/disk/jobs.ts'
import { Layout } from '../../../../../gateway/store/disk/layout.ts'
import { Opening } from '../../../../../gateway/store/disk/opening.ts'
import type { Taken } from '../../../../../gateway/store/disk/pins.ts'
import { type Located, migrations, type Piece } from '../../../../../gateway/store/disk/schema.ts'
import { checksum } from '../../../../../gateway/store/files/checksum.ts'
import { nodeFiles } from '../../../../../gateway/store/files/files.ts'
import { freshName } from '../../../../../gateway/store/files/fresh-name.ts'
import { Damaged } from '../../../../../gateway/store/store.ts'
import { bytes } from '../../../../../key/units.ts'
import { at, described, isSame, pattern, readFrom, START } from '../../../../support/store.ts'

const MANY = 20
const SMALL = pattern(10)

describe('opening', () => {
  let folder: string
  let layout: Layout
  let descriptors: Descriptors
  /** what happened, in order */
  let log: string[]
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'valetkey-opening-'))
    layout = new Layout(folder)
    descriptors = new Descriptors(nodeFiles, layout)
    log = []
  })
  afterEach(async () => {
    await descriptors.close()
    rmSync(folder, { recursive: true })
  })

  const pieceOf = (content: Uint8Array): Piece => {
    const name = freshName()
    mkdirSync(dirname(layout.blob(name)), { recursive: true })
    writeFileSync(layout.blob(name), content)
    const blob = { name, size: content.length, sums: checksum([content]) }
    return { blob, start: 0, length: content.length }
  }
  const many = (oid: number) => {
    const contents = Array.from({ length: MANY }, (_, n) => pattern(100 + n, oid * 100 + n))
    const whole = Buffer.concat(contents)
    const info = { path: at('x'), size: bytes(whole.length), ...described(whole) }
    return { located: { oid, info, content: contents.map(pieceOf) }, whole }
  }
  const small: Located = {
    oid: 9,
    info: { path: at('x'), size: bytes(SMALL.length), ...described(SMALL) },
    content: SMALL,
  }
  const taken = (pin: number): Taken => ({
    pin,
    forget: () => log.push(`forget ${pin}`),
    release: () => log.push(`release ${pin}`),
  })

  /** @param answers of the index, one after the other; the last for good */
  const openingOf = (
    answers: readonly (Located | undefined)[],
    take: (oid: number) => Promise<Taken | undefined>,
    isPinned: (pin: number, oid: number) => boolean = () => true,
  ): Opening => {
    let asked = 0
    const locate = () => answers[Math.min(asked++, answers.length - 1)]
    return new Opening({
      index: { locate, isPinned, forgetVersion: () => {} },
      reading: { files: nodeFiles, descriptors },
      pins: { take },
      now: () => START,
    })
  }

  it('pins first, and releases once', async () => {
    const { located, whole } = many(1)
    const object = await openingOf([located], async (oid) => taken(oid)).open(at('x'))
    expect(isSame(object && (await readFrom(object)), whole)).toBe(true)
    expect(log).toEqual([])
    object?.close()
    object?.close()
    expect(log).toEqual(['release 1'])
  })

  it('goes on without where nothing can be pinned; what is unlinked then is damaged', async () => {
    const { located, whole } = many(1)
    const opening = openingOf([located], () => Promise.reject(new Error('full')))
    const object = await opening.open(at('x'))
    expect(isSame(object && (await readFrom(object)), whole)).toBe(true)
    object?.close()
    const cut = await opening.open(at('x'))
    await descriptors.close()
    const last = located.content.at(-1)
    if (last) {
      descriptors.drop(last.blob.name)
      rmSync(layout.blob(last.blob.name))
    }
    await expect(async () => cut && (await readFrom(cut))).rejects.toThrow(Damaged)
    cut?.close()
  })

  it('looks again where the object is gone before it is pinned', async () => {
    const { located } = many(1)
    const opening = openingOf([located, located, small], async () => undefined)
    const object = await opening.open(at('x'))
    expect(object?.near?.(0)).toEqual(SMALL)
  })

  it('does not take a pin for its own that was for what had its number before', async () => {
    const [old, now] = [many(1), many(1)]
    let pins = 0
    const take = async () => taken(++pins)
    const opening = openingOf([old.located, old.located, now.located], take, (pin) => pin > 1)
    const object = await opening.open(at('x'))
    expect(isSame(object && (await readFrom(object)), now.whole)).toBe(true)
    expect(log).toEqual(['forget 1', 'release 1'])
    object?.close()
    expect(log.at(-1)).toBe('release 2')
  })

  it('does not read what was found before it was pinned', async () => {
    const [old, now] = [many(1), many(2)]
    const answers = [old.located, old.located, now.located]
    const object = await openingOf(answers, async (oid) => taken(oid)).open(at('x'))
    expect(isSame(object && (await readFrom(object)), now.whole)).toBe(true)
    expect(log).toEqual(['forget 1', 'release 1'])
    object?.close()
  })

  it('asks the index anew where another process has replaced the object in this turn', async () => {
    const index = new IndexReader(layout.index)
    const other = openDatabase(layout.index, migrations)
    try {
      const { put } = prepareJobs(other)
      const putNow = (content: Uint8Array): Piece => {
        const piece = pieceOf(content)
        const info = { path: at('x'), size: bytes(content.length), ...described(content) }
        const change = { path: at('x'), condition: undefined, now: START, owner: 'other' }
        put({ ...change, info, content: piece.blob })
        return piece
      }
      const before = putNow(pattern(300))
      // a request that came a moment before
      index.locate(at('x'), START)
      putNow(pattern(300, 2))
      rmSync(layout.blob(before.blob.name))
      const opening = new Opening({
        index,
        reading: { files: nodeFiles, descriptors },
        pins: { take: async () => undefined },
        now: () => START,
      })
      const object = await opening.open(at('x'))
      expect(isSame(object && (await readFrom(object)), pattern(300, 2))).toBe(true)
      object?.close()
    } finally {
      other.close()
      index.close()
    }
  })

  it('finds nothing where it is deleted meanwhile', async () => {
    const { located } = many(1)
    const opening = openingOf([located, located, undefined], async (oid) => taken(oid))
    expect(await opening.open(at('x'))).toBeUndefined()
    expect(log).toEqual(['forget 1', 'release 1'])
  })
})
