/**
 * The contract of the ledger: what has happened to keys. Documented, no logic. Small parts, so
 * that whoever needs one of them asks for that one only.
 *
 * Everything that is written is durable when its promise resolves. A ledger that can't answer
 * rejects: whoever asks must then refuse (`unavailable`), never guess.
 */
import type { Block, Method } from '../key/claims.ts'
import type { ObjectPath, Prefix, Scope } from '../key/object-path.ts'
import type { Plan } from '../key/plan.ts'
import type { SignerStatus, SigningKeyKind } from '../key/signer.ts'
import type { Bytes, Seconds, UnixSeconds } from '../key/units.ts'

/** At hand now, or later: an embedded ledger answers at once, one in another process can't. */
export type Awaitable<T> = T | Promise<T>

export interface Ledger
  extends Revocations,
    Leases,
    Allowances,
    IssuedKeys,
    Notes,
    Rules,
    SigningKeys,
    Times {
  /**
   * A number that differs from the one before whenever anybody, in any process, may have changed
   * revocations, signing keys or rules. Cheap enough to ask on every request.
   */
  version(): number
  /** What keeps the ledger from writing; undefined while all is well. */
  failure(): Error | undefined
  close(): Promise<void>
}

// ── revocations ─────────────────────────────────────────────────────────────

/**
 * What a revocation names:
 * `id` a key (or one of its blocks), for ever;
 * `subject`, `path`, `everything` keys minted up to a moment: for whom, used below which scope, all.
 */
export type RevocationKind = 'id' | 'subject' | 'path' | 'everything'

export interface Revocation {
  readonly kind: RevocationKind
  /** the id, the subject, or the scope; empty for `everything` */
  readonly value: string
  /** keys whose `iat` is at most this, in Unix seconds; a key without `iat` counts as oldest; not for `id` */
  readonly mintedUpTo?: UnixSeconds
  readonly revokedAt: UnixSeconds
  /** when all that it names has expired by itself, and it may be forgotten; absent: never */
  readonly until?: UnixSeconds
  /** for people: why, or who */
  readonly reason?: string
}

/** What of a grant, and of the object it is used on, a revocation may name. */
export interface Revocable {
  readonly ids: readonly string[]
  readonly subjects: readonly string[]
  readonly issuedAt: UnixSeconds
  /** absent when a key is asked about, not a request */
  readonly path?: ObjectPath | Prefix
}

export interface Revocations {
  /** The revocation that hits; in force from the moment `revoke` resolves, in this process or another. */
  revocationOf(target: Revocable): Awaitable<Revocation | undefined>
  /** Adds revocations, all or none. One that is there already is only ever made stricter. */
  revoke(revocations: readonly Revocation[]): Promise<void>
  /** In force, newest first. */
  revocations(limit: number): Awaitable<readonly Revocation[]>
  /**
   * Forgets revocations and allowances whose `until` has passed, and keys that expired more than
   * {@link FORGET_ISSUED_AFTER_SECONDS} ago with all that was counted on them; returns how many.
   * Only then may an id be taken again: no key that bears it verifies any more.
   */
  purge(now: UnixSeconds): Promise<number>
}

// ── uses ────────────────────────────────────────────────────────────────────

/**
 * A use is a lease on (key id, object, client address): taken when the first byte is about to be
 * sent, refused while a transfer under it runs, free for retries and ranges after a broken transfer
 * until the object was sent whole or an hour has passed; never more than twice its size is sent.
 * See docs/decisions/0001-a-use-is-a-lease.md.
 */
export interface LeaseRequest {
  /** every id on which this request counts, and the most uses it allows; none may be short */
  readonly counted: readonly { readonly id: string; readonly most: number }[]
  readonly object: ObjectPath | Prefix
  readonly address: string
  readonly now: UnixSeconds
  /** a download states what it is about to send; an upload, a deletion or a listing does not */
  readonly transfer?: {
    readonly etag: string
    readonly size: Bytes
    /** the bytes about to be sent, `end` exclusive */
    readonly start: number
    readonly end: number
  }
}

/** Opaque to whoever holds it; survives structured cloning. */
export interface Lease {
  readonly object: string
  readonly address: string
  readonly ids: readonly string[]
  /** distinguishes this holder from those before and after it */
  readonly holder: string
  readonly start: number
  readonly end: number
}

export type LeaseOutcome =
  | { readonly granted: true; readonly lease: Lease }
  | {
      readonly granted: false
      /**
       * `exhausted` no use left · `running` a transfer under this use runs · `overrun` it would send
       * more than twice the size, and no use is left for beginning anew
       */
      readonly reason: 'exhausted' | 'running' | 'overrun'
      readonly id: string
    }

