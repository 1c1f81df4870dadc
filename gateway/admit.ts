/**
 * Claim -> verify -> clear -> remember: the one way to act, and the only maker of `Admitted`.
 * No verb can be called with less.
 */
import { type Attempt, clear, clearHolder, type Holder, isPinned } from '../key/clear.ts'
import { type Counter, countersOf } from '../key/counters.ts'
import { nodeHashing } from '../key/dialects/node-sigv4.ts'
import {
  type PostClaimed,
  type PostUpload,
  type PostVerified,
  verifyPost,
} from '../key/dialects/post-policy.ts'
import type { SigV4Claimed } from '../key/dialects/sigv4-claim.ts'
import {
  type SigV4Verified,
  type VerifyOptions,
  verifySigV4,
} from '../key/dialects/sigv4-verify.ts'
import { scopesOfAll } from '../key/inspect.ts'
import { nodeMac } from '../key/node-mac.ts'
import type { ObjectPath, Prefix, Scope } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import { checkSigner, type Grant, readKey, verifyKey } from '../key/sign.ts'
import type { Signer } from '../key/signer.ts'
import { formatTime } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Awaitable, Ledger, Revocation } from '../ledger/ledger.ts'
import { andThen } from './awaitable.ts'
import { Memo } from './memo.ts'
import { Meter } from './meter.ts'
import { openLimits } from './open-uploads.ts'
import { Pins } from './pins.ts'
import { Plans } from './plans.ts'
import { Policies } from './policies.ts'
import type { OpenLimit } from './store/multipart.ts'
import { type Intent, takeUse, type Use } from './use.ts'

/** What a request shows to be let in: one credential, of one protocol, not looked at yet. */
export interface Claimed {
  readonly key: string
}

declare const admitted: unique symbol

/** A request that every stage has let pass. */
export interface Admitted {
  readonly [admitted]: true
  readonly grant: Grant
  readonly attempt: Attempt
  /** of the request that asks */
  readonly requestId: string
}

/**
 * Keys whose signature was found good, so that a key is parsed and verified once. In characters of
 * key text, since whoever narrows a key makes as many as they like, of up to 4096 characters.
 */
const MAX_REMEMBERED = 4 << 20
/** Keys that were used once: to verify one again costs more than to keep many for a while. */
const MAX_USED_ONCE = 1024

/** Who is told of uses of keys that have a limited number of them. */
export interface UseWatcher {
  taken(): void
  /** @param id under which the uses that are up were counted: of the block, after those above it */
  usedUp(id: string, address: string): void
}

const NOBODY: UseWatcher = { taken: () => {}, usedUp: () => {} }

export class Gatekeeper {
  readonly #ledger: Ledger
  readonly #keyring: Keyring
  readonly pins: Pins
  readonly plans: Plans
  readonly #policies: Policies
  readonly #verified = new Memo<Grant>(MAX_REMEMBERED, MAX_USED_ONCE)
  readonly #watcher: UseWatcher
  #epoch: number

  constructor(ledger: Ledger, keyring: Keyring, watcher: UseWatcher = NOBODY) {
    this.#ledger = ledger
    this.#keyring = keyring
    this.pins = new Pins(ledger, keyring)
    this.#watcher = watcher
    this.plans = new Plans(ledger)
    this.#policies = new Policies(ledger)
    this.#epoch = keyring.epoch
  }

  /**
   * Whether the key is ours; cached by its whole text.
   * @throws Refusal key_malformed, signature_invalid
   */
  verify({ key }: Claimed): Awaitable<Grant> {
    return andThen(this.#keyring.refresh(), () => this.#grantOf(key))
  }

  #grantOf(key: string): Grant {
    if (this.#epoch !== this.#keyring.epoch) {
      this.#verified.clear()
      this.#epoch = this.#keyring.epoch
    }
    return this.#verified.get(key) ?? this.#verified.add(key, this.#verifiedNow(key))
  }

  #verifiedNow(key: string): Grant {
    const named = readKey(key)
    return verifyKey(named, this.#keyring.signer(named.kid), nodeMac)
  }

