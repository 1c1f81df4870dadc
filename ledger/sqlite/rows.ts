/** Rows of the database <-> what the contract speaks of. */

import type { AllowanceRow } from '../allowance-rules.ts'
import type { LeaseRow } from '../lease-rules.ts'
import type {
  Activity,
  IssuedKey,
  IssuedKeyState,
  KeyNote,
  Revocation,
  Rule,
  RuleOf,
  SigningKeyRecord,
} from '../ledger.ts'

/** A column that may be null, as a member that may be absent. */
const optional = <Name extends string, T>(name: Name, value: T | null): { [N in Name]?: T } =>
  value === null ? {} : ({ [name]: value } as { [N in Name]?: T })

export interface RevocationColumns {
  kind: Revocation['kind']
  value: string
  minted_up_to: Revocation['revokedAt'] | null
  revoked_at: Revocation['revokedAt']
  until: Revocation['revokedAt'] | null
  reason: string | null
}

export const toRevocation = (row: RevocationColumns): Revocation => ({
  kind: row.kind,
  value: row.value,
  revokedAt: row.revoked_at,
  ...optional('mintedUpTo', row.minted_up_to),
  ...optional('until', row.until),
  ...optional('reason', row.reason),
})

export const fromRevocation = (revocation: Revocation): RevocationColumns => ({
  kind: revocation.kind,
  value: revocation.value,
  minted_up_to: revocation.mintedUpTo ?? null,
  revoked_at: revocation.revokedAt,
  until: revocation.until ?? null,
  reason: revocation.reason ?? null,
})

export interface LeaseColumns {
  started: LeaseRow['started']
  holder: string | null
  etag: string | null
  size: number | null
  sent: number
  coverage: string
  done: 0 | 1
}

export const toLeaseRow = (row: LeaseColumns): LeaseRow => ({
  started: row.started,
  ...optional('holder', row.holder),
  ...(row.etag !== null && row.size !== null && { content: { etag: row.etag, size: row.size } }),
  sent: row.sent,
  coverage: JSON.parse(row.coverage) as LeaseRow['coverage'],
  done: row.done === 1,
})

export const fromLeaseRow = (row: LeaseRow): LeaseColumns => ({
  started: row.started,
  holder: row.holder ?? null,
  etag: row.content?.etag ?? null,
  size: row.content?.size ?? null,
  sent: row.sent,
  coverage: JSON.stringify(row.coverage),
  done: row.done ? 1 : 0,
})

export interface AllowanceColumns {
  taken: number
  at: AllowanceRow['at']
  until: AllowanceRow['at'] | null
}

export const toAllowanceRow = ({ taken, at, until }: AllowanceColumns): AllowanceRow => ({
  taken,
  at,
  ...optional('until', until),
})

export interface RuleColumns {
  kind: Rule['kind']
  name: string
  value: string
  changed_at: Rule['changedAt']
}

export const toRule = ({ kind, name, value, changed_at }: RuleColumns): Rule =>
  ({ kind, name, changedAt: changed_at, ...(JSON.parse(value) as object) }) as Rule

export const fromRule = ({ kind, name, changedAt, ...value }: Rule): RuleColumns => ({
  kind,
  name,
  value: JSON.stringify(value),
  changed_at: changedAt,
})

export interface IssuedColumns {
  number: number
  id: string
  kid: string
  subjects: string
  paths: string
  methods: string
  issued_at: IssuedKey['issuedAt']
  expires: IssuedKey['expires']
  uses: number | null
  issued_by: string
  claims: string | null
}

export const toIssuedKey = (row: IssuedColumns): IssuedKey => ({
  id: row.id,
  kid: row.kid,
  subjects: JSON.parse(row.subjects) as IssuedKey['subjects'],
  paths: JSON.parse(row.paths) as IssuedKey['paths'],
  methods: JSON.parse(row.methods) as IssuedKey['methods'],
  issuedAt: row.issued_at,
  expires: row.expires,
  ...optional('uses', row.uses),
  issuedBy: row.issued_by,
  ...(row.claims !== null && {
    claims: JSON.parse(row.claims) as NonNullable<IssuedKey['claims']>,
  }),
})

export const fromIssuedKey = (key: IssuedKey): Omit<IssuedColumns, 'number'> => ({
  id: key.id,
  kid: key.kid,
  subjects: JSON.stringify(key.subjects),
  paths: JSON.stringify(key.paths),
  methods: JSON.stringify(key.methods),
  issued_at: key.issuedAt,
  expires: key.expires,
  uses: key.uses ?? null,
  issued_by: key.issuedBy,
  claims: key.claims === undefined ? null : JSON.stringify(key.claims),
})

/** An issued key together with its activity, where it has any, and its uses. */
export interface IssuedStateColumns extends IssuedColumns {
  counted: number
  last_used: Activity['lastUsed'] | null
  last_address: string
  requests: number
  bytes_out: number
  bytes_in: number
  /** of the rule for this key */
  value: string | null
  changed_at: Rule['changedAt']
}

export const toIssuedState = (row: IssuedStateColumns): Omit<IssuedKeyState, 'revocation'> => ({
  ...toIssuedKey(row),
  counted: row.counted,
  ...(row.value !== null && {
    rule: toRule({ ...row, kind: 'key', name: row.id, value: row.value }) as RuleOf<'key'>,
  }),
  ...(row.last_used !== null && {
    activity: {
      id: row.id,
      lastUsed: row.last_used,
      lastAddress: row.last_address,
      requests: row.requests,
      bytesOut: row.bytes_out,
      bytesIn: row.bytes_in,
    },
  }),
})

export interface NoteColumns {
  id: string
  message: string | null
  pin: string | null
}

export const toNote = (row: NoteColumns): KeyNote => ({
  id: row.id,
  ...optional('message', row.message),
  ...optional('pin', row.pin),
})

export const fromNote = ({ id, message, pin }: KeyNote): NoteColumns => ({
  id,
  message: message ?? null,
  pin: pin ?? null,
})

export interface SigningKeyColumns {
  kid: string
  kind: SigningKeyRecord['kind']
  status: SigningKeyRecord['status']
  created_at: SigningKeyRecord['createdAt']
  grace_ends: SigningKeyRecord['createdAt'] | null
  ceiling: string | null
}

export const toSigningKeyRecord = (row: SigningKeyColumns): SigningKeyRecord => ({
  kid: row.kid,
  kind: row.kind,
  status: row.status,
  createdAt: row.created_at,
  ...optional('graceEnds', row.grace_ends),
  ...(row.ceiling !== null && {
    ceiling: JSON.parse(row.ceiling) as NonNullable<SigningKeyRecord['ceiling']>,
  }),
})

export const fromSigningKeyRecord = (record: SigningKeyRecord): SigningKeyColumns => ({
  kid: record.kid,
  kind: record.kind,
  status: record.status,
  created_at: record.createdAt,
  grace_ends: record.graceEnds ?? null,
  ceiling: record.ceiling === undefined ? null : JSON.stringify(record.ceiling),
})
