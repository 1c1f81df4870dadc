/** Opens what a command needs of a data folder, when it needs it, and closes all of it in the end. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { changeRecord } from '../audit/acts.ts'
import type { AuditSink } from '../audit/audit.ts'
import { openAudit } from '../audit/open.ts'
import { Instance } from '../database/instance.ts'
import { SteadyClock, systemClock } from '../gateway/clock.ts'
import type { FullStore } from '../gateway/store/full-store.ts'
import { auditedLedger } from '../issuer/audited-ledger.ts'
import { issuedKeyOf, type Minted } from '../issuer/mint.ts'
import { ensureSigningKey, type SigningKeysContext } from '../issuer/signing-keys.ts'
import { nodeMac } from '../key/node-mac.ts'
import { type ObjectPath, targetOf } from '../key/object-path.ts'
import type { Refusal } from '../key/refusal.ts'
import { checkSigner, type Grant, readKey, verifyKey } from '../key/sign.ts'
import type { SigningKey } from '../key/signer.ts'
import type { UnixSeconds } from '../key/units.ts'
import { Keyring } from '../ledger/keyring.ts'
import { IdTaken, type KeyNote, type Ledger } from '../ledger/ledger.ts'
import { SqliteLedger } from '../ledger/sqlite/ledger.ts'
import { Handover } from '../metrics/handover.ts'
import { makeFolders } from './durable.ts'
import { Failure } from './failure.ts'
import { printable } from './format.ts'
import type { Settings } from './settings/schema.ts'

export interface DataFolderOptions {
  /** absolute */
  readonly path: string
  /** the path as a person would write it here */
  readonly label: string
  /** whether it is made where it is missing; else that is a failure */
  readonly make: boolean
  /** one that is made is what was asked for: nothing is said of it */
  readonly isExpected: boolean
  readonly settings: Settings
  readonly now: () => UnixSeconds
  /** for what a person must know, whatever the command does */
  readonly warn: (text: string) => void
  /** of the environment */
  readonly signingKeys: readonly SigningKey[]
}

/** What is written down of a key: all but the key itself. */
type Recorded = Pick<Minted, 'claims' | 'expires'>

/** What is done to an object from here. */
export interface Change {
  readonly act: 'PUT' | 'DELETE'
  readonly path: ObjectPath
  readonly about?: object
}

/** What stores answer: whether it was done. */
type Outcome = boolean | { readonly done: boolean }

const LEDGER = 'ledger.db'
/** Whoever opens anything tells the others so, there. */
const INSTANCES = 'instances'
/** The mode of a folder when it is made; one that is there is left as it is. */
const PRIVATE = 0o700

/** Whether anything was ever kept there. */
export const isDataFolder = (path: string): boolean => existsSync(join(path, INSTANCES))

/** @throws Failure where there is no data folder and none is to be made */
export async function withDataFolder<T>(
  options: DataFolderOptions,
  use: (data: DataFolder) => Promise<T>,
): Promise<T> {
  const { path, label, make, isExpected, warn } = options
  const isNew = !isDataFolder(path)
  if (!make && isNew) {
    throw new Failure(
      `there is no data folder at ${label}: name yours with --data or VALETKEY_DATA, or make one with: valetkey serve`,
    )
  }
  makeFolders(join(path, INSTANCES), PRIVATE)
  const data = new DataFolder(options)
  try {
    const used = await use(data)
    if (isNew && !isExpected) warn(aboutNew(label, data.hasNewSigningKey))
    return used
  } finally {
    await data.close()
  }
}

/** What works here may not work where the gateway is. */
function aboutNew(label: string, hasNewSigningKey: boolean): string {
  const [what, honours] = hasNewSigningKey
    ? [', with a new signing key', 'honours no key that is minted here']
    : ['', 'knows nothing of it']
  return `valetkey: made a new data folder at ${printable(label)}${what}: a gateway on another one ${honours} (meant another? name it with --data or VALETKEY_DATA)`
}

export class DataFolder {
  readonly path: string
  readonly #options: DataFolderOptions
  /** whether one was made here, since there was none */
  hasNewSigningKey = false
  readonly #closers: (() => Promise<void> | void)[] = []
  #instance: Instance | undefined
  #ledger: Promise<Ledger> | undefined
  #keyring: Promise<Keyring> | undefined
  #store: Promise<FullStore> | undefined
  #clock: Promise<SteadyClock> | undefined
  #audit: Promise<AuditSink> | undefined

  constructor(options: DataFolderOptions) {
    this.path = options.path
    this.#options = options
  }

  /** Tells other processes on this folder that we are alive. */
  get instance(): Instance {
    if (this.#instance === undefined) {
      const instance = Instance.start(join(this.path, INSTANCES))
      this.#instance = instance
      this.#closers.push(() => instance.close())
    }
    return this.#instance
  }

