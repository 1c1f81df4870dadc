/**
 * Another program swaps a folder for a symbolic link that leads out of the bucket, again and again,
 * while the bucket is read, listed and written. Nothing from outside is ever shown, nothing outside
 * is ever touched.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FolderStore } from '../../gateway/store/folder/store.ts'
import { Refusal } from '../../key/refusal.ts'
import { FolderBucket } from '../support/folder.ts'
import { at, contentOf, pattern, put } from '../support/store.ts'

const SWAPS = 4000

/** Swaps `x` in the folder for what `link` is, and back; a new `x` that gets in the way is moved aside. */
const SWAPPER = `
  const fs = require('node:fs')
  const [folder, times] = process.argv.slice(1)
  const name = (of) => folder + '/' + of
  let moved = 0
  const rename = (from, to) => {
    for (;;) {
      try {
        return fs.renameSync(name(from), name(to))
      } catch (error) {
        if (to !== 'x' || moved > 10 * times) throw error
        moved += 1
        try { fs.renameSync(name('x'), name('moved-' + moved)) } catch {}
      }
    }
  }
  for (let n = 0; n < times; n += 1) {
    rename('x', 'aside')
    rename('link', 'x')
    rename('x', 'link')
    rename('aside', 'x')
  }
`

let bucket: FolderBucket
let store: FolderStore
let swapper: ChildProcess | undefined
beforeEach(async () => {
  bucket = new FolderBucket()
  store = await bucket.start()
  writeFileSync(join(bucket.outside, 'file'), 'outside')
  writeFileSync(join(bucket.outside, 'secret'), 'outside')
})
afterEach(async () => {
  if (swapper?.exitCode === null) swapper.kill()
  await bucket.remove()
})

/** Does something over and over while the swapper runs; returns how often. */
async function whileSwapping(act: (round: number) => Promise<void> | void): Promise<number> {
  swapper = spawn(process.execPath, ['-e', SWAPPER, bucket.folder, String(SWAPS)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(swapper, 'exit')
  let rounds = 0
  while (swapper.exitCode === null && swapper.signalCode === null) {
    await act(rounds)
    rounds += 1
    await setImmediate()
  }
  expect(await ended).toEqual([0, null])
  return rounds
}

/** What other programs are in the way of may be refused, and only that. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | 'refused'> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    expect(['conflict', 'unavailable']).toContain(error.code)
    return 'refused'
  }
}

/** The text of a file as it is read meanwhile, or why there is none. */
async function textOf(path: string): Promise<string> {
  const content = await unlessRefused(contentOf(store, at(path)))
  if (content === undefined) return 'absent'
  return content === 'refused' ? content : Buffer.from(content).toString()
}

const untouched = (): void => {
  expect(readdirSync(bucket.outside).toSorted()).toEqual(['file', 'secret'])
  for (const name of ['file', 'secret']) {
    expect(readFileSync(join(bucket.outside, name), 'utf8')).toBe('outside')
  }
}

describe('a folder that is swapped for a link', () => {
  beforeEach(() => {
    mkdirSync(bucket.path('x'))
    writeFileSync(bucket.path('x/file'), 'inside')
    symlinkSync(bucket.outside, bucket.path('link'))
  })

  it('is read as it is inside, or not at all', async () => {
    const seen = new Set<string>()
    await whileSwapping(async () => {
      for (let n = 0; n < 20; n += 1) {
        seen.add(await textOf('x/file'))
        expect(store.head(at('x/file'))?.size ?? 6).toBe(6)
        expect(store.head(at('x/secret'))).toBeUndefined()
        expect(store.open(at('x/secret'))).toBeUndefined()
      }
    })
    expect(seen).toContain('inside')
    expect(seen).not.toContain('outside')
  })

  it('is listed as it is inside, or not at all', async () => {
    const seen = new Set<string>()
    await whileSwapping(async () => {
      for (const prefix of ['bucket/', 'bucket/x/']) {
        const { objects } = await store.list({ prefix, limit: 10 })
        for (const { path, size } of objects) seen.add(`${path} ${size}`)
      }
    })
    seen.delete('bucket/aside/file 6')
    expect([...seen]).toEqual(['bucket/x/file 6'])
  })

  it('is written inside, or not at all', async () => {
    let done = 0
    await whileSwapping(async (round) => {
      await unlessRefused(
        put(store, at(`x/new-${round}`), pattern(5)).then((outcome) => {
          if (outcome.done) done += 1
        }),
      )
      await unlessRefused(store.delete(at('x/secret')))
      await unlessRefused(store.delete(at(`x/new-${round - 1}`)))
    })
    expect(done).toBeGreaterThan(0)
    untouched()
  })
})

describe('a file that is swapped for a link', () => {
  it('is read, replaced and deleted as it is inside, or not at all', async () => {
    writeFileSync(bucket.path('x'), 'inside')
    symlinkSync(join(bucket.outside, 'secret'), bucket.path('link'))
    const seen = new Set<string>()
    // the swapper stops when its file is gone: it is only read and put on conditions that fail
    await whileSwapping(async () => {
      seen.add(await textOf('x'))
      expect(store.head(at('x'))?.size ?? 6).toBe(6)
      await unlessRefused(put(store, at('x'), pattern(5), { condition: { etags: ['"no"'] } }))
      await unlessRefused(store.delete(at('x'), { etags: ['"no"'] }))
    })
    expect(seen).toContain('inside')
    expect(seen).not.toContain('outside')
    untouched()
  })
})
