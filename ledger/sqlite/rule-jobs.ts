/** Rules: what is written, on the writer's thread, and what is read. */
import type { Database } from '../../database/open.ts'
import type { Amendment, Rule, RuleKind, RuleOf } from '../ledger.ts'
import { amendedRule } from '../rule-of-key.ts'
import { fromRule, type RuleColumns, toRule } from './rows.ts'

export function ruleWriter(db: Database): (rule: Rule) => void {
  const put = db.prepare('INSERT OR REPLACE INTO rules VALUES (:kind, :name, :value, :changed_at)')
  return (rule) => void put.run(fromRule(rule))
}

/** @param changed told of every change: whoever keeps a copy looks again */
export function ruleJobs(db: Database, changed: () => void) {
  const put = ruleWriter(db)
  const remove = db.prepare('DELETE FROM rules WHERE kind = ? AND name = ?')
  const { rule } = ruleReads(db)
  return {
    setRule(rule: Rule): void {
      put(rule)
      changed()
    },

    amendRule(amendment: Amendment): RuleOf<'key'> | undefined {
      const amended = amendedRule(rule('key', amendment.name), amendment)
      if (amended === undefined) remove.run('key', amendment.name)
      else put(amended)
      changed()
      return amended
    },

    removeRule({ kind, name }: { kind: RuleKind; name: string }): boolean {
      const wasThere = remove.run(kind, name).changes > 0
      if (wasThere) changed()
      return wasThere
    },
  }
}

export function ruleReads(db: Database) {
  const one = db.prepare<[string, string], RuleColumns>(
    'SELECT * FROM rules WHERE kind = ? AND name = ?',
  )
  const all = db.prepare<[string], RuleColumns>('SELECT * FROM rules WHERE kind = ? ORDER BY name')
  const some = db
    .prepare<[string], number>('SELECT EXISTS (SELECT 1 FROM rules WHERE kind = ?)')
    .pluck()
  return {
    rule: <Kind extends RuleKind>(kind: Kind, name: string): RuleOf<Kind> | undefined => {
      const row = one.get(kind, name)
      return row && (toRule(row) as RuleOf<Kind>)
    },
    rules: <Kind extends RuleKind>(kind: Kind): RuleOf<Kind>[] =>
      all.all(kind).map((row) => toRule(row) as RuleOf<Kind>),
    hasRules: (kind: RuleKind): boolean => some.get(kind) === 1,
  }
}
