/**
 * The backend of a page that uploads straight to storage: it hands out URLs, and never sees a file.
 *
 *     VALETKEY_SIGNING_KEY=$(npx valetkey keys export KID) STORAGE=http://127.0.0.1:8080 node server.mjs
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { mint } from './mint.mjs'

const { STORAGE = 'http://127.0.0.1:8080', PORT = '3000' } = process.env
const FILES = { '/': ['index.html', 'text/html'], '/page.js': ['page.js', 'text/javascript'] }

const server = createServer(async (request, response) => {
  const origin = `http://${request.headers.host}`
  if (request.url === '/upload-url' && request.method === 'POST') {
    const path = `inbox/${randomUUID()}`
    const key = mint(path, origin, { types: ['image/*'], size: [1, 10 << 20], create: true })
    response.end(`${STORAGE}/${path}?vk=${key}`)
    return
  }
  const [file, type] = FILES[request.url] ?? []
  response.statusCode = file === undefined ? 404 : 200
  response.setHeader('Content-Type', `${type ?? 'text/plain'}; charset=utf-8`)
  response.end(file && (await readFile(new URL(file, import.meta.url))))
})
server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}/`),
)
