/**
 * Many clients at once: objects put, replaced, deleted and read, keys used up and revoked; and the
 * books of what they were told, to be compared with what is there when the gateway was killed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { ABSENT, History, type State, tick } from './history.ts'
import { type Answer, ask, type Question } from './http.ts'
import type { Random } from './random.ts'
import type { Serve, ServeFolder } from './serve-process.ts'

const WRITERS = 6
const PATHS_OF_A_WRITER = 12
/** Paths that two writers change at the same time. */
const SHARED_PATHS = 4
const READERS = 2
/** Requests at the same time with one key of few uses. */
const USERS = 3

/** In the index, of one block, of several blocks, and of several batches. */
const SIZES = [0, 1000, 20_000, 65_536, 65_537, 200_000, 300_000, 700_000, 1_300_000, 2_600_000]

/** In each of them at least one use is taken. */
const MOST_ROUNDS = 30

const USED_OBJECTS = ['used/small', 'used/large'] as const

export const stateOf = (content: Uint8Array): State =>
  createHash('sha256').update(content).digest('hex')

/** Of an object that many change. */
interface Known {
  readonly history: History
  /** all contents that it ever had, or may have had */
  readonly written: Set<State>
}

interface LimitedKey {
  readonly key: string
  readonly path: string
  readonly uses: number
  /** answers that came whole */
  whole: number
  /** answers that did not */
  broken: number
  /** lives of the gateway in which an answer did not come whole */
  lives: number
}

export interface Counts {
  puts: number
  deletes: number
  reads: number
  revocations: number
  /** answers under keys with few uses */
  uses: number
  /** changes and revocations of which nobody knew whether they were done when the process was killed */
  open: number
}

export class MixedLoad {
  readonly counts: Counts = { puts: 0, deletes: 0, reads: 0, revocations: 0, uses: 0, open: 0 }
  /** whatever must not be; empty when all is well */
  readonly mistakes: string[] = []
  readonly #folder: ServeFolder
  readonly #random: Random
  readonly #key: string
  readonly #objects = new Map<string, Known>()
  /** objects that were put once, with what they are */
  readonly #kept = new Map<string, State>()
  /** the latest of them */
  #fresh: string[] = []
  readonly #revoked: string[] = []
  readonly #limited = new Set<LimitedKey>()
  #isOver = false
  #onAcknowledged: () => void = () => {}
  #acknowledged = 0

  constructor(folder: ServeFolder, random: Random) {
    this.#folder = folder
    this.#random = random
    this.#key = folder.mint()
    const own = Array.from({ length: WRITERS }, (_, n) => pathsOf(`own-${n}`, PATHS_OF_A_WRITER))
    for (const path of [...own.flat(), ...pathsOf('shared', SHARED_PATHS), ...USED_OBJECTS]) {
      this.#objects.set(path, { history: new History(), written: new Set([ABSENT]) })
    }
  }

  /** What was put once and never touched again. */
  get kept(): number {
    return this.#kept.size
  }

  get revoked(): number {
    return this.#revoked.length
  }

  /** Objects that all keys of few uses are for. */
  async prepare(serve: Serve): Promise<void> {
    await this.#put(serve, USED_OBJECTS[0], 3000)
    await this.#put(serve, USED_OBJECTS[1], 700_000)
  }