export interface Leases {
  /** Atomic over all processes on this ledger. */
  lease(request: LeaseRequest): Promise<LeaseOutcome>
  /**
   * Ends what runs under a lease.
   * @param sent of a transfer: bytes sent, counted from the range's start; of anything else: 1 done,
   *   which counts; 0 not done, which gives the use back
   * @param handed of a transfer that broke off: bytes that may have left all the same. They are no
   *   part of what was sent, but count towards twice the size; as many as were sent, if not stated
   */
  settle(lease: Lease, sent: number, handed?: number): Promise<void>
  /** Uses counted on an id so far. */
  usesOf(id: string): Awaitable<number>
}

/** How long retries under a lease are free. */
export const LEASE_LIFE_SECONDS = 3600

// ── allowances ──────────────────────────────────────────────────────────────

/**
 * So much of something on an id: bytes, files, requests. It is taken before it is used, and what was
 * not used is given back. So whatever happens, never more is used than there was; what a process had
 * taken when it was killed stays taken, since it may have been used.
 */
export interface Allowance {
  readonly id: string
  /** the most that can be taken at a time */
  readonly most: number
  /** of one that fills up again: how much a second comes back */
  readonly refill?: number
  /** when it may be forgotten; absent: never */
  readonly until?: UnixSeconds
}

export interface AllowanceRequest {
  /** the same is taken of each, or nothing of any */
  readonly of: readonly Allowance[]
  /** whole numbers from 1 on: less than this is of no use */
  readonly least: number
  /** at least `least`; where less than this is left, what is left is taken */
  readonly want: number
  readonly now: UnixSeconds
}

export type AllowanceOutcome =
  | {
      readonly granted: number
      /** of the scarcest, after this */
      readonly left: number
    }
  | { readonly granted: 0; readonly short: string; readonly left: number }

export interface Allowances {
  /** Atomic over all processes on this ledger. */
  take(request: AllowanceRequest): Promise<AllowanceOutcome>
  giveBack(ids: readonly string[], amount: number): Promise<void>
  /** As of when something was last taken or given back. */
  takenOf(id: string): Awaitable<number>
}

// ── issued keys ─────────────────────────────────────────────────────────────

export interface IssuedKey {
  readonly id: string
  readonly kid: string
  readonly subjects: readonly string[]
  readonly paths: readonly Scope[]
  readonly methods: readonly Method[]
  readonly issuedAt: UnixSeconds
  readonly expires: UnixSeconds
  /** the most uses, where limited */
  readonly uses?: number
  /** who asked for it: `cli`, `admin`, or `key <id>` */
  readonly issuedBy: string
  /** of a renewable key, whose `expires` is the latest that it can be renewed to: until when it is for now */
  readonly renewed?: UnixSeconds
  /** what else block 0 states, for whoever wants another key like it */
  readonly claims?: Block
}

export interface IssuedKeyState extends IssuedKey {
  readonly counted: number
  readonly activity?: Activity
  readonly revocation?: Revocation
  /** what holds for the key beside what it states */
  readonly rule?: RuleOf<'key'>
}

/** What a key has done; kept a second or so behind. */
export interface Activity {
  readonly id: string
  readonly lastUsed: UnixSeconds
  readonly lastAddress: string
  readonly requests: number
  readonly bytesOut: number
  readonly bytesIn: number
}

export interface IssuedFilter {
  readonly id?: string
  readonly subject?: string
  /** keys of which a scope lies at or beneath this one */
  readonly path?: Scope
  readonly limit: number
  /** an id: continues after it */
  readonly after?: string
}

export interface IssuedKeys {
  /** All or none. Rejects with {@link IdTaken} where an id was ever issued or revoked: ids are never reused. */
  recordIssued(keys: readonly IssuedKey[]): Promise<void>
  /** Newest first. */
  issued(filter: IssuedFilter): Awaitable<readonly IssuedKeyState[]>
  /**
   * By signing key: how many keys were issued, and how many of them have neither expired nor been
   * revoked by their id. Looks at every one of them.
   */
  issuedByKid(now: UnixSeconds): Awaitable<readonly IssuedCount[]>
  /** Adds up requests and bytes per id; nothing is kept of ids that were not recorded as issued. */
  noteActivity(batch: readonly Activity[]): Promise<void>
}

export interface IssuedCount {
  readonly kid: string
  readonly issued: number
  /** what stops working when the signing key is revoked */
  readonly live: number
}

/** An id of a key, or a kid, that was there before. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken'
  readonly id: string

  constructor(id: string) {
    super(`the id "${id}" is taken: ids are never reused`)
    this.id = id
  }
}

/** How long an expired key is still listed: 30 days. */
export const FORGET_ISSUED_AFTER_SECONDS = 30 * 86_400

// ── notes ───────────────────────────────────────────────────────────────────

