import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Instance } from '../../../database/instance.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let folder: ReturnType<typeof tempFolder>
let locks: string
let ends: (() => unknown)[]
beforeEach(() => {
  folder = tempFolder()
  locks = join(folder.path, 'instances')
  ends = []
})
afterEach(async () => {
  for (const end of ends) await end()
  folder.remove()
})

function start(): Instance {
  const instance = Instance.start(locks)
  ends.push(() => instance.close())
  return instance
}

async function startElsewhere(): Promise<{ id: string; kill: () => Promise<void> }> {
  const program = fileURLToPath(new URL('../../support/instance-process.ts', import.meta.url))
  const child = fork(program, [locks], { execArgv: ['--import', 'tsx'] })
  const [id] = (await once(child, 'message')) as [string]
  const kill = async () => {
    if (child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  ends.push(kill)
  return { id, kill }
}

describe('an instance', () => {
  test('is alive while it runs, in this process and in another', async () => {
    const [one, two, other] = [start(), start(), await startElsewhere()]
    for (const { id } of [one, two, other]) expect(one.isAlive(id)).toBe(true)
    expect(two.dead()).toEqual([])
  })

  test('is gone when it says so, and leaves nothing', () => {
    const [one, two] = [start(), start()]
    two.close()
    expect(one.isAlive(two.id)).toBe(false)
    expect(one.dead()).toEqual([])
    expect(readdirSync(locks)).toEqual([`${one.id}.lock`])
  })

  test('is dead when it was killed, until it is buried', async () => {
    const [one, other] = [start(), await startElsewhere()]
    await other.kill()
    expect(one.isAlive(other.id)).toBe(false)
    expect(one.dead()).toEqual([other.id])
    one.bury(other.id)
    expect(one.dead()).toEqual([])
  })

  test('that nobody has heard of is not alive, and asking makes no lock', () => {
    const one = start()
    expect(one.isAlive('0123456789abcdef')).toBe(false)
    expect(readdirSync(locks)).toEqual([`${one.id}.lock`])
  })

  test('being asked after does not end it', () => {
    const [one, two] = [start(), start()]
    for (let n = 0; n < 20; n += 1) expect(one.isAlive(two.id)).toBe(true)
  })

  test('keeps its locks in a folder for its owner only', () => {
    start()
    expect(statSync(locks).mode & 0o777).toBe(0o700)
  })
})
