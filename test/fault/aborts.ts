/**
 * Clients that go away in the middle of a request, very many times. What they left must be gone.
 * Run by hand: `npx tsx test/fault/aborts.ts --aborts 100000`.
 */
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ask } from '../support/http.ts'
import { openFilesOf, residentOf, socketsOf } from '../support/process-facts.ts'
import { Random } from '../support/random.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { type Serve, ServeFolder, type ServeOptions, SOURCE } from '../support/serve-process.ts'
import { pattern } from '../support/store.ts'
import { inventory } from '../support/store-leftovers.ts'

export interface AbortsOptions extends ServeOptions {
  readonly aborts: number
  readonly seed: number
  readonly onState?: (aborts: number, state: State) => void
}

/** Undefined where the system doesn't tell. */
export interface State {
  readonly openFiles: number | undefined
  readonly resident: number | undefined
}

export interface AbortsResult {
  /** after the first tenth of them */
  readonly before: State
  readonly after: State
  /** files of unfinished uploads that are still there */
  readonly staged: number
  /** of as many uploads as may run at one time, those that could begin afterwards */
  readonly uploads: number
  /** whether a key whose only use was broken off again and again could be used in the end */
  readonly isUseFree: boolean
}

export const MOST_UPLOADS = 64
const AT_ONCE = 32
const LARGE = 4_000_000
const BODY = pattern(2_000_000)
/** How long what was left has to go, in milliseconds. */
const GONE_WITHIN = 30_000

/** Each begins something and returns when it has come so far that the client may go. */
type Beginning = (connection: RawConnection, key: string, n: number) => Promise<void>

const upload =
  (declared: number, sent: number): Beginning =>
  async (connection, key, n) => {
    const head = headOf('PUT', `/aborted/${n}?vk=${key}`, [`Content-Length: ${declared}`])
    connection.send(head)
    await handedOver(connection, BODY.subarray(0, sent))
  }

const download =
  (received: number): Beginning =>
  async (connection, key) => {
    connection.send(headOf('GET', `/there/large?vk=${key}`))
    await connection.until(() => connection.size > received)
  }

const BEGINNINGS: readonly Beginning[] = [
  async () => {},
  async (connection) => handedOver(connection, 'GET /there/large HTTP/1.1\r\nHost: a'),
  async (connection, key) => connection.send(headOf('GET', `/there/small?vk=${key}`)),
  async (connection, key) => connection.send(headOf('GET', `/there/large?vk=${key}`).repeat(5)),
  download(0),
  download(LARGE / 4),
  upload(1000, 500),
  upload(1000, 1000),
  upload(300_000, 200_000),
  upload(2_000_000, 1_500_000),
  upload(2_000_000, 2_000_000),
  async (connection, key, n) => {
    const headers = ['Content-Length: 300000', 'Expect: 100-continue']
    connection.send(headOf('PUT', `/aborted/${n}?vk=${key}`, headers))
    await connection.until(() => connection.size > 0)
  },
]

const handedOver = (connection: RawConnection, data: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    connection.socket.write(data, () => resolve())
  })

export async function abortMany(options: AbortsOptions): Promise<AbortsResult> {
  const { aborts, seed, onState } = options
  const folder = new ServeFolder()
  const serve = await folder.start(options)
  const key = folder.mint()
  const oneUse = folder.mint({ uses: 1 })
  const idle = socketsOf(serve.pid)
  const settled = (before?: State): Promise<State> => whenSettled(serve, folder, idle, before)
  try {
    for (const [name, size] of [
      ['large', LARGE],
      ['small', 1000],
    ] as const) {
      const body = pattern(size)
      await ask(serve.url(`there/${name}`, key), { method: 'PUT', body })
    }
    const clients = new Clients(serve, key, new Random(seed))
    let before: State | undefined
    for (let tenth = 1; tenth <= 10; tenth += 1) {
      await breakOffUse(serve, oneUse)
      await clients.abort(Math.ceil(aborts / 10))
      const state = await settled(before)
      onState?.(clients.count, state)
      before ??= state
    }
    const uploads = await beginUploads(serve, [key, folder.mint()])
    const after = await settled(before)
    const { staged } = inventory(folder.store)
    const isUseFree = (await ask(serve.url('there/large', oneUse))).status === 200
    return { before: before as State, after, staged: staged.length, uploads, isUseFree }
  } finally {
    await serve.kill()
    folder.remove()
  }
}

