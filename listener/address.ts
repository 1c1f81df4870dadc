/** Where a listener listens, as settings write it and as people are told. */
import { z } from 'zod'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:8080`, `[::1]:8080`; port 0 takes any free one. */
export const listenSetting = z.string().transform((value, context): ListenAddress => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host !== undefined && port <= 65_535) return { host, port }
  context.addIssue({
    code: 'custom',
    message: 'expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080',
  })
  return z.NEVER
})

/** `http://127.0.0.1:8080`; a wildcard address is shown as one that can be opened. */
export function urlOf({ host }: ListenAddress, port: number, isTls = false): string {
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const name = shown.includes(':') ? `[${shown}]` : shown
  return `${isTls ? 'https' : 'http'}://${name}:${port}`
}
