/** A line between a browser and a gateway that lets so many bytes through, and can be cut. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Dam {
  readonly url: string
  /** lets so many more bytes of what the browser sends pass; then holds the rest back */
  let(bytes: number): void
  /** holds nothing back any more */
  open(): void
  /** ends every connection without a word, and refuses new ones until it is mended */
  cut(): void
  mend(): void
  /** resolves once all that was let through has passed, and more waits */
  full(): Promise<void>
  close(): Promise<void>
}

export async function startDam(to: number): Promise<Dam> {
  const sockets = new Set<Socket>()
  /** what goes on with a connection that is held, and when all that it may let through has passed */
  const waiting = new Map<() => void, Promise<void>>()
  const watchers = new Set<() => void>()
  let left = Number.POSITIVE_INFINITY
  let isCut = false

  const pour = (from: Socket, into: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      const fits = chunk.subarray(0, Math.min(chunk.length, left))
      left -= fits.length
      const passed = new Promise<void>((resolve) => into.write(fits, () => resolve()))
      if (fits.length === chunk.length) return
      from.pause()
      const goOn = (): void => {
        from.unshift(chunk.subarray(fits.length))
        from.resume()
      }
      waiting.set(goOn, passed)
      for (const tell of watchers) tell()
    })
  }
  const flow = (): void => {
    const held = [...waiting.keys()]
    waiting.clear()
    for (const go of held) go()
  }
  const server = createServer({ allowHalfOpen: false }, (browser) => {
    if (isCut) return void browser.destroy()
    const gateway = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [browser, gateway],
      [gateway, browser],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    pour(browser, gateway)
    gateway.pipe(browser)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    waiting.clear()
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    let: (bytes) => {
      left = bytes
      flow()
    },
    open: () => {
      left = Number.POSITIVE_INFINITY
      flow()
    },
    cut: () => {
      isCut = true
      cut()
    },
    mend: () => {
      isCut = false
    },
    full: async () => {
      if (waiting.size === 0) {
        await new Promise<void>((resolve) => {
          const tell = (): void => {
            watchers.delete(tell)
            resolve()
          }
          watchers.add(tell)
        })
      }
      await Promise.all(waiting.values())
    },
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