class Clients {
  readonly #serve: Serve
  readonly #key: string
  readonly #random: Random
  count = 0

  constructor(serve: Serve, key: string, random: Random) {
    this.#serve = serve
    this.#key = key
    this.#random = random
  }

  async abort(most: number): Promise<void> {
    const end = this.count + most
    const client = async (): Promise<void> => {
      while (this.count < end) {
        this.count += 1
        await this.#abortOne(this.count)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
  }

  async #abortOne(n: number): Promise<void> {
    const connection = await RawConnection.open(portOf(this.#serve))
    try {
      await this.#random.pick(BEGINNINGS)(connection, this.#key, n % 100)
    } finally {
      if (this.#random.next() < 0.5) connection.socket.resetAndDestroy()
      else connection.destroy()
    }
  }
}

const portOf = (serve: Serve): number => Number(new URL(serve.gateway).port)

/** Of the one use of this key, a hundred bytes are sent: far from all, so that it stays free. */
async function breakOffUse(serve: Serve, key: string): Promise<void> {
  const connection = await RawConnection.open(portOf(serve))
  connection.send(headOf('GET', `/there/large?vk=${key}`, ['Range: bytes=0-99']))
  await connection.response()
  connection.destroy()
}

/**
 * The state as soon as it is what it was, or when it won't be.
 * @param idle sockets that are open while nobody is connected
 */
async function whenSettled(
  serve: Serve,
  folder: ServeFolder,
  idle: number | undefined,
  before: State | undefined,
): Promise<State> {
  const deadline = performance.now() + GONE_WITHIN
  for (;;) {
    const state = { openFiles: openFilesOf(serve.pid), resident: residentOf(serve.pid) }
    const isAsBefore = before === undefined || (state.openFiles ?? 0) <= (before.openFiles ?? 0)
    const isAlone = (socketsOf(serve.pid) ?? 0) <= (idle ?? 0)
    const isTidy = inventory(folder.store).staged.length === 0
    if ((isAsBefore && isAlone && isTidy) || performance.now() > deadline) return state
    await pause(100)
  }
}

/** How many could begin of as many as may run at one time, half of them under each key. */
async function beginUploads(serve: Serve, keys: readonly [string, string]): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: MOST_UPLOADS }, () => RawConnection.open(portOf(serve))),
  )
  const statuses = await Promise.all(
    all.map(async (connection, n) => {
      const headers = ['Content-Length: 10', 'Expect: 100-continue']
      connection.send(headOf('PUT', `/afterwards/${n}?vk=${keys[n % 2]}`, headers))
      return (await connection.response())?.status
    }),
  )
  for (const connection of all) connection.destroy()
  return statuses.filter((status) => status === 100).length
}

// ── by hand ───────────────────────────────────────────────────────────────────

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

const describe = ({ openFiles, resident }: State): string =>
  `${openFiles ?? '?'} descriptors, ${Math.round((resident ?? 0) / (1 << 20))} MiB resident`

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const { values } = parseArgs({
    options: {
      aborts: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      main: { type: 'string', default: existsSync(BUILT) ? BUILT : SOURCE },
    },
  })
  const { after, staged, uploads, isUseFree } = await abortMany({
    main: values.main,
    args: ['--log-level', 'warn'],
    aborts: Number(values.aborts),
    seed: Number(values.seed),
    onState: (aborts, state) => console.log(`${aborts} aborts: ${describe(state)}`),
  })
  console.log(`in the end: ${describe(after)}, ${staged} files of unfinished uploads`)
  console.log(`${uploads} of ${MOST_UPLOADS} uploads could begin; the use is free: ${isUseFree}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
