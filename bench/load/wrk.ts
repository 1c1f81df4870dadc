/** Load by `wrk`, one thread, keep-alive. */
import { fileURLToPath } from 'node:url'
import { output } from '../process.ts'

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url))

export interface Load {
  readonly url: string
  readonly method?: 'GET' | 'PUT'
  /** file that is the body */
  readonly body?: string
  /** every request names a path of its own: `__N__` in the URL becomes a number */
  readonly each?: boolean
  readonly connections: number
  readonly seconds: number
  readonly core: number | undefined
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** received, heads included */
  readonly bytes: number
  /** milliseconds */
  readonly p50: number
  readonly p99: number
}

/** @throws Error when a single response was not a success: then it measured something else */
export async function wrk(load: Load): Promise<LoadResult> {
  const { url, method = 'GET', body, each, connections, seconds, core } = load
  const script = [method, ...(body ? [body] : []), ...(each ? ['each'] : [])]
  const out = await output({
    program: 'wrk',
    args: [
      ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', SCRIPT],
      ...[url, '--', ...script],
    ],
    core,
  })
  const line = out.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`wrk said nothing of ${url}: ${out}`)
  const result = JSON.parse(line) as LoadResult & { refused: number; broken: number }
  if (result.refused + result.broken > 0 || result.requests === 0) {
    throw new Error(
      `${method} ${url.slice(0, 80)}: of ${result.requests} requests ${result.refused} were refused and ${result.broken} broke off`,
    )
  }
  return result
}
