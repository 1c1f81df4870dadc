/**
 * Asks clamd. Source: clamd(8), COMMANDS: "INSTREAM", with the prefix z, under which command and
 * reply end with a NUL.
 */
import { connect, type Socket } from 'node:net'
import type { Scanner, ScanVerdict } from './scanner.ts'

/** Where clamd listens. */
export type ClamdAddress =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

/** A reply is a line; whoever sends more is no clamd. */
const MOST_REPLY = 4096

export const clamd = (address: ClamdAddress): Scanner => ({
  name: 'clamd',
  async scan(content, _about, signal) {
    const socket = connect({ ...address, signal })
    // each is told to whoever waits; one that comes later is nobody's
    socket.on('error', () => {})
    try {
      const reply = replyOf(socket)
      // the reply decides: clamd may give one, and hang up, before it has read everything
      send(socket, content).catch((error: Error) => socket.destroy(error))
      return verdictOf(await reply)
    } finally {
      socket.destroy()
    }
  },
})

/**
 * "The format of the chunk is: '<length><data>' where <length> is the size of the following data in
 * bytes expressed as a 4 byte unsigned integer in network byte order [...] Streaming is terminated by
 * sending a zero-length chunk."
 */
async function send(socket: Socket, content: AsyncIterable<Uint8Array>): Promise<void> {
  await written(socket, Buffer.from('zINSTREAM\0'))
  for await (const chunk of content) {
    if (chunk.length === 0) continue
    await written(socket, lengthOf(chunk.length))
    await written(socket, chunk)
  }
  await written(socket, lengthOf(0))
}

function lengthOf(count: number): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(count)
  return length
}

/** When it has left us: the next chunk is read only then. */
const written = (socket: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
  })

async function replyOf(socket: Socket): Promise<string> {
  let reply = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    reply += chunk.toString('latin1')
    const end = reply.indexOf('\0')
    if (end >= 0) return reply.slice(0, end)
    if (reply.length > MOST_REPLY) break
  }
  throw new Error(`clamd gave no whole reply: ${JSON.stringify(reply.slice(0, 100))}`)
}

/** `stream: OK`, `stream: NAME FOUND`; all else is no verdict. */
function verdictOf(reply: string): ScanVerdict {
  if (reply === 'stream: OK') return { passed: true }
  const found = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(reply)?.[1]
  if (found !== undefined) return { passed: false, found }
  throw new Error(`clamd came to no verdict: ${JSON.stringify(reply.slice(0, 200))}`)
}
