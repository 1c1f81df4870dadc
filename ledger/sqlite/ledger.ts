/**
 * The ledger in one SQLite file, for any number of processes on one machine. Reads are prepared
 * statements on a connection of the calling thread; writes are jobs of one writer thread.
 */
import { randomBytes } from 'node:crypto'
import type { Instance } from '../../database/instance.ts'
import { type Database, explained, isUntrustworthy, openReader } from '../../database/open.ts'
import { siblingModule } from '../../database/sibling.ts'
import { startWriter, type Writer } from '../../database/writer.ts'
import { bytes, type Seconds, type UnixSeconds } from '../../key/units.ts'
import { checkAmounts } from '../allowance-rules.ts'
import { checkRequest, type LeaseAnswer } from '../lease-rules.ts'
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
  type Rule,
  type RuleKind,
  type RuleOf,
  type SigningKeyRecord,
} from '../ledger.ts'
import { instanceOf, type LedgerJobs } from './jobs.ts'
import { type LedgerReads, prepareReads } from './reads.ts'

/** So that a purge of very many leaves the writer to others in between. */
const PURGE_AT_ONCE = 5000

export class SqliteLedger implements Ledger {
  readonly #file: string
  readonly #instance: Instance
  readonly #writer: Writer<LedgerJobs>
  readonly #reader: Database
  readonly #reads: LedgerReads

