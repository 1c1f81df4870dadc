/**
 * Proofs of PINs. A PIN is shown once, and a cookie says so afterwards; programs may show it with
 * every request. Wrong ones are counted in the ledger, so every process knows of them.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { parseAddress } from '../key/address.ts'
import { type Holder, pinnedIds } from '../key/clear.ts'
import { isPin, isRightPin } from '../key/node-pin.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { Seconds, UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Notes } from '../ledger/ledger.ts'
import { cookiesNamed } from './cookies.ts'

/** How long a PIN need not be shown again, in seconds. */
const PROOF_LIFE = 3600
/** A guess holds 32 MiB and a thread that files need as well. */
const MOST_AT_ONCE = 2
const MOST_WAITING = 64
const MOST_REMEMBERED = 1000

/** Too many wrong ones: how long to wait, in seconds. */
export class RateLimited extends Refusal {
  readonly wait: number

  constructor(detail: string, wait: number) {
    super('rate_limited', detail)
    this.wait = wait
  }
}

/** A cookie that proves one PIN. */
export interface Proof {
  readonly name: string
  readonly value: string
  /** seconds */
  readonly life: number
}

export class Pins {
  readonly #ledger: Notes
  readonly #keyring: Keyring
  readonly #secret = randomBytes(32)
  /** right ones that were shown with a request, by what only they lead to; until when */
  readonly #right = new Map<string, UnixSeconds>()
  /** the same asked several times at once is one guess */
  readonly #asked = new Map<string, Promise<void>>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(ledger: Notes, keyring: Keyring) {
    this.#ledger = ledger
    this.#keyring = keyring
  }

  /** @throws Refusal pin_required, pin_wrong, rate_limited, unavailable */
  async check(grant: Grant, holder: Holder): Promise<void> {
    const shown = holder.header('valetkey-pin')
    for (const id of pinnedIds(grant)) {
      if (await this.#isProven(id, grant, holder)) continue
      if (shown === undefined) {
        throw new Refusal('pin_required', 'send the PIN to /-/pin, or with the header Valetkey-Pin')
      }
      await this.#guess(id, shown, holder)
    }
  }

  /**
   * Proofs for the PIN of a key, for all of its PINs that it is; none where the key has no PIN.
   * @throws Refusal pin_wrong, rate_limited, unavailable
   */
  async prove(grant: Grant, pin: string, holder: Holder): Promise<readonly Proof[]> {
    const proofs: Proof[] = []
    let wrong: unknown
    for (const id of pinnedIds(grant)) {
      try {
        await this.#guess(id, pin, holder)
        proofs.push(await this.#proofOf(id, grant, holder.now))
      } catch (error) {
        wrong = error
      }
    }
    if (proofs.length === 0 && wrong !== undefined) throw wrong
    return proofs
  }

  async #isProven(id: string, grant: Grant, { header, now }: Holder): Promise<boolean> {
    const { pin } = (await this.#ledger.noteOf(id)) ?? {}
    if (pin === undefined) return false
    return cookiesNamed(nameOf(id), header('cookie')).some((value) => {
      const until = Number(/^(\d{1,15})\./.exec(value)?.[1])
      return until > now && areSame(value, this.#signed(id, until, pin, grant))
    })
  }

  async #proofOf(id: string, grant: Grant, now: UnixSeconds): Promise<Proof> {
    const { pin = '' } = (await this.#ledger.noteOf(id)) ?? {}
    const life = Math.min(PROOF_LIFE, grant.expires - now)
    return { name: nameOf(id), value: this.#signed(id, now + life, pin, grant), life }
  }

  /** Known to every process that holds the signing key; void when the PIN is another. */
  #signed(id: string, until: number, kept: string, { kid }: Grant): string {
    const secret = this.#keyring.secretOf(kid)?.secret
    if (secret === undefined) throw new Refusal('key_revoked', 'its signing key is gone')
    const key = createHmac('sha256', secret).update('vk1-pin').digest()
    const mac = createHmac('sha256', key).update(`${id}\n${until}\n${kept}`)
    return `${until}.${mac.digest('base64url')}`
  }

  /** @throws Refusal pin_wrong, rate_limited, unavailable */
  async #guess(id: string, pin: string, { address, now }: Holder): Promise<void> {
    const { pin: kept } = (await this.#ledger.noteOf(id)) ?? {}
    const place = networkOf(address)
    const mark = createHmac('sha256', this.#secret)
      .update(JSON.stringify([id, kept, pin]))
      .digest('base64url')
    if ((this.#right.get(mark) ?? 0) > now) {
      // one that is let pass where wrong ones are refused unseen would tell which is right
      allow(await this.#ledger.pinWait({ id, address: place, now }))
      return
    }
    const question = `${mark} ${place}`
    const asked = this.#asked.get(question) ?? this.#look(mark, id, pin, kept, place, now)
    this.#asked.set(question, asked)
    try {
      await asked
    } finally {
      this.#asked.delete(question)
    }
  }

  async #look(
    mark: string,
    id: string,
    pin: string,
    kept: string | undefined,
    address: string,
    now: UnixSeconds,
  ): Promise<void> {
    const isRight = await this.#inTurn(async () => {
      allow(await this.#ledger.tryPin({ id, address, now }))
      return isRightPin(isPin(pin) ? pin : '', kept)
    })
    if (!isRight) throw new Refusal('pin_wrong', 'this is not the PIN of the key')
    await this.#ledger.pinWasRight({ id, address, now })
    if (this.#right.size >= MOST_REMEMBERED) this.#right.clear()
    this.#right.set(mark, (now + PROOF_LIFE) as UnixSeconds)
  }

  async #inTurn<T>(guess: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) {
        throw new Refusal('unavailable', 'too many PINs are being looked at; try again in a moment')
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running += 1
    try {
      return await guess()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}

/** @throws RateLimited */
function allow(wait: Seconds): void {
  if (wait > 0) throw new RateLimited(`too many wrong PINs: try again in ${wait} seconds`, wait)
}

/** A browser has several keys at once, each with its own PIN. */
const nameOf = (id: string): string =>
  `vkpin-${createHash('sha256').update(id).digest('base64url').slice(0, 16)}`

function areSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Whoever has an IPv6 address may have all of its /48, which sites are given: they are one who guesses. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const bytes = Buffer.from(parseAddress(address) ?? [])
  const site = bytes.subarray(0, 6)
  // `::/48` is nobody's: IPv4 addresses are written in it, each of which is one of its own
  return site.every((byte) => byte === 0) ? bytes.toString('hex') : `${site.toString('hex')}/48`
}
