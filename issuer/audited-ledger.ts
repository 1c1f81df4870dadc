/** The ledger as whoever administers it sees it: every act is on record, or it is refused. */
import { type Act, type Actor, actRecord, mintRecord } from '../audit/acts.ts'
import type { AuditSink } from '../audit/audit.ts'
import { Refusal } from '../key/refusal.ts'
import { formatTime } from '../key/units.ts'
import type {
  KeyNote,
  Ledger,
  Revocation,
  Rule,
  RuleKind,
  SigningKeyRecord,
} from '../ledger/ledger.ts'

/**
 * Of each method, whether it is an act of somebody; `passes` are questions, what the gateway counts,
 * and housekeeping. A method that is added to the ledger does not compile until somebody decides.
 */
const METHODS = {
  version: 'passes',
  failure: 'passes',
  close: 'passes',
  revocationOf: 'passes',
  revoke: 'act',
  revocations: 'passes',
  purge: 'passes',
  lease: 'passes',
  settle: 'passes',
  usesOf: 'passes',
  take: 'passes',
  giveBack: 'passes',
  takenOf: 'passes',
  recordIssued: 'act',
  issued: 'passes',
  issuedByKid: 'passes',
  noteActivity: 'passes',
  keepNotes: 'act',
  noteOf: 'passes',
  rule: 'passes',
  rules: 'passes',
  hasRules: 'passes',
  setRule: 'act',
  amendRule: 'act',
  removeRule: 'act',
  tryPin: 'passes',
  pinWait: 'passes',
  pinWasRight: 'passes',
  signingKeys: 'passes',
  addSigningKey: 'act',
  setSigningKeyStatus: 'act',
  latestTime: 'passes',
  noteTime: 'passes',
  resetTime: 'act',
} as const satisfies Record<keyof Ledger, 'act' | 'passes'>

type Acts = {
  readonly [M in keyof Ledger as (typeof METHODS)[M] extends 'act' ? M : never]: Ledger[M]
}

/** Refused before it happens where it could not be written down, and when it turns out that it was not. */
function grantingWith(audit: AuditSink) {
  return async <T>(
    grant: () => Promise<T>,
    records: readonly string[] | ((granted: T) => readonly string[]),
  ): Promise<T> => {
    const trouble = audit.trouble()
    if (trouble !== undefined) throw trouble
    const result = await grant()
    try {
      const all = typeof records === 'function' ? records(result) : records
      await Promise.all(all.map((record) => audit.keep(record)))
    } catch (cause) {
      // 507 would say that nothing has changed
      const why = cause instanceof Refusal ? cause.detail : 'the audit failed'
      throw new Refusal('unavailable', `it was done, but ${why}`, { cause })
    }
    return result
  }
}

/**
 * What grants something is on record, or refused, see {@link grantingWith}. What takes something away
 * happens in any case: its record waits.
 */
export function auditedLedger(ledger: Ledger, audit: AuditSink, actor: Actor): Ledger {
  const kept = (act: Act): Promise<void> => audit.keep(actRecord(actor, act))
  const granting = grantingWith(audit)
  const acts: Acts = {
    recordIssued: (keys) =>
      granting(
        () => ledger.recordIssued(keys),
        keys.map((key) => mintRecord(actor, key)),
      ),
    keepNotes: (notes) =>
      granting(
        () => ledger.keepNotes(notes),
        notes.map((note) => actRecord(actor, noteAct(note))),
      ),
    setRule: (rule) => granting(() => ledger.setRule(rule), [actRecord(actor, ruleAct(rule))]),
    amendRule: (amendment) =>
      granting(
        () => ledger.amendRule(amendment),
        (rule) => [actRecord(actor, rule ? ruleAct(rule) : removedAct('key', amendment.name))],
      ),
    removeRule: async (kind, name) => {
      const wasThere = await ledger.removeRule(kind, name)
      if (wasThere) await Promise.allSettled([kept(removedAct(kind, name))])
      return wasThere
    },
    revoke: async (revocations) => {
      await ledger.revoke(revocations)
      await Promise.allSettled(revocations.map((revocation) => kept(revocationAct(revocation))))
    },
    addSigningKey: (record) =>
      granting(() => ledger.addSigningKey(record), [actRecord(actor, signingKeyAct(record))]),
    setSigningKeyStatus: async (kid, status, graceEnds) => {
      const isDone = await ledger.setSigningKeyStatus(kid, status, graceEnds)
      const until = graceEnds === undefined ? {} : { graceEnds: formatTime(graceEnds) }
      const act = { act: `signing-key ${status}`, kid, about: { status, ...until } }
      if (isDone) await Promise.allSettled([kept(act)])
      return isDone
    },
    resetTime: async (now) => {
      await ledger.resetTime(now)
      await Promise.allSettled([kept({ act: 'accept-clock', about: { now: formatTime(now) } })])
    },
  }
  return new Proxy(ledger, {
    get(target, name) {
      if (name in acts) return Reflect.get(acts, name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** What is said and asked, not in which words. */
const noteAct = ({ id, message, pin }: KeyNote): Act => ({
  act: 'note',
  keys: [id],
  about: { message: message !== undefined, pin: pin !== undefined },
})

function revocationAct({ kind, value, mintedUpTo, until, reason }: Revocation): Act {
  return {
    act: 'revoke',
    ...(kind === 'id' && { keys: [value] }),
    ...(kind === 'subject' && { subjects: [value] }),
    ...(kind === 'path' && { path: `/${value === '/' ? '' : value}` }),
    about: {
      kind,
      ...(mintedUpTo !== undefined && { mintedUpTo: formatTime(mintedUpTo) }),
      ...(until !== undefined && { until: formatTime(until) }),
      ...(reason !== undefined && { reason }),
    },
  }
}

const ruleAct = ({ kind, name, changedAt: _, ...about }: Rule): Act => ({
  act: `${kind} set`,
  ...(kind === 'key' && { keys: [name] }),
  about: { name, ...about },
})

const removedAct = (kind: RuleKind, name: string): Act => ({
  act: `${kind} removed`,
  about: { name },
})

const signingKeyAct = ({ kid, kind, status, ceiling }: SigningKeyRecord): Act => ({
  act: 'signing-key added',
  kid,
  about: { kind, status, ...(ceiling && { ceiling }) },
})
