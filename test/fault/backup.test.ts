/** Backups of a store that others write to, and work on a data folder that is killed half-way. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backUp } from '../../cli/backup/backup.ts'
import { restore } from '../../cli/backup/restore.ts'
import { Instance } from '../../database/instance.ts'
import { killedWhile } from '../support/killed-process.ts'
import { at, contentOf, isSame, pattern, put, START, StoreFolder } from '../support/store.ts'
import { inventory, isTidy } from '../support/store-leftovers.ts'
import { StoreProcess } from '../support/store-process.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

const LARGE = 300 * 1024

describe('a backup while another process writes', () => {
  it('holds what was there before whole, and nothing that is torn', async () => {
    const folder = new StoreFolder()
    const elsewhere = tempFolder()
    const writer = await StoreProcess.start(folder.folder, folder.instances)
    const instance = Instance.start(folder.instances)
    try {
      const store = await folder.start()
      for (let n = 0; n < 10; n += 1) await put(store, at(`still/${n}`), pattern(LARGE, n + 1))
      await folder.stop()
      await writer.tell({ do: 'flood', round: 1 })
      const to = join(elsewhere.path, 'backup')
      for (let round = 0; round < 3; round += 1) {
        const link = round % 2 === 0
        const common = { label: 'backup', link, now: () => START }
        const options = { ...common, data: folder.root, instance, to, secrets: false }
        expect((await backUp(options)).missing).toEqual([])
        const restored = new StoreFolder()
        try {
          const data = join(restored.root, 'data')
          const { missing, damaged, isRestored } = await restore({
            from: to,
            fromLabel: to,
            data,
            dataLabel: data,
            link,
            verify: true,
            keepDamaged: false,
            now: START,
          })
          expect({ missing, damaged, isRestored }).toEqual({
            missing: [],
            damaged: [],
            isRestored: true,
          })
          const copy = await restored.start({ folder: join(data, 'store') })
          for (let n = 0; n < 10; n += 1) {
            const content = await contentOf(copy, at(`still/${n}`))
            expect(isSame(content, pattern(LARGE, n + 1))).toBe(true)
          }
          expect(copy.list({ prefix: '', limit: 100 }).objects.length).toBeGreaterThan(10)
        } finally {
          await restored.remove()
        }
      }
    } finally {
      await writer.kill()
      instance.close()
      elsewhere.remove()
      await folder.remove()
    }
  })
})

describe('killed half-way', () => {
  let line: CommandLine
  let data: string
  let other: string
  beforeEach(() => {
    line = new CommandLine()
    data = join(line.folder, 'data')
    other = join(line.folder, 'other')
  })
  afterEach(() => line.remove())

  const fill = async (count: number) => {
    const source = join(line.folder, 'source')
    mkdirSync(source, { recursive: true })
    for (let n = 0; n < count; n += 1) {
      writeFileSync(join(source, `${n}`), pattern(n % 2 === 0 ? 100 : LARGE, n + 1))
    }
    await line.done('import', 'source', 'demo/a/')
    return source
  }
  const contents = (folder: string) =>
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')])

  it.each([1, 3, 'end'] as const)(
    'a first backup (%s) is refused by restore, and completed by the next run',
    async (killAfter) => {
      const source = await fill(10)
      await killedWhile({ kind: 'backup', data, folder: other, killAfter })
      const refused = await line.run(['restore', 'other', '--data', 'new'])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/other holds no complete backup/)
      expect(readdirSync(line.folder)).not.toContain('new')
      await line.done('backup', 'other')
      expect(readdirSync(other).filter((name) => name.startsWith('run-'))).toHaveLength(1)
      await line.done('restore', 'other', '--data', 'new')
      await line.done('export', 'demo/a/', 'out', '--data', 'new')
      expect(contents(join(line.folder, 'out'))).toEqual(contents(source))
      // the next start takes away what the killed one held
      await line.done('ls')
      expect(isTidy(join(data, 'store'))).toBe(true)
    },
  )

  it.each([7, 'end'] as const)(
    'a later backup (%s) leaves the one before it to be restored',
    async (killAfter) => {
      await fill(10)
      await line.done('backup', 'other')
      await line.done('rm', 'demo/a/1')
      writeFileSync(join(line.folder, 'source', '11'), pattern(LARGE, 99))
      writeFileSync(join(line.folder, 'source', '13'), pattern(LARGE, 98))
      writeFileSync(join(line.folder, 'source', '15'), pattern(LARGE, 97))
      await line.done('import', 'source', 'demo/b/')
      await killedWhile({ kind: 'backup', data, folder: other, killAfter })
      await line.done('restore', 'other', '--data', 'new')
      expect(await line.done('ls', '-r', '--data', 'new')).toBe(
        Array.from({ length: 10 }, (_, n) => `demo/a/${n}`).join('\n'),
      )
    },
  )

  it('an import goes on with what is left', async () => {
    const source = join(line.folder, 'source')
    mkdirSync(source)
    for (let n = 0; n < 300; n += 1) {
      writeFileSync(join(source, `${n}`), pattern(n % 30 === 0 ? LARGE : 100, n + 1))
    }
    await killedWhile({ kind: 'import', data, folder: source, prefix: 'demo/', killAfter: 100 })
    const result = await line.json<Record<string, number>>('import', 'source', 'demo/')
    expect(result.unchanged).toBeGreaterThanOrEqual(100)
    expect((result.imported ?? 0) + (result.unchanged ?? 0)).toBe(300)
    expect(await line.json('scrub')).toMatchObject({ objects: 300, damaged: [], strays: [] })
    expect(isTidy(join(data, 'store'))).toBe(true)
    expect(inventory(join(data, 'store')).files).toHaveLength(10)
    await line.done('export', 'demo/', 'out')
    expect(contents(join(line.folder, 'out'))).toEqual(contents(source))
  })

  it('an export leaves whole files only, and goes on with what is left', async () => {
    const source = await fill(60)
    mkdirSync(other)
    await killedWhile({ kind: 'export', data, folder: other, prefix: 'demo/a/', killAfter: 20 })
    const known = new Map(contents(source) as [string, string][])
    const before = readdirSync(other).filter((name) => name !== '.valetkey-export')
    expect(before.length).toBeGreaterThanOrEqual(20)
    for (const name of before) {
      expect(readFileSync(join(other, name)).toString('base64') === known.get(name)).toBe(true)
    }
    const result = await line.json<Record<string, number>>('export', 'demo/a/', 'other')
    expect(result).toMatchObject({ exported: 60 - before.length, unchanged: before.length })
    expect(contents(other)).toEqual(contents(source))
  })
})
