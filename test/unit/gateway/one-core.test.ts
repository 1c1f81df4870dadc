import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { leaveHelpersOut } from '../../../gateway/one-core.ts'

const setFor = (cores: number): readonly string[] => {
  const set: string[] = []
  leaveHelpersOut(cores, (flags) => set.push(flags))
  return set
}

it('helpers are left out where there is one core, and nowhere else', () => {
  expect([setFor(1), setFor(2), setFor(64)]).toEqual([['--no-concurrent-marking'], [], []])
})

it('this V8 knows what it is told', () => {
  const said = execFileSync(process.execPath, [...setFor(1), '-p', '6 * 7'], { encoding: 'utf8' })
  expect(said).toBe('42\n')
})
