/** What the issuer answers, as far as the console reads it: see its OpenAPI document. */

export type Claims = Readonly<Record<string, unknown>>

export interface NewKey {
  readonly id: string
  /** a secret, as the URL is */
  readonly key: string
  readonly url: string
  readonly path: string | readonly string[]
  readonly methods: readonly string[]
  /** Unix seconds, as all times */
  readonly expires: number
}

export interface IssuedKey {
  readonly id: string
  readonly kid: string
  readonly subjects: readonly string[]
  readonly paths: readonly string[]
  readonly methods: readonly string[]
  readonly issuedAt: number
  readonly expires: number
  readonly uses?: number
  readonly issuedBy: string
  readonly counted: number
  readonly activity?: {
    readonly lastUsed: number
    readonly lastAddress: string
    readonly requests: number
    readonly bytesOut: number
    readonly bytesIn: number
  }
  /** what holds beside the key */
  readonly rule?: { readonly claims: { readonly exp?: number }; readonly paused?: boolean }
  readonly revocation?: { readonly revokedAt: number; readonly reason?: string }
}

export interface AuditRecord {
  readonly time: string
  readonly kind: string
  readonly by: string
  readonly id?: string
  readonly act: string
  readonly path?: string
  readonly keys?: readonly string[]
  readonly subjects?: readonly string[]
  readonly narrowedFor?: readonly string[]
  readonly who?: string
  readonly address?: string
  readonly status?: number
  readonly code?: string
  readonly in?: number
  readonly out?: number
}

export interface AuditPage {
  readonly records: readonly AuditRecord[]
  readonly next: string | null
}

export interface StorageEntry {
  readonly path: string
  readonly objects: number
  readonly bytes: number
  readonly complete: boolean
}

export interface Level {
  readonly prefix: string
  readonly entries: readonly StorageEntry[]
  readonly complete: boolean
}

export interface SigningKey {
  readonly kid: string
  readonly kind: string
  readonly status: 'active' | 'retiring' | 'revoked'
  readonly secret: string
  readonly createdAt?: number
  readonly graceEnds?: number
}

export interface Condition {
  readonly ok: boolean
  readonly detail?: string
}

export interface Status {
  readonly version: string
  readonly node: string
  readonly now: number
  readonly startedAt: number
  readonly publicUrl: string
  readonly ledger: Condition
  readonly audit: Condition
  readonly gateway: Condition
  readonly defaultExpires: number
  readonly maxExpires: number
}