/** What belongs to a key and is no part of its text. */
export interface KeyNote {
  /** the id of a key; of what a block of a narrowed key states, as uses of it are counted */
  readonly id: string
  /** what whoever made the key says to whoever holds it */
  readonly message?: string
  /** what is kept of a PIN: see key/node-pin.ts */
  readonly pin?: string
}

export interface PinTry {
  readonly id: string
  /** the network from where: who tries from elsewhere is somebody else */
  readonly address: string
  readonly now: UnixSeconds
}

export interface Notes {
  /** All or none; one that is there is replaced. */
  keepNotes(notes: readonly KeyNote[]): Promise<void>
  noteOf(id: string): Awaitable<KeyNote | undefined>
  /**
   * Counts a wrong PIN before it is looked at, so that many at once are not more than one after
   * the other; atomic over all processes on this ledger.
   * @returns seconds to wait; 0 where this one may be looked at
   */
  tryPin(attempt: PinTry): Promise<Seconds>
  /** The same, for one that is known to be right: counts nothing. */
  pinWait(attempt: PinTry): Awaitable<Seconds>
  /** It was the right one: takes back what was counted, and remembers from where it came. */
  pinWasRight(attempt: PinTry): Promise<void>
}

/** Wrong PINs for one key from one network within {@link PIN_WINDOW_SECONDS}. */
export const MOST_WRONG_PINS = 10
export const PIN_WINDOW_SECONDS = 900
/** Wrong PINs for one key from all networks; of these one is forgotten after the other. */
export const MOST_WRONG_PINS_ANYWHERE = 100
export const SECONDS_PER_PIN_ANYWHERE = 60
/** For so long, a network from which the right one came is held to its own wrong ones only. */
export const PIN_KNOWN_SECONDS = 86_400

// ── rules ───────────────────────────────────────────────────────────────────

/**
 * What is kept beside keys and can be changed while they are in use:
 * `policy` claims that keys refer to by name; `key` claims for the key of that id, whether or not it
 * refers to them; `plan` how much may be used in which time.
 */
export type Rule =
  | (RuleName<'policy'> & { readonly claims: Block })
  | (RuleName<'key'> & { readonly claims: Block; readonly paused?: boolean })
  | (RuleName<'plan'> & { readonly plan: Plan })

export type RuleKind = Rule['kind']
export type RuleOf<Kind extends RuleKind> = Extract<Rule, { kind: Kind }>

interface RuleName<Kind> {
  readonly kind: Kind
  readonly name: string
  readonly changedAt: UnixSeconds
}

/** Claims that take the place of those of the same names; and whether it is paused, unless left as it is. */
export interface Amendment {
  /** the id of a key */
  readonly name: string
  readonly claims: Block
  readonly paused?: boolean
  readonly changedAt: UnixSeconds
}

export interface Rules {
  rule<Kind extends RuleKind>(kind: Kind, name: string): Awaitable<RuleOf<Kind> | undefined>
  /** By name. */
  rules<Kind extends RuleKind>(kind: Kind): Awaitable<readonly RuleOf<Kind>[]>
  hasRules(kind: RuleKind): Awaitable<boolean>
  /** One that is there is replaced. */
  setRule(rule: Rule): Promise<void>
  /**
   * Changes the rule of a key, whatever others change of it at the same time; resolves to what it is
   * then, undefined where nothing holds any more.
   */
  amendRule(amendment: Amendment): Promise<RuleOf<'key'> | undefined>
  /** Returns whether it was there. */
  removeRule(kind: RuleKind, name: string): Promise<boolean>
}

// ── signing keys ────────────────────────────────────────────────────────────

/** All that is known of a signing key but its secret, which lies in a file. */
export interface SigningKeyRecord {
  readonly kid: string
  readonly kind: SigningKeyKind
  readonly status: SignerStatus
  readonly createdAt: UnixSeconds
  /** of a retiring key: until when it verifies */
  readonly graceEnds?: UnixSeconds
  readonly ceiling?: Block
}

export interface SigningKeys {
  /** Oldest first; revoked ones stay in the list, so that no kid is used again. */
  signingKeys(): Awaitable<readonly SigningKeyRecord[]>
  /** Rejects with {@link IdTaken} where the kid was ever there. */
  addSigningKey(record: SigningKeyRecord): Promise<void>
  /** Returns false where there is no such kid. A revoked key stays revoked. */
  setSigningKeyStatus(kid: string, status: SignerStatus, graceEnds?: UnixSeconds): Promise<boolean>
}

// ── time ────────────────────────────────────────────────────────────────────

/** So that a clock set back does not bring back what has expired. */
export interface Times {
  /** The latest time noted by any process; 0 where none was. */
  latestTime(): Awaitable<UnixSeconds>
  /** An earlier time than the latest changes nothing. */
  noteTime(now: UnixSeconds): Promise<void>
  /** Takes the time back to this one: for an owner who knows that the latest was wrong. */
  resetTime(now: UnixSeconds): Promise<void>
}
