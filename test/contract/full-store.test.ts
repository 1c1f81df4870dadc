import { Buckets } from '../../gateway/store/buckets.ts'
import { MemoryStore } from '../../gateway/store/memory/store.ts'
import { RetainingStore } from '../../gateway/store/retention.ts'
import { seconds } from '../../key/units.ts'
import { FolderBucket } from '../support/folder.ts'
import { START, StoreFolder } from '../support/store.ts'
import { fullStoreContract } from './full-store-contract.ts'
import { multipartContract } from './multipart-contract.ts'
import { resumableContract } from './resumable-contract.ts'
import { unfinishedContract } from './unfinished-contract.ts'

const stores = {
  'the store in memory': async () => {
    const clock = { now: START }
    const store = new MemoryStore({ now: () => clock.now })
    return { store, clock, remove: () => store.close() }
  },
  'the store on disk': async () => {
    const folder = new StoreFolder()
    const store = await folder.start()
    return { store, clock: folder.clock, remove: () => folder.remove() }
  },
  'a store in memory that keeps other buckets for a while': async () => {
    const clock = { now: START }
    const all = new MemoryStore({ now: () => clock.now })
    const store = new RetainingStore(all, new Map([['elsewhere', seconds(60)]]), () => clock.now)
    return { store, clock, remove: () => store.close() }
  },
  'a store in memory beside a folder of files': async () => {
    const files = new FolderBucket()
    const own = new Map([['a-folder', await files.start({ bucket: 'a-folder' })]])
    const store = new Buckets(new MemoryStore({ now: () => files.clock.now }), own)
    return { store, clock: files.clock, remove: () => files.remove() }
  },
}

for (const [name, open] of Object.entries(stores)) {
  fullStoreContract(`${name}: more than uploads and downloads`, open)
  multipartContract(`${name}: uploads in parts`, open)
  resumableContract(`${name}: uploads that go on where they broke off`, open)
  unfinishedContract(`${name}: uploads that are not at their end`, open)
}
