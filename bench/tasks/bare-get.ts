/**
 * The least that a Node program does for a GET: the same bytes each time, whoever asks, and the few
 * headers that it is told of. PORT BYTES [NAME VALUE]...
 */
import { createServer } from 'node:http'
import { depart } from '../../gateway/departures.ts'

const [port, bytes, ...headers] = process.argv.slice(2)
const body = Buffer.alloc(Number(bytes), 'a')
const all = [...headers, 'Content-Length', String(body.length)]

createServer((_, outgoing) => {
  outgoing.writeHead(200, all)
  depart(() => outgoing.end(body))
}).listen(Number(port), '127.0.0.1')
