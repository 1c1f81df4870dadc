import { MemoryStore } from '../../gateway/store/memory/store.ts'
import { START, StoreFolder } from '../support/store.ts'
import { storeContract } from './store-contract.ts'

storeContract('the store in memory', async () => {
  const clock = { now: START }
  const store = new MemoryStore({ now: () => clock.now })
  return { store, clock, remove: () => store.close() }
})

storeContract('the store on disk', async () => {
  const folder = new StoreFolder()
  const store = await folder.start()
  return { store, clock: folder.clock, remove: () => folder.remove() }
})
