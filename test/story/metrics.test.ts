/** Figures of a running program, as Prometheus scrapes them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ask } from '../support/http.ts'
import { type Serve, ServeFolder } from '../support/serve-process.ts'

let folder: ServeFolder
let serve: Serve
beforeEach(async () => {
  folder = new ServeFolder()
  serve = await folder.start({ env: { VALETKEY_METRICS_PUBLIC: 'true' } })
})
afterEach(async () => {
  await serve.kill()
  folder.remove()
})

const scraped = async () => (await ask(`${serve.issuer}/metrics`)).text()
const figure = (text: string, name: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 'NaN',
  )

it('are those of the gateway, over a restart as well', async () => {
  const key = folder.mint()
  const single = folder.mint({ uses: 1 })
  expect((await ask(serve.url('docs/a.txt', key), { method: 'PUT', body: 'hello' })).status).toBe(
    201,
  )
  for (const shown of [key, single, single]) await ask(serve.url('docs/a.txt', shown))
  // no name that a stranger thinks up becomes one of a figure
  const strange = serve.url('docs/a.txt', key)
  expect((await ask(strange, { method: 'PURGE' })).status).toBe(405)
  await ask(strange, { headers: { 'x-long': 'x'.repeat(20_000) } })
  await expect
    .poll(async () => figure(await scraped(), 'valetkey_requests_total{verb="other",status="431"}'))
    .toBe(1)
  const text = await scraped()
  const expected = {
    'valetkey_requests_total{verb="GET",status="200"}': 2,
    'valetkey_requests_total{verb="PUT",status="201"}': 1,
    'valetkey_requests_total{verb="other",status="405"}': 1,
    'valetkey_requests_total{verb="other",status="431"}': 1,
    'valetkey_refusals_total{code="uses_exhausted"}': 1,
    'valetkey_refusals_total{code="headers_too_large"}': 1,
    valetkey_received_bytes_total: 5,
    valetkey_sent_bytes_total: 10,
    valetkey_uses_total: 1,
    valetkey_requests_in_flight: 0,
    'valetkey_request_seconds_count{verb="GET"}': 3,
    'valetkey_request_seconds_bucket{verb="GET",le="+Inf"}': 3,
  }
  for (const [name, value] of Object.entries(expected)) expect(figure(text, name), name).toBe(value)
  expect(figure(text, 'valetkey_disk_free_bytes')).toBeGreaterThan(0)
  expect(text).toMatch(/^valetkey_build_info\{version="[^"]+",node="v[^"]+"\} 1$/m)
  expect(text).not.toMatch(/a\.txt|vk1\./)
  await serve.stop()
  // without the setting, only for the admin
  serve = await folder.start()
  expect((await ask(`${serve.issuer}/metrics`)).status).toBe(401)
  const token = readFileSync(join(folder.data, 'secrets', 'admin-token'), 'utf8').trim()
  const answer = await ask(`${serve.issuer}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(figure(answer.text(), 'valetkey_sent_bytes_total')).toBe(10)
})

it('have a dashboard, which asks for figures that are there', async () => {
  const text = await scraped()
  const file = new URL('../../examples/grafana/valetkey.json', import.meta.url)
  const board = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[]
  }
  const asked = board.panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr }) => expr.match(/valetkey_\w+/g) ?? []),
  )
  expect(asked.length).toBeGreaterThan(8)
  for (const name of new Set(asked)) {
    expect(text).toContain(`# TYPE ${name.replace(/_(?:bucket|sum|count)$/, '')} `)
  }
})