  private constructor(
    file: string,
    instance: Instance,
    writer: Writer<LedgerJobs>,
    reader: Database,
  ) {
    this.#file = file
    this.#instance = instance
    this.#writer = writer
    this.#reader = reader
    this.#reads = prepareReads(reader)
    writer.onWritten(this.#reads.generation.forget)
  }

  /**
   * @param file the database; made where it is missing, in a folder that is there
   * @param instance this process, by which others see whether its transfers still run
   * @throws DatabaseError
   */
  static async open({
    file,
    instance,
  }: {
    file: string
    instance: Instance
  }): Promise<SqliteLedger> {
    const writer = await startWriter<LedgerJobs>(file, siblingModule(import.meta.url, 'jobs'))
    try {
      return new SqliteLedger(file, instance, writer, openReader(file))
    } catch (error) {
      await writer.close()
      throw explained(file, error)
    }
  }

  version(): number {
    return this.#read(() => this.#reads.generation())
  }

  failure(): Error | undefined {
    return this.#writer.failure
  }

  async close(): Promise<void> {
    this.#reader.close()
    await this.#writer.close()
  }

  revocationOf(target: Revocable): Revocation | undefined {
    return this.#read(() => this.#reads.revocationOf(target))
  }

  revocations(limit: number): readonly Revocation[] {
    return this.#read(() => this.#reads.revocations(limit))
  }

  async revoke(revocations: readonly Revocation[]): Promise<void> {
    await this.#writer.run('revoke', revocations)
  }

  async purge(now: UnixSeconds): Promise<number> {
    const before = now - FORGET_ISSUED_AFTER_SECONDS
    const limit = PURGE_AT_ONCE
    const purged =
      (await allOf(limit, () => this.#writer.run('purgeRevocations', { now, limit }))) +
      (await allOf(limit, () => this.#writer.run('purgeAllowances', { now, limit }))) +
      (await allOf(limit, () => this.#writer.run('purgeIssued', { before, limit })))
    await allOf(limit, () => this.#writer.run('purgeWrongPins', { now, limit }))
    return purged
  }

  async lease(request: LeaseRequest): Promise<LeaseOutcome> {
    checkRequest(request)
    const { object, address, transfer } = request
    const holder = `${this.#instance.id}.${randomBytes(8).toString('hex')}`
    const answer = await this.#leaseFrom(request, holder)
    if (!answer.granted) return { granted: false, reason: answer.reason, id: answer.id }
    const { start, end } = transfer ?? { start: 0, end: 0 }
    return { granted: true, lease: { object, address, ids: answer.ids, holder, start, end } }
  }

  /** A holder that seems to run is asked after; once its process is known to be gone, its lease is broken. */
  async #leaseFrom(request: LeaseRequest, holder: string): Promise<LeaseAnswer> {
    const dead: string[] = []
    for (;;) {
      const answer = await this.#writer.run('lease', { request, holder, dead })
      if (answer.granted || answer.holder === undefined) return answer
      const instance = instanceOf(answer.holder)
      if (dead.includes(instance) || this.#instance.isAlive(instance)) return answer
      dead.push(instance)
    }
  }

  async settle(lease: Lease, sent: number, handed: number = sent): Promise<void> {
    await this.#writer.run('settle', { lease, sent: bytes(sent), handed: bytes(handed) })
  }

  usesOf(id: string): number {
    return this.#read(() => this.#reads.usesOf(id))
  }

  async take(request: AllowanceRequest): Promise<AllowanceOutcome> {
    checkAmounts(request)
    const outcome = await this.#writer.run('take', request)
    return outcome
  }

  async giveBack(ids: readonly string[], amount: number): Promise<void> {
    await this.#writer.run('giveBack', { ids, amount })
  }

  takenOf(id: string): number {
    return this.#read(() => this.#reads.takenOf(id))
  }

  rule<Kind extends RuleKind>(kind: Kind, name: string): RuleOf<Kind> | undefined {
    return this.#read(() => this.#reads.rule(kind, name))
  }

  rules<Kind extends RuleKind>(kind: Kind): readonly RuleOf<Kind>[] {
    return this.#read(() => this.#reads.rules(kind))
  }

  hasRules(kind: RuleKind): boolean {
    return this.#read(() => this.#reads.hasRules(kind))
  }

  async setRule(rule: Rule): Promise<void> {
    await this.#writer.run('setRule', rule)
  }

  async amendRule(amendment: Amendment): Promise<RuleOf<'key'> | undefined> {
    const amended = await this.#writer.run('amendRule', amendment)
    return amended
  }

  async removeRule(kind: RuleKind, name: string): Promise<boolean> {
    const wasThere = await this.#writer.run('removeRule', { kind, name })
    return wasThere
  }

  async recordIssued(keys: readonly IssuedKey[]): Promise<void> {
    const outcome = await this.#writer.run('recordIssued', keys)
    if (outcome !== undefined) throw new IdTaken(outcome.taken)
  }

  issued(filter: IssuedFilter): readonly IssuedKeyState[] {
    return this.#read(() => this.#reads.issued(filter))
  }

  async issuedByKid(now: UnixSeconds): Promise<readonly IssuedCount[]> {
    const counts = new Map<string, IssuedCount>()
    for (let after = 0; ; ) {
      const slice = this.#read(() => this.#reads.countSlice(now, after))
      if (slice.length === 0) return [...counts.values()]
      for (const { kid, issued, live, last } of slice) {
        const before = counts.get(kid) ?? { issued: 0, live: 0 }
        counts.set(kid, { kid, issued: before.issued + issued, live: before.live + live })
        after = Math.max(after, last)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async noteActivity(batch: readonly Activity[]): Promise<void> {
    await this.#writer.run('noteActivity', batch)
  }

  async keepNotes(notes: readonly KeyNote[]): Promise<void> {
    await this.#writer.run('keepNotes', notes)
  }

  noteOf(id: string): KeyNote | undefined {
    return this.#read(() => this.#reads.noteOf(id))
  }

  tryPin(attempt: PinTry): Promise<Seconds> {
    return this.#writer.run('tryPin', attempt)
  }

  pinWait(attempt: PinTry): Seconds {
    return this.#read(() => this.#reads.pinWait(attempt))
  }

  async pinWasRight(attempt: PinTry): Promise<void> {
    await this.#writer.run('pinWasRight', attempt)
  }

  signingKeys(): readonly SigningKeyRecord[] {
    return this.#read(() => this.#reads.signingKeys())
  }

  async addSigningKey(record: SigningKeyRecord): Promise<void> {
    const outcome = await this.#writer.run('addSigningKey', record)
    if (outcome !== undefined) throw new IdTaken(outcome.taken)
  }

  async setSigningKeyStatus(
    kid: string,
    status: SigningKeyRecord['status'],
    graceEnds?: UnixSeconds,
  ): Promise<boolean> {
    const change = { kid, status, graceEnds: graceEnds ?? null }
    const isThere = await this.#writer.run('setSigningKeyStatus', change)
    return isThere
  }

  latestTime(): UnixSeconds {
    return this.#read(() => this.#reads.latestTime())
  }

  async noteTime(now: UnixSeconds): Promise<void> {
    await this.#writer.run('noteTime', now)
  }

  async resetTime(now: UnixSeconds): Promise<void> {
    await this.#writer.run('resetTime', now)
  }

  /** A ledger from which revocations may be missing says nothing at all. */
  #read<T>(query: () => T): T {
    const { failure } = this.#writer
    if (failure !== undefined && isUntrustworthy(failure.code)) throw failure
    try {
      return query()
    } catch (error) {
      throw explained(this.#file, error)
    }
  }
}

/** Repeats a job that does at most `limit` at once until nothing is left; returns how many in all. */
async function allOf(limit: number, job: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const done = await job()
    total += done
    if (done < limit) return total
  }
}
