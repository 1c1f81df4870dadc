/**
 * Uploads one file again and again: URL FILE COUNT [PARALLEL] [BYTES-A-SECOND].
 * With a rate, each of the parallel uploads is held to it. Ends after COUNT of them.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const PIECE = 1024 * 1024

const [url = '', file = '', count = '1', parallel = '1', rate] = process.argv.slice(2)
const content = readFileSync(file)
const agent = new Agent({ keepAlive: true })

async function upload(path: string): Promise<void> {
  const outgoing = request(path, {
    method: 'PUT',
    agent,
    headers: { 'Content-Length': content.length, 'Content-Type': 'application/octet-stream' },
  })
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
  })
  const began = performance.now()
  for (let at = 0; at < content.length; at += PIECE) {
    const piece = content.subarray(at, at + PIECE)
    await new Promise((resolve) => outgoing.write(piece, resolve))
    if (rate !== undefined) {
      const due = ((at + PIECE) / Number(rate)) * 1000
      await pause(Math.max(0, began + due - performance.now()))
    }
  }
  outgoing.end()
  const status = await answered
  if (status < 200 || status > 299) throw new Error(`the upload was answered with ${status}`)
}

let left = Number(count)
async function lane(number: number): Promise<void> {
  for (; left > 0; ) {
    left -= 1
    await upload(url.replace('__N__', String(number)))
  }
}

await Promise.all(Array.from({ length: Number(parallel) }, (_, number) => lane(number)))
agent.destroy()
