import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseError } from '../../../../../database/open.ts'
import { Layout, makeFolders } from '../../../../../gateway/store/disk/layout.ts'
import { DiskUpload, type Enter } from '../../../../../gateway/store/disk/upload.ts'
import { Health } from '../../../../../gateway/store/files/health.ts'
import { bytes } from '../../../../../key/units.ts'
import { described, pattern, START } from '../../../../support/store.ts'
import { FaultyFiles } from '../../../../support/store-faults.ts'

const OWNER = 'owner'
const LARGE = pattern(600 * 1024)

describe('an upload', () => {
  let folder: string
  let layout: Layout
  let faulty: FaultyFiles
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'valetkey-upload-'))
    layout = new Layout(folder)
    faulty = new FaultyFiles()
    await makeFolders(faulty.files, layout, OWNER)
    faulty.begin(() => undefined)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const uploadTo = (enter: Enter): DiskUpload => {
    const { files } = faulty
    const health = new Health({
      files,
      folder,
      now: () => START,
      reserve: bytes(0),
      indexFailure: () => undefined,
    })
    return new DiskUpload({ files, layout, owner: OWNER }, health, enter)
  }

  /** Commits a large upload to an index that fails; returns whether its file is kept. */
  const isKeptAfter = async (code: string): Promise<boolean> => {
    let name = ''
    const upload = uploadTo(async (content) => {
      if ('name' in content) name = content.name
      throw new DatabaseError(code, 'injected')
    })
    await upload.write([LARGE])
    await expect(upload.commit(described(LARGE))).rejects.toThrow('injected')
    await upload.discard()
    const isKept = existsSync(layout.blob(name))
    expect(existsSync(layout.staged(OWNER, name))).toBe(isKept)
    return isKept
  }

  it.each(['SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT', 'WRITER_ENDED'])(
    'that the index may name after all (%s) keeps its file for the next start',
    async (code) => {
      expect(await isKeptAfter(code)).toBe(true)
    },
  )

  it.each(['SQLITE_BUSY', 'SQLITE_CONSTRAINT_NOTNULL'])(
    'that the index has not taken for certain (%s) leaves nothing',
    async (code) => {
      expect(await isKeptAfter(code)).toBe(false)
    },
  )

  it('is durable, file before folder, before the index names it', async () => {
    let before: readonly string[] = []
    const upload = uploadTo(async () => {
      before = faulty.calls.map(({ name }) => name)
      return { done: false }
    })
    await upload.write([LARGE])
    await upload.commit(described(LARGE))
    const file = ['create', 'append', 'link', 'sync']
    expect(before.filter((name) => name !== 'space')).toEqual([
      ...file,
      'open',
      'sync',
      'close',
      'close',
    ])
  })

  it('of up to 64 KiB touches no file', async () => {
    const upload = uploadTo(async () => ({ done: false }))
    await upload.write([pattern(64 * 1024)])
    await upload.commit(described(pattern(64 * 1024)))
    expect(new Set(faulty.calls.map(({ name }) => name))).toEqual(new Set(['space']))
  })

  it('holds about a megabyte at most, however it comes', async () => {
    const upload = uploadTo(async () => ({ done: false }))
    await upload.write([pattern(5 * 1024 * 1024 + 10)])
    expect(faulty.calls.filter(({ name }) => name === 'append')).toHaveLength(5)
    await upload.discard()
  })
})
