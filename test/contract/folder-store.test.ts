import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Buckets } from '../../gateway/store/buckets.ts'
import { MemoryStore } from '../../gateway/store/memory/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { FolderBucket } from '../support/folder.ts'
import { storeContract } from './store-contract.ts'

storeContract('folders of files beside a store in memory', open, { holdable })

async function open() {
  const files = new FolderBucket()
  const other = join(files.top, 'other')
  mkdirSync(other)
  const own = new Map([
    ['bucket', await files.start()],
    ['bkt', await files.start({ bucket: 'bkt', folder: other, data: join(files.top, 'data-bkt') })],
  ])
  const store = new Buckets(new MemoryStore({ now: () => files.clock.now }), own)
  return { store, clock: files.clock, remove: () => files.remove() }
}

/** No name beneath another, none of more than 255 bytes, and none that is empty. */
function holdable(paths: readonly ObjectPath[]): ObjectPath[] {
  const held: ObjectPath[] = []
  for (const path of paths) {
    const isName = (name: string) => name !== '' && Buffer.byteLength(name) <= 255
    const isBeside = (other: string) =>
      !other.startsWith(`${path}/`) && !path.startsWith(`${other}/`)
    if (path.split('/').every(isName) && held.every(isBeside)) held.push(path)
  }
  return held
}
