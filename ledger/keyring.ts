/**
 * The signing keys at hand: secrets from files and the environment, statuses from the ledger.
 *
 * A key file without a record in the ledger was put there by hand and counts as active: whoever can
 * write to the folder has the secrets anyway. A record without a file is known and listed, but
 * nothing can be signed or verified with it.
 */
import { sigV4SignerOf } from '../key/dialects/node-sigv4.ts'
import type { SigV4Signer } from '../key/dialects/sigv4.ts'
import { beginOnNode } from '../key/node-mac.ts'
import { kindOfKid, type Signer, type SigningKey } from '../key/signer.ts'
import {
  checkSecret,
  listSigningKeyFiles,
  readSigningKeyFile,
  SigningKeyError,
} from './key-files.ts'
import type { Awaitable, Ledger, SigningKeyRecord } from './ledger.ts'

export interface KeyringOptions {
  /** where the key files lie; made where it is missing */
  readonly folder: string
  readonly ledger: Pick<Ledger, 'version' | 'signingKeys'>
  /** keys from the environment: they need no record, but one that is there applies */
  readonly extra?: readonly SigningKey[]
}

/** What there is to say of a signing key without its secret. */
export interface KeyringEntry extends Omit<SigningKeyRecord, 'createdAt'> {
  /** absent where no record says so */
  readonly createdAt?: SigningKeyRecord['createdAt']
  /** where its secret was found; `missing` where it was not */
  readonly secret: 'file' | 'environment' | 'missing'
}

/** A secret with what verifying needs of it; made once for each. */
interface Held {
  readonly key: SigningKey
  readonly begin: Signer['begin']
  readonly from: 'file' | 'environment'
}

export class Keyring {
  readonly #folder: string
  readonly #ledger: KeyringOptions['ledger']
  readonly #environment: readonly Held[]
  #files: ReadonlyMap<string, Held> = new Map()
  #problems: readonly SigningKeyError[] = []
  #entries: readonly KeyringEntry[] = []
  #signers: ReadonlyMap<string, Signer> = new Map()
  #epoch = 0
  #seen: number | undefined

  private constructor({ folder, ledger, extra = [] }: KeyringOptions) {
    this.#folder = folder
    this.#ledger = ledger
    for (const key of extra) checkSecret(key, `signing key "${key.kid}" of the environment`)
    this.#environment = extra.map((key) => held(key, 'environment'))
  }

  /** @throws SigningKeyError for any file that is not a key of ours alone */
  static async open(options: KeyringOptions): Promise<Keyring> {
    const keyring = new Keyring(options)
    await keyring.reload()
    const [problem] = keyring.problems()
    if (problem !== undefined) throw problem
    return keyring
  }

