/** What the gateway would decide of a request, stage by stage: for the owner only, since it tells. */
import { clear, isPinned } from '../key/clear.ts'
import { countersOf } from '../key/counters.ts'
import { type ObjectPath, targetOf } from '../key/object-path.ts'
import { Refusal, type RefusalCode } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import { formatTime } from '../key/units.ts'
import type { Allowances, Leases } from '../ledger/ledger.ts'
import type { Gatekeeper } from './admit.ts'
import { attemptOf } from './attempt.ts'
import { claimOf } from './protocols/claim.ts'
import { type Action, actionOf } from './protocols/native.ts'
import { asRefusal } from './protocols/problem.ts'
import { type RawRequest, rawRequestOf } from './request.ts'
import type { Clock } from './services.ts'
import type { Store } from './store/store.ts'

export interface Stage {
  readonly stage:
    | 'request'
    | 'key'
    | 'signature'
    | 'restrictions'
    | 'revocation'
    | 'uses'
    | 'object'
  readonly passed: boolean
  /** of a stage that refuses */
  readonly code?: RefusalCode
  readonly detail: string
}

/** A request that nobody has sent, as its URL and a few facts describe it. */
export interface Question {
  readonly method: string
  /** an absolute URL, or a request target */
  readonly url: string
  /** lower-case names */
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string
  readonly tls?: boolean
}

interface Witnesses {
  readonly gatekeeper: Gatekeeper
  readonly ledger: Leases & Allowances
  readonly store: Store
  readonly clock: Clock
  readonly basePath: string
}

/** The stages up to and including the first that refuses; nothing is counted or changed. */
export async function explain(question: Question, witnesses: Witnesses): Promise<readonly Stage[]> {
  const told: Stage[] = []
  const stages = new Explanation(question, witnesses).stages()
  for (const [stage, ask] of stages) {
    try {
      told.push({ stage, passed: true, detail: await ask() })
    } catch (error) {
      const { code, detail } = asRefusal(error)
      told.push({ stage, passed: false, code, detail })
      break
    }
  }
  return told
}

class Explanation {
  readonly #question: Question
  readonly #witnesses: Witnesses
  #request!: RawRequest
  #action!: Action
  #grant!: Grant

  constructor(question: Question, witnesses: Witnesses) {
    this.#question = question
    this.#witnesses = witnesses
  }

  stages(): readonly (readonly [Stage['stage'], () => string | Promise<string>])[] {
    return [
      ['request', () => this.#readRequest()],
      ['key', () => this.#readKey()],
      ['signature', () => this.#verify()],
      ['restrictions', () => this.#clear()],
      ['revocation', () => this.#askRevocation()],
      ['uses', () => this.#askUses()],
      ['object', () => this.#askObject()],
    ]
  }

  #readRequest(): string {
    const { method, url, headers } = this.#question
    this.#request = rawRequestOf(method, url, headers ?? {}, this.#witnesses.basePath)
    this.#action = actionOf(this.#request)
    return `${this.#action.method} ${targetOf(this.#action.path)}`
  }

  #readKey(): string {
    const { key } = claimOf(this.#request)
    return `one key of ${key.length} characters`
  }

  async #verify(): Promise<string> {
    this.#grant = await this.#witnesses.gatekeeper.verify(claimOf(this.#request))
    const { kid, id, subjects } = this.#grant
    return `signed by "${kid}"; id ${id}${subjects.length > 0 ? `, for ${subjects.join(', ')}` : ''}`
  }

  #attempt() {
    const client = {
      address: this.#question.address ?? '127.0.0.1',
      tls: this.#question.tls ?? false,
    }
    return attemptOf(this.#action, this.#request, client, this.#witnesses.clock.now())
  }

  async #clear(): Promise<string> {
    this.#grant = await this.#witnesses.gatekeeper.inForce(this.#grant)
    const refusal = clear(this.#grant, this.#attempt())
    if (refusal !== undefined) throw refusal
    const pin = isPinned(this.#grant) ? '; its PIN has to be proven as well' : ''
    return `every block admits it; valid until ${formatTime(this.#grant.expires)}${pin}`
  }

  async #askRevocation(): Promise<string> {
    const { path, now } = this.#attempt()
    const refusal = await this.#witnesses.gatekeeper.revoked(this.#grant, path, now)
    if (refusal !== undefined) throw refusal
    return 'neither the key nor its signing key is revoked'
  }

  async #askUses(): Promise<string> {
    const { ledger } = this.#witnesses
    const { uses = [], bytes = [], files = [] } = countersOf(this.#grant) ?? {}
    const told: string[] = []
    for (const { id, most } of uses) {
      const used = await ledger.usesOf(id)
      told.push(`${id}: ${used} of ${most} used`)
      if (used < most) continue
      const why = `${told.join('; ')} (a broken download may still be resumed)`
      throw new Refusal('uses_exhausted', why)
    }
    for (const { id, most } of [...bytes, ...files]) {
      const taken = await ledger.takenOf(id)
      told.push(`${id}: ${taken} of ${most} taken`)
      if (taken < most) continue
      throw new Refusal(
        id.startsWith('bytes:') ? 'bytes_exhausted' : 'files_exhausted',
        told.join('; '),
      )
    }
    return told.join('; ') || 'not limited'
  }

  async #askObject(): Promise<string> {
    const { method, kind, path } = this.#action
    if (kind === 'prefix') return 'a listing'
    const info = await this.#witnesses.store.head(path as ObjectPath)
    if (info !== undefined) return `there: ${info.size} bytes, ${info.type}, ETag ${info.etag}`
    if (method === 'GET') throw new Refusal('object_not_found', 'there is no object of this name')
    return 'not there'
  }
}
