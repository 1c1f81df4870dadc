/** Files whose calls are counted, and fail where a test says so. */
import { type Files, nodeFiles } from '../../gateway/store/files/files.ts'

/** One call, told from others by its name and number of that name: what runs aside has no fixed order. */
export interface Call {
  readonly name: keyof Files
  readonly nth: number
}

export const errno = (code: string): Error =>
  Object.assign(new Error(`${code}: injected`), { code })

/** What happens instead of a call; `hang`: it and all later ones never end, as if the process had. */
export type Fault = { readonly code: string } | 'hang' | undefined

export class FaultyFiles {
  /** since {@link begin} */
  calls: Call[] = []
  #fault: (call: Call) => Fault = () => undefined
  isHung = false
  /** resolves when a call hangs */
  readonly hung: Promise<void>
  #hang: () => void = () => {}
  #release: (error: Error) => void = () => {}
  readonly #released: Promise<never>

  constructor() {
    this.hung = new Promise((resolve) => {
      this.#hang = resolve
    })
    this.#released = new Promise((_, reject) => {
      this.#release = reject
    })
    this.#released.catch(() => {})
  }

  readonly files: Files = new Proxy(nodeFiles, {
    get: (real, name: keyof Files) => {
      const call = real[name] as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        const fault = this.#next(name)
        if (fault === undefined) return call(...given)
        if (name === 'open' || name === 'readNow')
          throw errno(fault === 'hang' ? 'EIO' : fault.code)
        // a file that could not be closed is closed all the same
        const before = name === 'close' ? (call(...given) as Promise<unknown>) : Promise.resolve()
        return before.then(() => this.#failed(fault))
      }
    },
  })

  /** Counts anew, with other faults. */
  begin(fault: (call: Call) => Fault): void {
    this.calls = []
    this.#fault = fault
  }

  /** Ends what hangs, with an error. */
  release(): void {
    this.#release(errno('EIO'))
  }

  #next(name: keyof Files): Fault {
    const nth = this.calls.filter((call) => call.name === name).length
    this.calls.push({ name, nth })
    return this.isHung ? 'hang' : this.#fault({ name, nth })
  }

  #failed(fault: Exclude<Fault, undefined>): Promise<never> {
    if (fault !== 'hang') return Promise.reject(errno(fault.code))
    this.isHung = true
    this.#hang()
    return this.#released
  }
}