  /**
   * Runs until so many changes were acknowledged and `kill` is done.
   * @param kill ends the process; from the moment it is called, requests may fail
   */
  async run(serve: Serve, most: number, kill: () => Promise<void>): Promise<void> {
    this.#isOver = false
    this.#acknowledged = 0
    const enough = new Promise<void>((resolve) => {
      this.#onAcknowledged = () => {
        this.#acknowledged += 1
        if (this.#acknowledged >= most || this.mistakes.length > 0) resolve()
      }
    })
    const clients = this.#clients().map(async (client) => {
      while (!this.#isOver) await client(serve)
    })
    const failed = Promise.all(clients)
    await Promise.race([enough, failed])
    this.#isOver = true
    await kill()
    await failed
  }

  #clients(): readonly ((serve: Serve) => Promise<void>)[] {
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      pathsOf(`own-${n}`, PATHS_OF_A_WRITER),
    )
    const shared = pathsOf('shared', SHARED_PATHS)
    const all = [...this.#objects.keys()]
    return [
      ...[...writers, shared, shared].map((paths) => (serve: Serve) => this.#change(serve, paths)),
      ...Array.from({ length: READERS }, () => (serve: Serve) => this.#look(serve, all)),
      (serve) => this.#keep(serve),
      (serve) => this.#revoke(serve),
      (serve) => this.#useUp(serve, this.#newKey()),
    ]
  }

  // ── clients ─────────────────────────────────────────────────────────────────

  async #change(serve: Serve, paths: readonly string[]): Promise<void> {
    const path = this.#random.pick(paths)
    const chance = this.#random.next()
    if (chance < 0.15) await this.#delete(serve, path)
    else if (chance < 0.3) await this.#read(serve, path)
    else await this.#put(serve, path, this.#size())
  }

  async #look(serve: Serve, paths: readonly string[]): Promise<void> {
    await this.#read(serve, this.#random.pick(paths))
  }

  async #keep(serve: Serve): Promise<void> {
    const path = `kept/${tick()}`
    const content = randomBytes(this.#size())
    const answer = await this.#ask(serve.url(path, this.#key), { method: 'PUT', body: content })
    if (answer === undefined) {
      // whether it is there will be found out
      this.#objects.set(path, { history: new History(), written: new Set([ABSENT]) })
      this.#known(path).history.begin(stateOf(content))
      this.#known(path).written.add(stateOf(content))
      return
    }
    this.#expect(answer, [201], `PUT ${path}`)
    this.#kept.set(path, stateOf(content))
    this.#fresh.push(path)
    this.#count('puts')
  }

  async #revoke(serve: Serve): Promise<void> {
    const jti = randomBytes(12).toString('base64url')
    const key = this.#folder.mint({ jti })
    const [path] = USED_OBJECTS
    const before = await this.#ask(serve.url(path, key))
    if (before === undefined) return
    this.#expect(before, [200], 'GET with a good key')
    const answer = await this.#orUndefined(serve.revoke(jti))
    if (answer === undefined) {
      this.counts.open += 1
      return
    }
    this.#expect(answer, [201], 'POST /v1/revocations')
    this.#revoked.push(key)
    this.#count('revocations')
    await this.#expectRevoked(serve, key)
  }

  #newKey(): LimitedKey {
    const uses = 1 + this.#random.below(3)
    const key = this.#folder.mint({ uses })
    const path = this.#random.pick(USED_OBJECTS)
    return { key, path, uses, whole: 0, broken: 0, lives: 0 }
  }

  /** Until it is exhausted, or the process has been killed. */
  async #useUp(serve: Serve, limited: LimitedKey): Promise<void> {
    this.#limited.add(limited)
    for (let isUsedUp = false, round = 0; !isUsedUp; round += 1) {
      if (round > MOST_ROUNDS) {
        this.#mistake(`a key of ${limited.uses} uses is not used up after ${limited.whole} answers`)
        break
      }
      const url = serve.url(limited.path, limited.key)
      const users = Array.from({ length: USERS }, () => this.#ask(url))
      const answers = await Promise.all(users)
      const broken = answers.filter((answer) => answer === undefined).length
      limited.whole += answers.filter((answer) => answer?.status === 200).length
      limited.broken += broken
      for (const answer of answers) {
        if (answer === undefined) continue
        this.#expect(answer, [200, 403], 'GET with a key of few uses')
        const isRunning = answer.code === 'uses_exhausted' && /still running/.test(answer.text())
        if (answer.status === 403 && !isRunning) isUsedUp = true
        if (answer.status === 200) this.counts.uses += 1
      }
      if (broken > 0) {
        limited.lives += 1
        return
      }
    }
    this.#limited.delete(limited)
    const { uses, whole, broken, lives } = limited
    // what broke off may be had again, once for each life; and may have been sent whole
    if (whole > uses + lives || whole < uses - broken) {
      this.#mistake(`${whole} answers for ${uses} uses (${broken} broken off in ${lives} lives)`)
    }
  }

  // ── requests ────────────────────────────────────────────────────────────────

  async #put(serve: Serve, path: string, size: number): Promise<void> {
    const content = randomBytes(size)
    const { history, written } = this.#known(path)
    const change = history.begin(stateOf(content))
    written.add(change.state)
    const answer = await this.#ask(serve.url(path, this.#key), { method: 'PUT', body: content })
    if (answer === undefined) this.counts.open += 1
    else if (this.#expect(answer, [200, 201], `PUT ${path}`)) {
      history.acknowledge(change)
      this.#count('puts')
    } else history.refuse(change)
  }

  async #delete(serve: Serve, path: string): Promise<void> {
    const { history } = this.#known(path)
    const change = history.begin(ABSENT)
    const answer = await this.#ask(serve.url(path, this.#key), { method: 'DELETE' })
    if (answer === undefined) this.counts.open += 1
    else if (this.#expect(answer, [204], `DELETE ${path}`)) {
      history.acknowledge(change)
      this.#count('deletes')
    } else history.refuse(change)
  }

  /** The state that was read; undefined where the answer broke off. */
  async #read(serve: Serve, path: string): Promise<State | undefined> {
    const { history, written } = this.#known(path)
    const began = tick()
    const answer = await this.#ask(serve.url(path, this.#key))
    if (answer === undefined || !this.#expect(answer, [200, 404], `GET ${path}`)) return undefined
    const state = answer.status === 404 ? ABSENT : stateOf(answer.body)
    if (!written.has(state)) {
      this.#mistake(`${path}: ${answer.body.length} bytes that nobody ever wrote`)
    } else if (!history.mayBe(state, began)) {
      this.#mistake(`${path}: an earlier state, ${state === ABSENT ? state : answer.body.length}`)
    }
    this.counts.reads += 1
    return state
  }

  async #expectRevoked(serve: Serve, key: string): Promise<void> {
    const answer = await this.#ask(serve.url(USED_OBJECTS[0], key))
    if (answer !== undefined && answer.code !== 'key_revoked') {
      this.#mistake(`a revoked key was answered ${answer.status} ${answer.code ?? ''}`)
    }
  }

  async #expectKept(serve: Serve, path: string): Promise<void> {
    const answer = await this.#ask(serve.url(path, this.#key))
    if (answer === undefined) return
    if (answer.status !== 200 || stateOf(answer.body) !== this.#kept.get(path)) {
      this.#mistake(`${path}: ${answer.status}, ${answer.body.length} bytes, not what was put`)
    }
    this.counts.reads += 1
  }

  // ── after a start ───────────────────────────────────────────────────────────

  /**
   * Compares what is there with what clients were told. Nobody else is asking anything.
   * @param sample how many of what was put or revoked long ago is looked at; all unless stated
   */
  async check(serve: Serve, sample = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isOver = false
    await inParallel([...this.#objects.keys()], async (path) => {
      const state = await this.#read(serve, path)
      if (state === undefined) return
      this.#known(path).history.found(state)
      // of those that are put once, nobody asks any more
      if (!path.startsWith('kept/')) return
      this.#objects.delete(path)
      if (state !== ABSENT) this.#kept.set(path, state)
    })
    const kept = [...this.#fresh, ...this.#some([...this.#kept.keys()], sample)]
    this.#fresh = []
    await inParallel(kept, (path) => this.#expectKept(serve, path))
    const revoked = [...this.#revoked.slice(-20), ...this.#some(this.#revoked, sample)]
    await inParallel(revoked, (key) => this.#expectRevoked(serve, key))
    for (const limited of [...this.#limited]) await this.#useUp(serve, limited)
    await this.#checkListing(serve)
  }

  async #checkListing(serve: Serve): Promise<void> {
    const present = [...this.#objects].filter(([, { history }]) => history.state !== ABSENT)
    const expected = [...present.map(([path]) => path), ...this.#kept.keys()].sort()
    const listed: string[] = []
    for (const bucket of new Set(expected.map((path) => path.split('/')[0]))) {
      listed.push(...(await this.#list(serve, `${bucket}/`)))
    }
    if (listed.sort().join() !== expected.join()) {
      this.#mistake(`the listing has ${listed.length} objects, there are ${expected.length}`)
    }
  }

  async #list(serve: Serve, prefix: string): Promise<readonly string[]> {
    const paths: string[] = []
    for (let after = ''; ; ) {
      const from = after === '' ? '' : `&after=${encodeURIComponent(after)}`
      const answer = await this.#ask(serve.url(prefix, this.#key) + from)
      if (answer === undefined || !this.#expect(answer, [200], `LIST ${prefix}`)) return paths
      const page = answer.json() as { objects: { path: string }[]; next?: string }
      paths.push(...page.objects.map(({ path }) => path))
      if (page.next === undefined) return paths
      after = page.next
    }
  }

  // ── books ───────────────────────────────────────────────────────────────────

  /** Undefined where the answer did not come whole; unless it is over, that is a mistake. */
  #ask(url: string, question?: Question): Promise<Answer | undefined> {
    return this.#orUndefined(ask(url, question))
  }

  async #orUndefined(asking: Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await asking
    } catch (error) {
      if (!this.#isOver) this.#mistake(`no answer: ${(error as Error).message}`)
      return undefined
    }
  }

  #expect(answer: Answer, statuses: readonly number[], what: string): boolean {
    if (statuses.includes(answer.status)) return true
    this.#mistake(`${what} was answered ${answer.status}: ${answer.text().slice(0, 300)}`)
    return false
  }

  #mistake(what: string): void {
    this.mistakes.push(what)
    // there is nothing more to wait for
    this.#isOver = true
    this.#onAcknowledged()
  }

  #count(what: 'puts' | 'deletes' | 'revocations'): void {
    this.counts[what] += 1
    this.#onAcknowledged()
  }

  #known(path: string): Known {
    const known = this.#objects.get(path)
    if (known === undefined) throw new Error(`there is no ${path}`)
    return known
  }

  /** Small ones more often, as they are in the world. */
  #size(): number {
    const size = SIZES[Math.floor(this.#random.next() ** 1.7 * SIZES.length)] ?? 0
    return size + (size > 1000 ? this.#random.below(2) : 0)
  }

  #some<T>(from: readonly T[], most: number): readonly T[] {
    if (from.length <= most) return from
    return Array.from({ length: most }, () => this.#random.pick(from))
  }
}

const pathsOf = (folder: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${folder}/${n}`)

const AT_ONCE = 16

async function inParallel<T>(all: readonly T[], each: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all]
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await each(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
