/**
 * Uploads, downloads and deletes objects of 1 KiB, one request at a time: URL with `__N__` in its
 * path. Prints JSON, medians in milliseconds as a client sees them.
 */
import { randomBytes } from 'node:crypto'
import { Client } from 'undici'
import { median } from '../statistics.ts'

const COUNT = 300
const METHODS = ['PUT', 'GET', 'DELETE'] as const

const url = new URL(process.argv[2] ?? '')
const client = new Client(url.origin)

async function timed(method: (typeof METHODS)[number], number: number): Promise<number> {
  const path = `${url.pathname.replace('__N__', String(number))}${url.search}`
  const body = method === 'PUT' ? randomBytes(1024) : null
  const began = performance.now()
  const response = await client.request({ method, path, body })
  await response.body.dump()
  if (response.statusCode >= 300) throw new Error(`${method}: ${response.statusCode}`)
  return performance.now() - began
}

const result: Record<string, number> = {}
for (const method of METHODS) {
  const times: number[] = []
  for (let number = 0; number < COUNT; number += 1) times.push(await timed(method, number))
  result[method] = median(times)
}
await client.close()
process.stdout.write(JSON.stringify(result))
