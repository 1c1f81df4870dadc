/** What visitors find: files of many sorts, stored the way a program would. */
import type { House } from '../../support/house.ts'
import { ask } from '../../support/http.ts'
import { PNG } from '../../support/media.ts'

/** Stores a file. Rejects where the gateway refuses. */
export async function store(
  house: House,
  path: string,
  type: string,
  body: string | Uint8Array,
): Promise<void> {
  const key = house.mint({ methods: ['PUT'] })
  const headers = { 'content-type': type }
  const answer = await ask(house.url(path, key), { method: 'PUT', headers, body })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.text()}`)
}

const SAMPLE_RATE = 8000

/** A tone that every browser can play, of a second unless stated. */
export function wave(samples = SAMPLE_RATE): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(36 + samples, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(SAMPLE_RATE, 24)
  head.writeUInt32LE(SAMPLE_RATE, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples, 40)
  return Buffer.concat([head, Uint8Array.from({ length: samples }, (_, at) => 128 + (at % 32))])
}

/** Tries to tell its server that it ran, in every way that a page has. */
const TELLS = (what: string): string =>
  `fetch('/-/health?ran=${what}'); new Image().src='/-/health?ran=${what}'; document.title='ran'`

export const RUNNING_HTML = `<!doctype html><title>x</title><script>${TELLS('html')}</script>
<img src=x onerror="${TELLS('html')}"><meta http-equiv=refresh content="0;url=/-/health?ran=html">
<form action="/-/health"><input name=ran value=html></form><script>document.forms[0].submit()</script>`

export const RUNNING_SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80" onload="${TELLS('svg').replaceAll('"', '&quot;')}">
<script>${TELLS('svg')}</script><circle cx="40" cy="40" r="30" fill="tomato"/></svg>`

export const OVERRIDING = 'photo\u202egpj.exe'
export const ARABIC = 'تقرير.txt'

/** A folder as somebody might share it. */
export async function fillFolder(house: House, folder: string): Promise<void> {
  await store(house, `${folder}picture.png`, 'image/png', PNG)
  await store(house, `${folder}tone.wav`, 'audio/wav', wave())
  await store(house, `${folder}notes.txt`, 'text/plain; charset=utf-8', 'Grüße, first line\nsecond')
  await store(house, `${folder}page.html`, 'text/html', RUNNING_HTML)
  await store(house, `${folder}drawing.svg`, 'image/svg+xml', RUNNING_SVG)
  await store(house, `${folder}big.bin`, 'application/octet-stream', Buffer.alloc(150_000))
  await store(house, `${folder}${OVERRIDING}`, 'application/octet-stream', 'x')
  await store(house, `${folder}${ARABIC}`, 'text/plain', 'نص')
  await store(house, `${folder}file 10.txt`, 'text/plain', 'ten')
  await store(house, `${folder}file 9.txt`, 'text/plain', 'nine')
  await store(house, `${folder}inner/deeper/last.txt`, 'text/plain', 'last')
  await store(house, `${folder}inner/one.txt`, 'text/plain', 'one')
}
