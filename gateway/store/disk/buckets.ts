import type { UnixSeconds } from '../../../key/units.ts'
import type { Bucket, BucketRegister } from '../full-store.ts'
import { answered } from './index-reader.ts'
import { occasionOf, refusing, type Workings } from './workings.ts'

export class DiskBuckets implements BucketRegister {
  readonly #workings: Workings

  constructor(workings: Workings) {
    this.#workings = workings
  }

  list(): readonly Bucket[] {
    const { index, now } = this.#workings
    return answered(() => index.buckets.list(now()))
  }

  find(name: string): Bucket | undefined {
    const { index, now } = this.#workings
    return answered(() => index.buckets.find(name, now()))
  }

  create(name: string, created: UnixSeconds): Promise<boolean> {
    return refusing(this.#workings.writer.run('createBucket', { name, created }))
  }

  async remove(name: string): Promise<'removed' | 'not found' | 'not empty'> {
    const { writer, garbage } = this.#workings
    const job = { name, ...occasionOf(this.#workings) }
    const removed = await refusing(writer.run('removeBucket', job))
    garbage.collect(removed.garbage)
    return removed.what
  }
}
