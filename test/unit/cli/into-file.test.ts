import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { intoFile } from '../../../cli/into-file.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let temp: ReturnType<typeof tempFolder>
beforeEach(() => {
  temp = tempFolder()
})
afterEach(() => temp.remove())

const at = (name: string) => join(temp.path, name)
const AS = { label: 'out', mayReplace: false, advice: 'name another' }

it('names a file when it is whole', async () => {
  await intoFile(at('out'), AS, async (sink) => {
    await sink(Buffer.from('half '))
    expect(readdirSync(temp.path)).not.toContain('out')
    await sink(Buffer.from('and half'))
  })
  expect(readdirSync(temp.path)).toEqual(['out'])
  expect(readFileSync(at('out'), 'utf8')).toBe('half and half')
})

it('leaves nothing behind where it fails', async () => {
  const failing = intoFile(at('out'), AS, async (sink) => {
    await sink(Buffer.from('half'))
    throw new Error('the rest is missing')
  })
  await expect(failing).rejects.toThrow('the rest is missing')
  expect(readdirSync(temp.path)).toEqual([])
})

it('replaces a file that came meanwhile only where it may', async () => {
  const late = (mayReplace: boolean) =>
    intoFile(at('out'), { ...AS, mayReplace }, async (sink) => {
      await sink(Buffer.from('ours'))
      writeFileSync(at('out'), 'theirs')
    })
  await expect(late(false)).rejects.toThrow('out is there already: name another')
  expect(readFileSync(at('out'), 'utf8')).toBe('theirs')
  await late(true)
  expect(readFileSync(at('out'), 'utf8')).toBe('ours')
  expect(readdirSync(temp.path)).toEqual(['out'])
})

it('names the folder that is missing, and not its own file', async () => {
  const nowhere = intoFile(at('none/out'), { ...AS, label: 'none/out' }, async () => {})
  await expect(nowhere).rejects.toThrow(/^there is no folder none: make it, or name another place$/)
})