  ledger(): Promise<Ledger> {
    this.#ledger ??= this.#opened(
      SqliteLedger.open({ file: join(this.path, LEDGER), instance: this.instance }),
    )
    return this.#ledger
  }

  /** @param onTrouble told when records can't be written, and when they can again */
  audit(
    onTrouble: (trouble: Refusal | undefined) => void = (trouble) => {
      if (trouble !== undefined) this.#options.warn(`valetkey: not on record: ${trouble.detail}`)
    },
  ): Promise<AuditSink> {
    this.#audit ??= this.#opened(openAudit(this.path, this.#options.settings.audit, onTrouble))
    return this.#audit
  }

  /** The ledger for whoever administers it from here: what they do is on record. */
  async acts(): Promise<Ledger> {
    return auditedLedger(await this.ledger(), await this.audit(), { by: 'cli', who: userName() })
  }

  /**
   * Changes an object, and writes down before that it is being changed, and then whether it was; durable
   * when this folder is closed. Where the process dies in between, there is no outcome on record.
   */
  async changing<T extends Outcome>(change: Change, make: () => Promise<T>): Promise<T> {
    const { act, path, about } = change
    const audit = await this.audit()
    const id = randomBytes(12).toString('base64url')
    const note = (what: string, more: object = {}): void => {
      const facts = { act: what, path: targetOf(path), ...more }
      audit.note(changeRecord({ by: 'cli', id, who: userName() }, facts))
    }
    note(act, about && { about: { ...about } })
    let isDone = false
    try {
      const outcome = await make()
      isDone = typeof outcome === 'boolean' ? outcome : outcome.done
      return outcome
    } finally {
      note(isDone ? 'done' : 'undone')
    }
  }

  get metricsFolder(): string {
    return join(this.path, 'metrics')
  }

  /** Where this process hands over what it counts. */
  metrics(): Handover {
    const handover = Handover.open(this.metricsFolder)
    this.onClose(() => handover.close())
    return handover
  }

  /** Does not go back behind the latest time that the ledger has noted. */
  clock(): Promise<SteadyClock> {
    const system = { ...systemClock, now: this.#options.now }
    this.#clock ??= this.ledger().then((ledger) => SteadyClock.start(system, ledger))
    return this.#clock
  }

  store(): Promise<FullStore> {
    const { settings } = this.#options
    this.#store ??= Promise.all([import('../gateway/main.ts'), this.clock()]).then(
      ([{ openStore }, { now }]) =>
        this.#opened(openStore(settings, this.path, this.instance, now)),
    )
    return this.#store
  }

  /** The admin token, and a file for each signing key. */
  get secretsFolder(): string {
    const folder = join(this.path, 'secrets')
    makeFolders(folder, PRIVATE)
    return folder
  }

  keyring(): Promise<Keyring> {
    this.#keyring ??= this.ledger().then((ledger) =>
      Keyring.open({
        folder: this.secretsFolder,
        ledger,
        extra: this.#options.signingKeys,
      }),
    )
    return this.#keyring
  }

  /** What `issuer/signing-keys.ts` works with. */
  async signingKeys(): Promise<SigningKeysContext> {
    return {
      ledger: await this.acts(),
      keyring: await this.keyring(),
      secretsFolder: this.secretsFolder,
      now: this.#options.now(),
    }
  }

  /** What new keys are signed with; made where there is none yet. */
  async signingKey(): Promise<SigningKey> {
    const context = await this.signingKeys()
    const before = context.keyring.records().length
    const key = await ensureSigningKey(context)
    this.hasNewSigningKey ||= context.keyring.records().length > before
    return key
  }

  /** @throws Refusal of a key that is not ours, can't be read, or whose signing key was revoked */
  async verify(key: string, now: UnixSeconds): Promise<Grant> {
    const named = readKey(key)
    const signer = (await this.keyring()).signer(named.kid)
    const grant = verifyKey(named, signer, nodeMac)
    if (signer !== undefined) checkSigner(signer, now)
    return grant
  }

  /** Writes down that keys were minted here. @throws Failure where an id was used before */
  async record(minted: readonly Recorded[], issuedBy = 'cli'): Promise<void> {
    const ledger = await this.acts()
    try {
      await ledger.recordIssued(minted.map((one) => issuedKeyOf(one, issuedBy)))
    } catch (error) {
      if (!(error instanceof IdTaken)) throw error
      throw new Failure(`the id ${error.id} is taken, and ids are never reused: state another --id`)
    }
  }

  /** Keeps what belongs to keys and is no part of their text. */
  async keepNotes(notes: readonly KeyNote[]): Promise<void> {
    await (await this.acts()).keepNotes(notes)
  }

  /** Has something closed with this folder, before what was opened until now. */
  onClose(closer: () => Promise<void>): void {
    this.#closers.push(closer)
  }

  /** In the reverse order of opening; goes on where one of them fails, and then says so. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  async #opened<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
    const opened = await opening
    this.#closers.push(() => opened.close())
    return opened
  }
}

let known: string | undefined

/** Of the machine; some have no name for theirs. Asked for once: an import names it for every file. */
function userName(): string {
  known ??= nameOfUser()
  return known
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
