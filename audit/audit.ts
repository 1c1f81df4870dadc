/**
 * The contract of the audit: what was asked, by whom, and what became of it. Documented, no logic.
 *
 * A record is one line of JSON, appended to a file of the process that makes it; see docs/audit.md
 * for the files, the seals, and what a record promises.
 */
import type { Refusal } from '../key/refusal.ts'

/**
 * What a record is about: `request` a request, when its response had ended; `change` an object that
 * is being changed; `act` what was granted, revoked or done with signing keys; `note` the audit itself.
 */
export type AuditKind = 'request' | 'change' | 'act' | 'note'

/** A record as it is read back. What does not apply is not there. */
export interface AuditRecord {
  /** when it was written down: RFC 3339, UTC, with milliseconds */
  readonly time: string
  readonly kind: AuditKind
  readonly by: 'gateway' | 'issuer' | 'cli' | 'audit'
  /** the request's id, which its response bears as well */
  readonly id?: string
  /** the HTTP method, or the name of the act, such as `mint` */
  readonly act: string
  /** as in a URL, percent-encoded, with a leading slash and without a query */
  readonly path?: string
  /** the key's ids: first that of what was handed out, then those that its holders stated */
  readonly keys?: readonly string[]
  /** the signing key */
  readonly kid?: string
  /** whom it was handed out to */
  readonly subjects?: readonly string[]
  /** whom those who narrowed it say that it is for */
  readonly narrowedFor?: readonly string[]
  /** who did it, where it was no key: `admin`, or the user of the machine */
  readonly who?: string
  readonly address?: string
  /** of the response; absent where none was sent */
  readonly status?: number
  /** of the refusal, see docs/refusals.md */
  readonly code?: string
  /** bytes of content received */
  readonly in?: number
  /** bytes of content sent */
  readonly out?: number
  /** milliseconds that it took */
  readonly ms?: number
  /** the client went away before the response was sent whole */
  readonly broken?: true
  /** the trace id of the request's `traceparent` (W3C Trace Context) */
  readonly trace?: string
  /** what else there is to say of an act or a change, such as an expiry or a digest */
  readonly about?: Readonly<Record<string, unknown>>
}

/** Where records go. What is handed over are the members of a record but its time: `"kind":"act",…`. */
export interface AuditSink {
  /** Written within 100 ms. Costs the caller an addition to a text. */
  note(members: string): void
  /**
   * Resolves when the record, and all before it, would survive a power cut.
   * @throws Refusal storage_full or unavailable; where the disk was full, the record is kept in
   *   memory and written when there is room, unless too many are held already
   */
  keep(members: string): Promise<void>
  /** How long the oldest record has waited to be written, in milliseconds. */
  lag(): number
  /** Why records can't be written now; undefined while all is well. */
  trouble(): Refusal | undefined
  /** Writes what was handed over, durably. Idempotent. */
  close(): Promise<void>
}

/** For those who keep no audit. */
export const NO_AUDIT: AuditSink = {
  note: () => {},
  keep: async () => {},
  lag: () => 0,
  trouble: () => undefined,
  close: async () => {},
}
