/** The ledger's in-memory twin: for one process, nothing outlives it. */
import { randomBytes } from 'node:crypto'
import type { Scope } from '../../key/object-path.ts'
import { bytes, type Seconds, type UnixSeconds } from '../../key/units.ts'
import {
  type AllowanceRow,
  type AllowanceTable,
  checkAmounts,
  giveBackAll,
  takeAll,
} from '../allowance-rules.ts'
import {
  checkRequest,
  type LeaseRow,
  type LeaseTable,
  leaseAll,
  settleAll,
} from '../lease-rules.ts'
import {
  type Activity,
  type AllowanceOutcome,
  type AllowanceRequest,
  type Amendment,
  FORGET_ISSUED_AFTER_SECONDS,
  IdTaken,
  type IssuedCount,
  type IssuedFilter,
  type IssuedKey,
  type IssuedKeyState,
  type KeyNote,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
  type Ledger,
  type PinTry,
  type Revocable,
  type Revocation,
  type RevocationKind,
  type Rule,
  type RuleKind,
  type RuleOf,
  type SigningKeyRecord,
} from '../ledger.ts'
import {
  ANYWHERE,
  oneLess,
  oneMore,
  type PinRows,
  type WrongPins,
  waitAfter,
} from '../pin-rules.ts'
import { hits, revocationOfKey, scopesAbove, stricter } from '../revocation-rules.ts'
import { amendedRule, firstRule } from '../rule-of-key.ts'

