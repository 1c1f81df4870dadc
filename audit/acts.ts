/** Records of what is granted, revoked, or done with signing keys. */
import { formatTime, type UnixSeconds } from '../key/units.ts'
import type { AuditRecord } from './audit.ts'
import { asJson } from './text.ts'

/** Who does it, and by which request. */
export type Actor = Pick<AuditRecord, 'by' | 'id' | 'who' | 'address'>

export type Act = Pick<AuditRecord, 'act' | 'path' | 'keys' | 'kid' | 'subjects' | 'about'>

/** The members of its record. */
export const actRecord = ({ by, ...actor }: Actor, act: Act): string =>
  asJson({ kind: 'act', by, ...actor, ...act }).slice(1, -1)

/** The members of the record that an object is being changed, or of what became of that: `done`, `undone`. */
export const changeRecord = ({ by, ...actor }: Actor, change: Act): string =>
  asJson({ kind: 'change', by, ...actor, ...change }).slice(1, -1)

/** What is said of a key that is handed out: all but the key. */
export interface Granted {
  readonly id: string
  readonly kid: string
  readonly subjects: readonly string[]
  readonly paths: readonly string[]
  readonly methods: readonly string[]
  readonly expires: UnixSeconds
  readonly uses?: number
  readonly issuedBy: string
}

export const mintRecord = (
  actor: Actor,
  { id, kid, subjects, paths, methods, expires, uses, issuedBy }: Granted,
): string =>
  actRecord(
    { who: issuedBy, ...actor },
    {
      act: 'mint',
      keys: [id],
      kid,
      ...(subjects.length > 0 && { subjects }),
      about: { paths, methods, expires: formatTime(expires), ...(uses !== undefined && { uses }) },
    },
  )
