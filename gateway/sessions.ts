/**
 * Temporary S3 credentials that this gateway makes: for whoever has credentials already, of which
 * they can do at most as much, and for whoever has a token of a configured identity provider.
 */

import { randomBytes } from 'node:crypto'
import { mintRecord } from '../audit/acts.ts'
import type { AuditSink } from '../audit/audit.ts'
import { type Block, METHODS, scopesOf } from '../key/claims.ts'
import { mintSession, type SessionCredentials, sessionFor } from '../key/dialects/session.ts'
import { nodeMac } from '../key/node-mac.ts'
import type { Scope } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import { later, type Seconds, type UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { IssuedKey, IssuedKeys } from '../ledger/ledger.ts'
import type { Identities, WebIdentity } from './identities.ts'

/** What is asked for, by whoever asks. */
export interface SessionAsked {
  readonly now: UnixSeconds
  readonly duration: Seconds
  /** whom the credentials are for */
  readonly subject: string
  /** only narrows */
  readonly policy?: Block
}

/** Does not begin with a dash, so that it can stand on a command line. */
function newId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newId() : id
}

export class Sessions {
  readonly #keyring: Keyring
  readonly #ledger: IssuedKeys
  readonly #identities: Identities
  readonly #audit: AuditSink

  constructor(keyring: Keyring, ledger: IssuedKeys, identities: Identities, audit: AuditSink) {
    this.#keyring = keyring
    this.#ledger = ledger
    this.#identities = identities
    this.#audit = audit
  }

  /**
   * @param sessionToken of the caller, where its own credentials are temporary
   * @throws Refusal key_malformed where a token can not be narrowed further
   */
  async ofCaller(
    grant: Grant,
    sessionToken: string | undefined,
    asked: SessionAsked,
  ): Promise<SessionCredentials> {
    await this.#keyring.refresh()
    const signingKey = this.#keyring.secretOf(grant.kid)
    if (signingKey === undefined) throw new Refusal('key_revoked', 'its signing key is gone')
    const caller = { grant, signingKey, ...(sessionToken !== undefined && { sessionToken }) }
    const credentials = sessionFor(caller, { ...asked, id: newId() }, nodeMac)
    const blocks = [...grant.blocks, ...(asked.policy === undefined ? [] : [asked.policy])]
    await this.#record(credentials, asked, {
      kid: grant.kid,
      subjects: [...grant.subjects, asked.subject],
      paths: scopesOf(blocks.findLast(({ path }) => path !== undefined)?.path ?? '/') as Scope[],
      methods: METHODS.filter((method) =>
        blocks.every(({ methods }) => methods === undefined || methods.includes(method)),
      ),
      issuedBy: `key ${grant.grantedId}`,
    })
    return credentials
  }

  /** @throws Refusal as `Identities.verify` does; key_malformed for a subject too long */
  async ofIdentity(
    token: string,
    asked: Omit<SessionAsked, 'subject'>,
  ): Promise<{ readonly credentials: SessionCredentials; readonly identity: WebIdentity }> {
    const identity = await this.#identities.verify(token, asked.now)
    await this.#keyring.refresh()
    const signingKey = this.#keyring.active()
    const { subject, path } = identity
    const claims = {
      jti: newId(),
      iat: asked.now,
      exp: later(asked.now, asked.duration),
      path,
      methods: [...METHODS],
      sub: subject,
    }
    const credentials = mintSession(claims, signingKey, nodeMac, asked.policy)
    await this.#record(credentials, asked, {
      kid: signingKey.kid,
      subjects: [subject],
      paths: [path as Scope],
      methods: asked.policy?.methods ?? METHODS,
      issuedBy: `identity ${identity.issuer}`,
    })
    return { credentials, identity }
  }

  /** Nothing is handed out that is not on record. @throws Refusal */
  async #record(
    { accessKeyId, expires }: SessionCredentials,
    { now }: Pick<SessionAsked, 'now'>,
    facts: Pick<IssuedKey, 'kid' | 'subjects' | 'paths' | 'methods' | 'issuedBy'>,
  ): Promise<void> {
    const issued = { ...facts, id: accessKeyId, issuedAt: now, expires }
    await this.#ledger.recordIssued([issued])
    await this.#audit.keep(mintRecord({ by: 'gateway' }, issued))
  }
}