  /**
   * To be called before {@link signer} on every request: does nothing, at once, while the ledger
   * stands still. Rejects or throws as the ledger does; then nothing must be verified.
   */
  refresh(): Awaitable<void> {
    if (this.#ledger.version() !== this.#seen) return this.reload()
  }

  /** Looks at files and ledger anew, as {@link refresh} does by itself when the ledger has moved. */
  reload(): Awaitable<void> {
    const version = this.#ledger.version()
    const records = this.#ledger.signingKeys()
    if (records instanceof Promise) return records.then((list) => this.#take(version, list))
    this.#take(version, records)
  }

  /** Undefined for a kid of which there is no secret here. Its status is as of the last refresh. */
  signer(kid: string): Signer | undefined {
    return this.#signers.get(kid)
  }

  /**
   * What verifies SigV4 signatures: those of an S3 credential, by its access key id, and those of
   * temporary credentials, by the signing key that their session token names.
   */
  sigV4Signer(kid: string): SigV4Signer | undefined {
    const signer = this.#signers.get(kid)
    const secret = this.#held(kid)?.key.secret
    if (signer === undefined || secret === undefined) return undefined
    const kind = this.#entries.find((entry) => entry.kid === kid)?.kind
    return sigV4SignerOf(signer, secret, kind === 's3')
  }

  /**
   * Changes whenever {@link signer} may answer otherwise than before: whoever keeps verified keys
   * must then drop them.
   */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * What new keys are signed with: the key of the environment, else the newest active one that no
   * ceiling confines and that is not an S3 credential.
   * @throws SigningKeyError where there is none
   */
  active(): SigningKey {
    const usable = this.#entries.filter(mayMint)
    const chosen = usable.find(({ secret }) => secret === 'environment') ?? usable.at(-1)
    const key = chosen && this.#held(chosen.kid)?.key
    if (key !== undefined) return key
    const lost = this.#entries.findLast(
      ({ kind, status, secret }) =>
        kind === 'native' && status === 'active' && secret === 'missing',
    )
    throw new SigningKeyError(
      lost === undefined
        ? `there is no active signing key in ${this.#folder}: make one with "valetkey keys rotate"`
        : `the secret of the active signing key ${lost.kid} is missing: put ${lost.kid}.key back into ${this.#folder}; with a new one ("valetkey keys rotate"), every link it has signed dies`,
    )
  }

  /** For exporting, and for minting with a certain key; undefined where there is no secret here. */
  secretOf(kid: string): SigningKey | undefined {
    return this.#held(kid)?.key
  }

  /** Those without a record first, then from the oldest to the newest. */
  records(): readonly KeyringEntry[] {
    return this.#entries
  }

  /** Files found since the start that are not used, and why. */
  problems(): readonly SigningKeyError[] {
    return this.#problems
  }

  #held(kid: string): Held | undefined {
    return this.#environment.find(({ key }) => key.kid === kid) ?? this.#files.get(kid)
  }

  #take(version: number, records: readonly SigningKeyRecord[]): void {
    this.#readFiles()
    const recorded = new Set(records.map(({ kid }) => kid))
    const unrecorded = [...this.#files.keys(), ...this.#environment.map(({ key }) => key.kid)]
      .filter((kid, index, all) => !recorded.has(kid) && all.indexOf(kid) === index)
      .map((kid) => ({ kid, kind: kindOfKid(kid), status: 'active' as const }))
    const entries = [...unrecorded, ...records].map(
      (record): KeyringEntry => ({ ...record, secret: this.#held(record.kid)?.from ?? 'missing' }),
    )
    if (JSON.stringify(entries) !== JSON.stringify(this.#entries)) {
      this.#entries = entries
      this.#signers = new Map(entries.flatMap((entry) => this.#signerOf(entry)))
      this.#epoch += 1
    }
    this.#seen = version
  }

  #signerOf({ kid, status, graceEnds, ceiling }: KeyringEntry): readonly [string, Signer][] {
    const secret = this.#held(kid)
    if (secret === undefined) return []
    const { begin } = secret
    const signer: Signer = {
      kid,
      status,
      begin,
      ...(graceEnds !== undefined && { graceEnds }),
      ...(ceiling !== undefined && { ceiling }),
    }
    return [[kid, signer]]
  }

  /** A file is read once: it never changes. One that can't be used is left out, not the others. */
  #readFiles(): void {
    const files = new Map<string, Held>()
    const problems: SigningKeyError[] = []
    for (const kid of listSigningKeyFiles(this.#folder)) {
      try {
        files.set(kid, this.#files.get(kid) ?? held(readSigningKeyFile(this.#folder, kid), 'file'))
      } catch (error) {
        if (!(error instanceof SigningKeyError)) throw error
        problems.push(error)
      }
    }
    this.#files = files
    this.#problems = problems
  }
}

/** Whether new native keys may be signed with it, by whoever asks. */
export const mayMint = ({ kind, status, secret, ceiling }: KeyringEntry): boolean =>
  kind === 'native' && status === 'active' && secret !== 'missing' && ceiling === undefined

const held = (key: SigningKey, from: Held['from']): Held => ({
  key,
  begin: beginOnNode(key.secret),
  from,
})