export class MemoryLedger implements Ledger {
  #version = 0
  #latestTime = 0 as UnixSeconds
  #closed = false
  readonly #revocations = new Map<string, Revocation>()
  /** by id, then by object and address */
  readonly #leases = new Map<string, Map<string, LeaseRow>>()
  readonly #uses = new Map<string, number>()
  readonly #rules = new Map<string, Rule>()
  readonly #allowances = new Map<string, AllowanceRow>()
  /** oldest first */
  readonly #issued = new Map<string, IssuedKey>()
  readonly #activity = new Map<string, Activity>()
  readonly #notes = new Map<string, KeyNote>()
  /** by id, then by network */
  readonly #wrongPins = new Map<string, Map<string, WrongPins>>()
  readonly #keptOfIds = [
    this.#issued,
    this.#activity,
    this.#leases,
    this.#uses,
    this.#notes,
    this.#wrongPins,
  ]
  readonly #signingKeys = new Map<string, SigningKeyRecord>()

  version(): number {
    return this.#version
  }

  failure(): Error | undefined {
    return this.#closed ? new Error('the ledger has been closed') : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  revocationOf({ ids, subjects, issuedAt, path }: Revocable): Revocation | undefined {
    const named: readonly (readonly [RevocationKind, string])[] = [
      ...ids.map((id) => ['id', id] as const),
      ...subjects.map((subject) => ['subject', subject] as const),
      ...(path === undefined ? [] : scopesAbove(path).map((scope) => ['path', scope] as const)),
      ['everything', ''],
    ]
    return named
      .map(([kind, value]) => this.#revocations.get(nameOf(kind, value)))
      .find((found) => found !== undefined && hits(found.mintedUpTo, issuedAt))
  }

  async revoke(revocations: readonly Revocation[]): Promise<void> {
    this.#write()
    for (const revocation of revocations) {
      const name = nameOf(revocation.kind, revocation.value)
      this.#revocations.set(name, stricter(this.#revocations.get(name), revocation))
    }
    this.#version += 1
  }

  revocations(limit: number): readonly Revocation[] {
    return [...this.#revocations.values()].sort((a, b) => b.revokedAt - a.revokedAt).slice(0, limit)
  }

  async purge(now: UnixSeconds): Promise<number> {
    this.#write()
    const ended = [...this.#revocations].filter(
      ([, { until }]) => until !== undefined && until <= now,
    )
    for (const [name] of ended) this.#revocations.delete(name)
    for (const [id, { until }] of this.#allowances) {
      if (until !== undefined && until <= now) this.#allowances.delete(id)
    }
    const forgotten = [...this.#issued.values()].filter(
      ({ expires }) => expires < now - FORGET_ISSUED_AFTER_SECONDS,
    )
    for (const { id } of forgotten) {
      for (const kept of this.#keptOfIds) kept.delete(id)
      this.#rules.delete(`key ${id}`)
    }
    this.#version += 1
    return ended.length + forgotten.length
  }

  async lease(request: LeaseRequest): Promise<LeaseOutcome> {
    checkRequest(request)
    this.#write()
    const { object, address, transfer } = request
    const holder = randomBytes(8).toString('hex')
    const answer = leaseAll(this.#tableOf(object, address), request, holder, () => false)
    if (!answer.granted) return { granted: false, reason: answer.reason, id: answer.id }
    const { start, end } = transfer ?? { start: 0, end: 0 }
    return { granted: true, lease: { object, address, ids: answer.ids, holder, start, end } }
  }

  async settle(lease: Lease, sent: number, handed: number = sent): Promise<void> {
    this.#write()
    settleAll(this.#tableOf(lease.object, lease.address), lease, bytes(sent), bytes(handed))
  }

  usesOf(id: string): number {
    return this.#uses.get(id) ?? 0
  }

  async take(request: AllowanceRequest): Promise<AllowanceOutcome> {
    checkAmounts(request)
    this.#write()
    return takeAll(this.#allowanceTable, request)
  }

  async giveBack(ids: readonly string[], amount: number): Promise<void> {
    this.#write()
    giveBackAll(this.#allowanceTable, ids, amount)
  }

  takenOf(id: string): number {
    return this.#allowances.get(id)?.taken ?? 0
  }

  rule<Kind extends RuleKind>(kind: Kind, name: string): RuleOf<Kind> | undefined {
    return this.#rules.get(`${kind} ${name}`) as RuleOf<Kind> | undefined
  }

  rules<Kind extends RuleKind>(kind: Kind): readonly RuleOf<Kind>[] {
    const found = [...this.#rules.values()].filter((rule) => rule.kind === kind)
    return found.sort((a, b) => (a.name < b.name ? -1 : 1)) as RuleOf<Kind>[]
  }

  hasRules(kind: RuleKind): boolean {
    return this.rules(kind).length > 0
  }

  async setRule(rule: Rule): Promise<void> {
    this.#write()
    this.#rules.set(`${rule.kind} ${rule.name}`, rule)
    this.#version += 1
  }

  async amendRule(amendment: Amendment): Promise<RuleOf<'key'> | undefined> {
    this.#write()
    const amended = amendedRule(this.rule('key', amendment.name), amendment)
    if (amended === undefined) this.#rules.delete(`key ${amendment.name}`)
    else this.#rules.set(`key ${amendment.name}`, amended)
    this.#version += 1
    return amended
  }

  async removeRule(kind: RuleKind, name: string): Promise<boolean> {
    this.#write()
    this.#version += 1
    return this.#rules.delete(`${kind} ${name}`)
  }

  async recordIssued(keys: readonly IssuedKey[]): Promise<void> {
    this.#write()
    const ids = new Set<string>()
    for (const { id } of keys) {
      const taken = this.#issued.has(id) || this.#revocations.has(nameOf('id', id))
      if (taken || ids.has(id)) throw new IdTaken(id)
      ids.add(id)
    }
    for (const { renewed, ...key } of keys) {
      this.#issued.set(key.id, key)
      const rule = firstRule({ ...key, ...(renewed !== undefined && { renewed }) })
      if (rule !== undefined) this.#rules.set(`key ${key.id}`, rule)
    }
  }

  issued({ id, subject, path, limit, after }: IssuedFilter): readonly IssuedKeyState[] {
    const newestFirst = [...this.#issued.values()].reverse()
    const start = after === undefined ? 0 : newestFirst.findIndex((key) => key.id === after) + 1
    if (after !== undefined && start === 0) return []
    return newestFirst
      .slice(start)
      .filter((key) => id === undefined || key.id === id)
      .filter((key) => subject === undefined || key.subjects.includes(subject))
      .filter((key) => path === undefined || key.paths.some((scope) => isWithin(scope, path)))
      .slice(0, limit)
      .map((key) => this.#stateOf(key))
  }

  issuedByKid(now: UnixSeconds): readonly IssuedCount[] {
    const counts = new Map<string, IssuedCount>()
    for (const { id, kid, expires } of this.#issued.values()) {
      const end = Math.min(expires, this.rule('key', id)?.claims.exp ?? expires)
      const isLive = end > now && !this.#revocations.has(nameOf('id', id))
      const { issued, live } = counts.get(kid) ?? { issued: 0, live: 0 }
      counts.set(kid, { kid, issued: issued + 1, live: live + (isLive ? 1 : 0) })
    }
    return [...counts.values()]
  }

  async noteActivity(batch: readonly Activity[]): Promise<void> {
    this.#write()
    for (const added of batch) {
      if (!this.#issued.has(added.id)) continue
      const old = this.#activity.get(added.id)
      this.#activity.set(added.id, old === undefined ? added : sumOf(old, added))
    }
  }

  async keepNotes(notes: readonly KeyNote[]): Promise<void> {
    this.#write()
    for (const note of notes) this.#notes.set(note.id, note)
  }

  noteOf(id: string): KeyNote | undefined {
    return this.#notes.get(id)
  }

  async tryPin(attempt: PinTry): Promise<Seconds> {
    this.#write()
    const { rows, wait } = oneMore(this.#wrongPinsOf(attempt), attempt.now)
    if (rows !== undefined) this.#putWrongPins(attempt, rows)
    return wait
  }

  pinWait(attempt: PinTry): Seconds {
    return waitAfter(this.#wrongPinsOf(attempt), attempt.now)
  }

  async pinWasRight(attempt: PinTry): Promise<void> {
    this.#write()
    this.#putWrongPins(attempt, oneLess(this.#wrongPinsOf(attempt), attempt.now))
  }

  #wrongPinsOf({ id, address }: PinTry): PinRows {
    const rows = this.#wrongPins.get(id)
    return { here: rows?.get(address), anywhere: rows?.get(ANYWHERE) }
  }

  #putWrongPins({ id, address }: PinTry, rows: Record<keyof PinRows, WrongPins>): void {
    const known = this.#wrongPins.get(id) ?? new Map<string, WrongPins>()
    this.#wrongPins.set(id, known.set(address, rows.here).set(ANYWHERE, rows.anywhere))
  }

  signingKeys(): readonly SigningKeyRecord[] {
    return [...this.#signingKeys.values()].sort((a, b) => a.createdAt - b.createdAt)
  }

  async addSigningKey(record: SigningKeyRecord): Promise<void> {
    this.#write()
    if (this.#signingKeys.has(record.kid)) throw new IdTaken(record.kid)
    this.#signingKeys.set(record.kid, record)
    this.#version += 1
  }

  async setSigningKeyStatus(
    kid: string,
    status: SigningKeyRecord['status'],
    graceEnds?: UnixSeconds,
  ): Promise<boolean> {
    this.#write()
    const record = this.#signingKeys.get(kid)
    if (record === undefined) return false
    if (record.status === 'revoked') return true
    const { graceEnds: _, ...rest } = record
    this.#signingKeys.set(kid, { ...rest, status, ...(graceEnds !== undefined && { graceEnds }) })
    this.#version += 1
    return true
  }

  latestTime(): UnixSeconds {
    return this.#latestTime
  }

  async noteTime(now: UnixSeconds): Promise<void> {
    this.#write()
    if (now > this.#latestTime) this.#latestTime = now
  }

  async resetTime(now: UnixSeconds): Promise<void> {
    this.#write()
    this.#latestTime = now
  }

  #stateOf(key: IssuedKey): IssuedKeyState {
    const activity = this.#activity.get(key.id)
    const revocation = revocationOfKey(key, (target) => this.revocationOf(target))
    const rule = this.rule('key', key.id)
    return {
      ...key,
      counted: this.usesOf(key.id),
      ...(activity && { activity }),
      ...(revocation && { revocation }),
      ...(rule && { rule }),
    }
  }

  readonly #allowanceTable: AllowanceTable = {
    row: (id) => this.#allowances.get(id),
    put: (id, row) => this.#allowances.set(id, row),
  }

  #tableOf(object: string, address: string): LeaseTable {
    const where = JSON.stringify([object, address])
    return {
      count: (id) => this.usesOf(id),
      row: (id) => this.#leases.get(id)?.get(where),
      put: (id, row) => {
        const rows = this.#leases.get(id) ?? new Map<string, LeaseRow>()
        this.#leases.set(id, rows.set(where, row))
      },
      remove: (id) => this.#leases.get(id)?.delete(where),
      addUses: (id, by) => this.#uses.set(id, this.usesOf(id) + by),
    }
  }

  #write(): void {
    const failure = this.failure()
    if (failure !== undefined) throw failure
  }
}

const nameOf = (kind: RevocationKind, value: string): string => `${kind} ${value}`

/** Whether a scope lies at another one or beneath it. */
const isWithin = (scope: Scope, other: Scope): boolean =>
  other === '/' || scope === other || (other.endsWith('/') && scope.startsWith(other))

const sumOf = (old: Activity, added: Activity): Activity => ({
  id: old.id,
  ...(added.lastUsed >= old.lastUsed
    ? { lastUsed: added.lastUsed, lastAddress: added.lastAddress }
    : { lastUsed: old.lastUsed, lastAddress: old.lastAddress }),
  requests: old.requests + added.requests,
  bytesOut: old.bytesOut + added.bytesOut,
  bytesIn: old.bytesIn + added.bytesIn,
})
