/** Files whose calls are counted, and fail where a test says so. */
import { type Files, nodeFiles } from '../../gateway/store/disk/files.ts'

export interface Call {
  readonly name: keyof Files
  readonly path: unknown
}

export const errno = (code: string): Error =>
  Object.assign(new Error(`${code}: injected`), { code })

export class FaultyFiles {
  readonly calls: Call[] = []
  /** the error of a call, by its number from 0; undefined lets it through */
  fault: (call: Call, number: number) => Error | undefined = () => undefined

  readonly files: Files = new Proxy(nodeFiles, {
    get: (real, name: keyof Files) => {
      const isNow = name === 'open' || name === 'readNow'
      const call = real[name] as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        const error = this.#next({ name, path: given[0] })
        if (error === undefined) return call(...given)
        if (isNow) throw error
        // a file that could not be closed is closed all the same
        const done = name === 'close' ? Promise.resolve(call(...given)) : Promise.resolve()
        return done.then(() => Promise.reject(error))
      }
    },
  })

  #next(call: Call): Error | undefined {
    this.calls.push(call)
    return this.fault(call, this.calls.length - 1)
  }
}
