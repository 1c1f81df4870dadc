import { describe, expect, it } from 'vitest'
import { Descriptors, OpenBlobs } from '../../../../../gateway/store/disk/descriptors.ts'
import { Layout } from '../../../../../gateway/store/disk/layout.ts'
import { nodeFiles } from '../../../../../gateway/store/files/files.ts'
import { freshName } from '../../../../../gateway/store/files/fresh-name.ts'

/** Files that are open only in name. */
function pretended() {
  const open = new Set<number>()
  let last = 0
  const files = {
    ...nodeFiles,
    open: () => {
      last += 1
      open.add(last)
      return last
    },
    close: async (file: number) => {
      expect(open.delete(file)).toBe(true)
    },
  }
  return { open, descriptors: new Descriptors(files, new Layout('/none')) }
}

describe('descriptors', () => {
  it('are shared by all readers of a blob, and kept for the next', () => {
    const { open, descriptors } = pretended()
    const first = descriptors.acquire('a')
    expect(descriptors.acquire('a')).toBe(first)
    descriptors.release(first)
    descriptors.release(first)
    expect(descriptors.acquire('a')).toBe(first)
    expect(open.size).toBe(1)
  })

  it('are bounded in number, those in use apart', () => {
    const { open, descriptors } = pretended()
    const used = descriptors.acquire('used')
    const names = Array.from({ length: 1000 }, freshName)
    for (const name of names) descriptors.release(descriptors.acquire(name))
    expect(open.size).toBe(257)
    expect(open.has(used.file)).toBe(true)
    // the longest idle went first
    const latest = descriptors.acquire(names.at(-1) ?? '')
    expect(open.size).toBe(257)
    expect(open.has(latest.file)).toBe(true)
  })

  it('of a file that is unlinked are closed with the last reader', () => {
    const { open, descriptors } = pretended()
    const read = descriptors.acquire('read')
    descriptors.retain(read)
    descriptors.release(descriptors.acquire('idle'))
    for (const name of ['read', 'idle', 'never seen']) descriptors.drop(name)
    expect([...open]).toEqual([read.file])
    descriptors.release(read)
    expect(open.size).toBe(1)
    descriptors.release(read)
    expect(open.size).toBe(0)
  })

  it('that nobody uses for a round are closed', () => {
    const { open, descriptors } = pretended()
    const idle = descriptors.acquire('idle')
    const read = descriptors.acquire('read')
    descriptors.release(idle)
    descriptors.closeIdle()
    expect(open.size).toBe(2)
    descriptors.release(descriptors.acquire('idle'))
    descriptors.closeIdle()
    expect(open.size).toBe(2)
    descriptors.closeIdle()
    expect([...open]).toEqual([read.file])
  })

  it('have spans near for as long as the file is open', () => {
    const { descriptors } = pretended()
    const entry = descriptors.acquire('a')
    const read = Buffer.from('what was read')
    descriptors.bringNear(entry, 3, read)
    read.fill('x')
    expect(`${entry.near.get(3)}`).toBe('what was read')
    descriptors.release(entry)
    for (const _ of ['this round', 'the next']) descriptors.closeIdle()
    expect(entry.near.size).toBe(0)
  })

  it('have 32 MiB near at most, and room again where files were closed', () => {
    const { descriptors } = pretended()
    const mebibyte = new Uint8Array(1 << 20)
    const [first, second] = [descriptors.acquire('a'), descriptors.acquire('b')]
    for (let span = 0; span < 40; span += 1) descriptors.bringNear(first, span, mebibyte)
    descriptors.bringNear(second, 0, mebibyte)
    expect([first.near.size, second.near.size]).toEqual([32, 0])
    descriptors.drop('a')
    descriptors.release(first)
    // nobody would ever find it there
    descriptors.bringNear(first, 0, mebibyte)
    descriptors.bringNear(second, 0, mebibyte)
    expect([first.near.size, second.near.size]).toEqual([0, 1])
  })

  it('are closed in the end, those in use by their last reader', async () => {
    const { open, descriptors } = pretended()
    const read = descriptors.acquire('read')
    descriptors.release(descriptors.acquire('idle'))
    await descriptors.close()
    expect([...open]).toEqual([read.file])
    descriptors.release(read)
    expect(open.size).toBe(0)
  })
})

describe('what a reader has open', () => {
  it('is no more than it may be, the latest at that', () => {
    const { descriptors } = pretended()
    const blobs = new OpenBlobs(descriptors, 2)
    const opened = ['a', 'b', 'a', 'c', 'd'].map((name) => blobs.get(name))
    const read = opened.filter(({ readers }) => readers > 0).map(({ name }) => name)
    expect(read).toEqual(['c', 'd'])
    blobs.releaseAll()
    blobs.releaseAll()
    expect(opened.every(({ readers }) => readers === 0)).toBe(true)
  })

  it('is all of it, or nothing', () => {
    const { open, descriptors } = pretended()
    const all = new OpenBlobs(descriptors)
    all.acquireAll(['a', 'b', 'a'])
    expect(open.size).toBe(2)
    const failing = new Descriptors(
      {
        ...nodeFiles,
        open: (path) => {
          if (path.endsWith('b')) throw new Error('no b')
          return 7
        },
        close: async () => {},
      },
      new Layout('/none'),
    )
    const held = failing.acquire('a')
    expect(() => new OpenBlobs(failing).acquireAll(['a', 'b'])).toThrow('no b')
    expect(held.readers).toBe(1)
  })
})
