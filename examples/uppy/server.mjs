/**
 * A page with Uppy, whose plugins `tus` and `aws-s3` upload to a gateway.
 *
 *     VALETKEY_SIGNING_KEY=$(npx valetkey keys export KID) STORAGE=http://127.0.0.1:8080 node server.mjs
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { mint } from '../direct-upload/mint.mjs'
import { bundled } from './build.mjs'

const { STORAGE = 'http://127.0.0.1:8080', PORT = '3000' } = process.env
const page = await readFile(new URL('index.html', import.meta.url))
const script = await bundled()

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://page')
  if (pathname === '/key' && request.method === 'POST') {
    const folder = `inbox/${randomUUID()}/`
    const key = mint(folder, `http://${request.headers.host}`, { size: [0, 1 << 30], create: true })
    response.end(JSON.stringify({ storage: STORAGE, folder, key }))
    return
  }
  const isScript = pathname === '/page.js'
  response.setHeader('Content-Type', `text/${isScript ? 'javascript' : 'html'}; charset=utf-8`)
  response.end(isScript ? script : page)
})
server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}/`),
)