  /**
   * The same for a request signed with SigV4.
   * @throws Refusal signature_invalid, key_malformed, header_not_granted
   */
  async verifySigV4(
    claimed: SigV4Claimed,
    asked: Pick<VerifyOptions, 'addresses' | 'service' | 'bodySha256'>,
  ): Promise<SigV4Verified> {
    await this.#keyring.refresh()
    const lookup = (kid: string) => this.#keyring.sigV4Signer(kid)
    return verifySigV4(claimed, { ...asked, lookup, hashing: nodeHashing })
  }

  /**
   * The same for a form with a signed policy.
   * @throws Refusal as `verifyPost` does
   */
  async verifyPost(claimed: PostClaimed, upload: PostUpload): Promise<PostVerified> {
    await this.#keyring.refresh()
    const lookup = (kid: string) => this.#keyring.sigV4Signer(kid)
    return verifyPost(claimed, upload, { lookup, hashing: nodeHashing })
  }

  /**
   * @param asOf when the key has to be in its time: now, unless what is attempted was begun earlier;
   *   where its end was changed since, it counts as it is now
   * @throws Refusal of the first stage that does not let the attempt pass
   */
  admit(
    grant: Grant,
    attempt: Attempt,
    requestId: string,
    asOf = attempt.now,
  ): Awaitable<Admitted> {
    const asked = asOf === attempt.now ? attempt : { ...attempt, now: asOf }
    return andThen(this.inForce(grant), (grant) => {
      const prohibited = clear(grant, asked) ?? shortenedSince(asOf, grant, attempt.now)
      if (prohibited !== undefined) throw prohibited
      return andThen(this.#gone(grant, attempt.path, attempt.now), (revoked) => {
        if (revoked !== undefined) throw revoked
        const admitted = { grant, attempt, requestId } as Admitted
        const isAsked = isPinned(grant) || countersOf(grant) !== undefined
        return isAsked ? this.#asked(admitted) : admitted
      })
    })
  }

  /** What costs more than looking is asked last: the PIN, then the usage plan. */
  async #asked(admitted: Admitted): Promise<Admitted> {
    const { grant, attempt } = admitted
    if (isPinned(grant)) await this.pins.check(grant, attempt)
    await this.plans.count(grant, attempt.now)
    return admitted
  }

  /**
   * The grant with the stored policies that hold for it now.
   * @throws Refusal policy_not_found, key_paused
   */
  inForce(grant: Grant): Awaitable<Grant> {
    return this.#policies.inForce(grant)
  }

  /**
   * The scopes in which the key is honoured now, at least one; admits to nothing, counts nothing.
   * @throws Refusal that every request of this holder would get
   */
  async honoured(grant: Grant, holder: Holder): Promise<readonly Scope[]> {
    const refusal = clearHolder(grant, holder)
    if (refusal !== undefined) throw refusal
    const honoured: Scope[] = []
    let revoked = new Refusal('path_not_granted', 'the blocks of the key have no path in common')
    for (const scope of scopesOfAll(grant.blocks) as readonly Scope[]) {
      const path = (scope === '/' ? '' : scope) as ObjectPath | Prefix
      const why = await this.revoked(grant, path, holder.now)
      if (why === undefined) honoured.push(scope)
      else revoked = why
    }
    if (honoured.length === 0) throw revoked
    return honoured
  }

  /** What a key has left of what it may use, move and create; nothing of what is not limited. */
  async left(grant: Grant): Promise<{ readonly [Kind in Limited]?: Left }> {
    const counters = countersOf(grant)
    if (counters === undefined) return {}
    const takenOf = (id: string) => this.#ledger.takenOf(id)
    const uses = await leastLeft(counters.uses, (id) => this.#ledger.usesOf(id))
    const bytes = await leastLeft(counters.bytes, takenOf)
    const files = await leastLeft(counters.files, takenOf)
    return { ...(uses && { uses }), ...(bytes && { bytes }), ...(files && { files }) }
  }

  /** How many uploads may be open under a key, see {@link openLimits}. */
  openLimits(grant: Grant, creates: boolean, most: number): Promise<readonly OpenLimit[]> {
    return openLimits(this.#ledger, grant, creates, most)
  }

  /** What whoever made the key says to whoever holds it. */
  async messageOf({ id }: Grant): Promise<string | undefined> {
    return (await this.#ledger.noteOf(id))?.message
  }

  /** Why the key is not honoured any more, though it once was. */
  revoked(
    grant: Grant,
    path: ObjectPath | Prefix,
    now: Attempt['now'],
  ): Awaitable<Refusal | undefined> {
    return andThen(this.#gone(grant, path, now), (revoked) => revoked ?? this.#changed(grant, now))
  }

  #gone(
    grant: Grant,
    path: ObjectPath | Prefix,
    now: Attempt['now'],
  ): Awaitable<Refusal | undefined> {
    return andThen(this.#keyring.refresh(), () => {
      const signer = this.#keyring.signer(grant.kid)
      if (signer === undefined) {
        return new Refusal('key_revoked', `its signing key "${grant.kid}" is not here any more`)
      }
      const { ids, subjects, issuedAt } = grant
      return andThen(this.#ledger.revocationOf({ ids, subjects, issuedAt, path }), (revocation) =>
        revocation ? revokedBy(revocation) : signerRefusal(signer, now),
      )
    })
  }

  /** Why a key is not honoured any more since what is kept beside it has changed. */
  #changed(grant: Grant, now: Attempt['now']): Awaitable<Refusal | undefined> {
    try {
      const inForce = this.inForce(grant.stated ?? grant)
      return inForce instanceof Promise
        ? inForce.then((current) => shortened(grant, current, now), refusalIn)
        : shortened(grant, inForce, now)
    } catch (error) {
      return refusalIn(error)
    }
  }

  /**
   * Takes of a key that allows only so much what the request is about to use; undefined for others.
   * @throws Refusal uses_exhausted, bytes_exhausted, files_exhausted, rate_limited
   */
  takeUse(admitted: Admitted, intent: Intent = {}): Awaitable<Use | undefined> {
    return andThen(takeUse(this.#ledger, this.plans, admitted, intent), (use) => {
      if (!use?.isCounted) return use
      this.#watcher.taken()
      use.onSettled = () => this.#tellUsedUp(admitted)
      return use
    })
  }

  /** What can't be known here costs a message, and no permission. */
  async #tellUsedUp({ grant, attempt }: Admitted): Promise<void> {
    try {
      for (const { id, most } of countersOf(grant)?.uses ?? []) {
        if ((await this.#ledger.usesOf(id)) >= most) this.#watcher.usedUp(id, attempt.address)
      }
    } catch {
      // the ledger does not answer: whoever asks it next will say so
    }
  }

  /**
   * Counts the bytes that come in under a key that may move only so many; undefined for others.
   * @param declared how many there are, where that is known
   * @throws Refusal bytes_exhausted, rate_limited
   */
  meter(
    grant: Grant,
    now: Attempt['now'],
    declared: number | undefined,
  ): Awaitable<Meter | undefined> {
    return Meter.start(this.#ledger, this.plans, grant, now, declared)
  }
}

type Limited = 'uses' | 'bytes' | 'files'
interface Left {
  readonly most: number
  readonly left: number
}

async function leastLeft(
  counters: readonly Counter[],
  countOf: (id: string) => Awaitable<number>,
): Promise<Left | undefined> {
  let least: Left | undefined
  for (const { id, most } of counters) {
    const left = Math.max(0, most - (await countOf(id)))
    if (least === undefined || left < least.left) least = { most, left }
  }
  return least
}

function revokedBy({ kind }: Revocation): Refusal {
  const what =
    kind === 'id'
      ? 'this key'
      : kind === 'everything'
        ? 'keys minted up to then'
        : `keys of this ${kind}`
  return new Refusal(
    'key_revoked',
    `${what} ${kind === 'id' ? 'was' : 'were'} revoked; ask for a new one`,
  )
}

function signerRefusal(signer: Signer, now: Attempt['now']): Refusal | undefined {
  try {
    checkSigner(signer, now)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

const shortenedSince = (
  then: Attempt['now'],
  grant: Grant,
  now: Attempt['now'],
): Refusal | undefined =>
  grant.stated !== undefined && (grant.changedAt ?? 0) > then
    ? shortened(grant.stated, grant, now)
    : undefined

function shortened(grant: Grant, { expires }: Grant, now: Attempt['now']): Refusal | undefined {
  if (now < expires || expires >= grant.expires) return undefined
  return new Refusal('key_expired', `the key was shortened to ${formatTime(expires)}`)
}

/** @throws what is no refusal */
function refusalIn(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
