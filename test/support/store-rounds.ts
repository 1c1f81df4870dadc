/** Rounds of steps on a store, of whose calls on the file system one meets a fault. */
import { expect } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import { Damaged } from '../../gateway/store/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { bytes } from '../../key/units.ts'
import { at, contentOf, isSame, put, START, type StoreFolder } from './store.ts'
import { type Call, type Fault, FaultyFiles } from './store-faults.ts'

type Content = Uint8Array | undefined

/** One thing to do, with what is there before and after. */
export interface Step {
  readonly name: string
  readonly before: Content
  readonly after: Content
  readonly run: (store: DiskStore, path: ObjectPath) => Promise<unknown>
}

/** What came of a step: done, refused, or cut off by the end of the process. */
type Fate = 'done' | 'cut off' | Refusal | Damaged

/** Some steps on objects of their own, of which one call meets a fault. */
export class Round {
  readonly #root: string
  readonly #steps: readonly Step[]
  /** of the steps so far */
  readonly fates: Fate[] = []
  /** the calls of the steps */
  calls: readonly Call[] = []

  constructor(root: string, steps: readonly Step[]) {
    this.#root = root
    this.#steps = steps
  }

  /** @param failing meets the fault */
  async run({ store, faulty }: Running, failing?: Call, fault?: Fault): Promise<void> {
    for (const step of this.#steps) {
      if (step.before !== undefined) await put(store, this.#path(step), step.before)
    }
    faulty.begin(({ name, nth }) =>
      name === failing?.name && nth === failing.nth ? fault : undefined,
    )
    for (const step of this.#steps) {
      if (faulty.isHung) break
      this.fates.push(await fateOf(faulty, step.run(store, this.#path(step))))
    }
    // what is unlinked aside may come to its turn after the steps
    if (fault === 'hang') await faulty.hung
    this.calls = faulty.calls
    faulty.begin(() => undefined)
  }

  get refused(): string[] {
    return this.fates.flatMap((fate) => (fate instanceof Refusal ? [fate.code] : []))
  }

  /** What is there is old or new, as the fate of each step says. */
  async check(store: DiskStore): Promise<void> {
    for (const [n, step] of this.#steps.entries()) {
      const fate = this.fates[n]
      const there = await contentOf(store, this.#path(step))
      const isOld = there === step.before || isSame(there, step.before)
      const isNew = there === step.after || isSame(there, step.after)
      const isRight = fate === 'done' ? isNew : isOld || (fate === 'cut off' && isNew)
      expect({ step: step.name, fate: String(fate), isRight }).toMatchObject({ isRight: true })
    }
  }

  #path({ name }: Step): ObjectPath {
    return at(`${this.#root}/${name}`)
  }
}

async function fateOf(faulty: FaultyFiles, work: Promise<unknown>): Promise<Fate> {
  const cutOff = faulty.hung.then((): Fate => 'cut off')
  const fate = work.then(
    (): Fate => 'done',
    (error): Fate => {
      if (error instanceof Refusal || error instanceof Damaged) return error
      throw error
    },
  )
  return Promise.race([fate, cutOff])
}

export interface Running {
  readonly store: DiskStore
  readonly faulty: FaultyFiles
  readonly instance: Instance
}

export async function startFaulty(folder: StoreFolder): Promise<Running> {
  const instance = Instance.start(folder.instances)
  const faulty = new FaultyFiles()
  const store = await DiskStore.open({
    folder: folder.folder,
    instance,
    now: () => START,
    reserve: bytes(0),
    files: faulty.files,
  })
  return { store, faulty, instance }
}
