/** What keys have done, gathered and handed to the ledger about once a second. */
import type { UnixSeconds } from '../key/units.ts'
import type { Activity, IssuedKeys } from '../ledger/ledger.ts'
import type { Exchange } from './exchange.ts'

/** More would hold memory; then it is handed over early. */
const MAX_GATHERED = 10_000

type Gathered = { -readonly [Name in keyof Activity]: Activity[Name] }

const NOTHING = { requests: 0, bytesOut: 0, bytesIn: 0 }

export class ActivityLog {
  readonly #ledger: IssuedKeys
  readonly #onError: (error: unknown) => void
  #gathered = new Map<string, Gathered>()
  /** of the oldest that is gathered */
  #since = 0 as UnixSeconds

  constructor(ledger: IssuedKeys, onError: (error: unknown) => void) {
    this.#ledger = ledger
    this.#onError = onError
  }

  /** A download that was cut has been one; a request that was refused at once has not. */
  note({ grant, client, refusal, bytesIn, bytesOut }: Exchange, now: UnixSeconds): void {
    if (grant === undefined || (refusal !== undefined && bytesOut === 0)) return
    const gathered = this.#gathered.get(grant.id) ?? this.#begun(grant.id, now)
    gathered.lastUsed = now
    gathered.lastAddress = client.address
    gathered.requests += 1
    gathered.bytesOut += bytesOut
    gathered.bytesIn += bytesIn
  }

  /** How long the oldest activity has waited, in seconds. */
  lag(now: UnixSeconds): number {
    return this.#gathered.size === 0 ? 0 : Math.max(0, now - this.#since)
  }

  #begun(id: string, now: UnixSeconds): Gathered {
    if (this.#gathered.size >= MAX_GATHERED) void this.flush()
    if (this.#gathered.size === 0) this.#since = now
    const gathered = { id, lastUsed: 0 as UnixSeconds, lastAddress: '', ...NOTHING }
    this.#gathered.set(id, gathered)
    return gathered
  }

  /** A loss here costs a figure in a list, never a permission: it is told of, and life goes on. */
  async flush(): Promise<void> {
    if (this.#gathered.size === 0) return
    const batch = [...this.#gathered.values()]
    this.#gathered = new Map()
    await this.#ledger.noteActivity(batch).catch(this.#onError)
  }
}
