import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onDemand } from '../../../gateway/on-demand.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let folder: ReturnType<typeof tempFolder>
beforeEach(() => {
  folder = tempFolder()
})
afterEach(() => folder.remove())

test('what could not be loaded is tried again, and what was loaded is kept', () => {
  const file = join(folder.path, 'module.cjs')
  const module = onDemand<{ readonly made: object }>(file)
  expect(module).toThrow('module.cjs')
  writeFileSync(file, 'exports.made = {}')
  expect(module().made).toBe(module().made)
})
