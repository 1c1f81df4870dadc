/** `valetkey serve` as a program of its own on a data folder: to be traced, starved and killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FirstBlock } from '../../key/claims.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { mintKey } from '../../key/sign.ts'
import { formatSigningKey, type SigningKey } from '../../key/signer.ts'
import { secondsOf } from '../../key/units.ts'
import { type Answer, ask } from './http.ts'
import { tempFolder } from './temp-folder.ts'

/** The program as it is in this checkout, not built. */
export const SOURCE = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const ANYWHERE = ['--gateway-listen', '127.0.0.1:0', '--issuer-listen', '127.0.0.1:0']

export interface ServeOptions {
  /** the program's main module; the one in this checkout unless stated */
  readonly main?: string
  /** what runs node, such as strace with its options; it must end as the same process */
  readonly under?: readonly string[]
  /** modules that the process and its threads import before anything else, as URLs */
  readonly preload?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly uid?: number
}

const running = new Set<Serve>()
// whatever ends us, nothing is left behind
process.on('exit', () => {
  for (const serve of running) serve.signal('SIGKILL')
})

/** A data folder that programs are started on, one after another, and the signing key of all of them. */
export class ServeFolder {
  readonly data: string
  readonly remove: () => void
  readonly #signingKey: SigningKey = { kid: 'faults', secret: randomBytes(32) }

  /** @param folder where the data folder is to be, and whoever made it removes it */
  constructor(folder?: string) {
    const { path, remove } =
      folder === undefined ? tempFolder() : { path: folder, remove: () => {} }
    this.data = join(path, 'data')
    this.remove = remove
  }

  get store(): string {
    return join(this.data, 'store')
  }

  get ledgerFile(): string {
    return join(this.data, 'ledger.db')
  }

  get indexFile(): string {
    return join(this.store, 'index.db')
  }

  /** A key for everything, for a day, unless the claims say otherwise. */
  mint(claims: Omit<Partial<FirstBlock>, 'kid'> = {}): string {
    const now = secondsOf(Date.now())
    const block: Omit<FirstBlock, 'kid'> = {
      jti: randomBytes(12).toString('base64url'),
      iat: now,
      exp: now + 86_400,
      path: '/',
      methods: ['GET', 'PUT', 'DELETE', 'LIST'],
      ...claims,
    }
    return mintKey(block, this.#signingKey, nodeMac)
  }

  /** @throws Error that says what the program said, where it did not start */
  start(options: ServeOptions = {}): Promise<Serve> {
    return Serve.start(this, { VALETKEY_SIGNING_KEY: formatSigningKey(this.#signingKey) }, options)
  }

  /** What the program said that was expected not to start. */
  async refusal(options: ServeOptions = {}): Promise<string> {
    let serve: Serve
    try {
      serve = await this.start(options)
    } catch (error) {
      return (error as Error).message
    }
    await serve.kill()
    throw new Error('it has started')
  }
}

export class Serve {
  readonly #folder: ServeFolder
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  #stdout = ''
  /** the log, and why it did not start */
  stderr = ''
  gateway = ''
  issuer = ''
  /** milliseconds until it listened */
  startedIn = 0

  private constructor(folder: ServeFolder, child: ChildProcess) {
    this.#folder = folder
    this.#child = child
    this.#exit = once(child, 'close').finally(() => running.delete(this))
    this.#exit.catch(() => {})
    running.add(this)
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
  }

  static async start(
    folder: ServeFolder,
    env: Readonly<Record<string, string>>,
    { main = SOURCE, under = [], preload = [], args = [], uid, ...options }: ServeOptions,
  ): Promise<Serve> {
    const imports = [...(main.endsWith('.ts') ? ['tsx'] : []), ...preload]
    const node = [process.execPath, ...imports.flatMap((module) => ['--import', module])]
    const serve = ['serve', '--data', folder.data, ...ANYWHERE, '--json', ...args]
    const [program = '', ...rest] = [...under, ...node, main, ...serve]
    const began = performance.now()
    const child = spawn(program, rest, {
      // a group of its own, so that all of it can be killed at once
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, VALETKEY_STORE_RESERVE: '0', ...env, ...options.env },
      ...(uid !== undefined && { uid, gid: uid }),
    })
    const started = new Serve(folder, child)
    await started.#listening()
    started.startedIn = performance.now() - began
    return started
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** On the gateway: `PATH?vk=KEY`. */
  url(path: string, key: string): string {
    return `${this.gateway}/${path}?vk=${key}`
  }

  /** Asks the issuer. */
  revoke(id: string): Promise<Answer> {
    const token = readFileSync(join(this.#folder.data, 'secrets', 'admin-token'), 'utf8').trim()
    return ask(`${this.issuer}/v1/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
    })
  }

  /** To the process and all its children. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal)
    } catch {
      // it has ended
    }
  }

  /** As a power cut ends a process; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#exit
  }

  /** As an administrator ends it; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    await this.#exit
    return this.#child.exitCode
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #listening(): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      this.#child.stdout?.on('data', () => {
        if (this.#stdout.endsWith('}\n')) resolve()
      })
    })
    await Promise.race([printed, this.#exit])
    if (!this.#stdout.endsWith('}\n')) throw new Error(this.stderr)
    const { gateway, issuer } = JSON.parse(this.#stdout) as { gateway: string; issuer: string }
    this.gateway = gateway
    this.issuer = issuer
  }
}
