/**
 * The least that a Node program does for a durable PUT: it reads, hashes, and commits in groups.
 * No key, no conditions, no audit, and a response without a word. PORT DATABASE.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { siblingModule } from '../../database/sibling.ts'
import { startWriter } from '../../database/writer.ts'
import type { BareJobs } from './bare-jobs.ts'

const [port, file = ''] = process.argv.slice(2)
const writer = await startWriter<BareJobs>(file, siblingModule(import.meta.url, 'bare-jobs'))

function bodyOf(incoming: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => resolve(new Uint8Array(Buffer.concat(chunks))))
    incoming.once('error', reject)
  })
}

createServer(async (incoming, outgoing) => {
  try {
    if (incoming.method === 'PUT') {
      const bytes = await bodyOf(incoming)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      await writer.run('put', { path: incoming.url ?? '', sha256, bytes })
    }
    outgoing.writeHead(201, ['Content-Length', '0']).end()
  } catch (error) {
    process.stderr.write(`${error}\n`)
    outgoing.writeHead(500, ['Content-Length', '0']).end()
  }
}).listen(Number(port), '127.0.0.1')
