import { expect, it } from 'vitest'
import { GroupSync } from '../../../cli/bulk/group-sync.ts'

/** A sync whose end is ours to give. */
function syncs() {
  const running: { resolve: () => void; reject: (why: Error) => void }[] = []
  const group = new GroupSync(
    () => new Promise((resolve, reject) => running.push({ resolve, reject })),
  )
  return { running, group }
}

it('is shared by all who ask while another one runs, and begins after they have written', async () => {
  const { running, group } = syncs()
  const first = group.settle()
  await expect.poll(() => running.length).toBe(1)
  let settled = 0
  const others = [group.settle(), group.settle(), group.settle()].map((one) =>
    one.then(() => {
      settled += 1
    }),
  )
  running[0]?.resolve()
  await first
  await expect.poll(() => running.length).toBe(2)
  expect(settled).toBe(0)
  running[1]?.resolve()
  await Promise.all(others)
  expect(running).toHaveLength(2)
})

it('is never tried again when it has failed', async () => {
  const { running, group } = syncs()
  const first = group.settle()
  await expect.poll(() => running.length).toBe(1)
  running[0]?.reject(new Error('EIO'))
  await expect(first).rejects.toThrow('EIO')
  await expect(group.settle()).rejects.toThrow('EIO')
  await expect(group.settle()).rejects.toThrow('EIO')
  expect(running).toHaveLength(1)
})
