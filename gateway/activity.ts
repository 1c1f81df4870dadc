/** What keys have done, gathered and handed to the ledger about once a second. */
import type { UnixSeconds } from '../key/units.ts'
import type { Activity, IssuedKeys } from '../ledger/ledger.ts'
import type { Exchange } from './exchange.ts'

/** More would hold memory; then it is handed over early. */
const MAX_GATHERED = 10_000

export class ActivityLog {
  readonly #ledger: IssuedKeys
  readonly #onError: (error: unknown) => void
  #gathered = new Map<string, Activity>()

  constructor(ledger: IssuedKeys, onError: (error: unknown) => void) {
    this.#ledger = ledger
    this.#onError = onError
  }

  note({ grant, client, refusal, bytesIn, bytesOut }: Exchange, now: UnixSeconds): void {
    if (grant === undefined || refusal !== undefined) return
    const before = this.#gathered.get(grant.id)
    this.#gathered.set(grant.id, {
      id: grant.id,
      lastUsed: now,
      lastAddress: client.address,
      requests: (before?.requests ?? 0) + 1,
      bytesOut: (before?.bytesOut ?? 0) + bytesOut,
      bytesIn: (before?.bytesIn ?? 0) + bytesIn,
    })
    if (this.#gathered.size >= MAX_GATHERED) void this.flush()
  }

  /** A loss here costs a figure in a list, never a permission: it is told of, and life goes on. */
  async flush(): Promise<void> {
    if (this.#gathered.size === 0) return
    const batch = [...this.#gathered.values()]
    this.#gathered = new Map()
    await this.#ledger.noteActivity(batch).catch(this.#onError)
  }
}
