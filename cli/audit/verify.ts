/** `audit verify`: what it says, and how it ends. */
import { join } from 'node:path'
import { readAuditKey } from '../../audit/key.ts'
import { auditFolderOf } from '../../audit/open.ts'
import { type Verdict, verifyAudit } from '../../audit/verify.ts'
import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { counted, printable } from '../format.ts'

/** @throws Failure where somebody has changed something */
export async function verify(cli: Cli): Promise<void> {
  const key = readAuditKey(join(cli.dataPath, 'secrets'))
  if (key === undefined) {
    const where = cli.label(join(cli.dataPath, 'secrets', 'audit-key'))
    throw new Failure(`${where} is missing: nothing was ever audited here, or the key was removed`)
  }
  const verdict = await verifyAudit(auditFolderOf(cli.dataPath), key)
  await cli.terminal.result(verdict, () => text(verdict))
  if (verdict.problems.length === 0) return
  throw new Failure(
    `the audit was changed: ${counted(verdict.problems.length, 'finding')}; keep the folder as it is, and compare it with an export or a backup`,
  )
}

const text = ({ files, records, problems, notes, heads }: Verdict): string =>
  [
    ...problems.map(({ file, what }) => `changed  ${file}: ${printable(what)}`),
    ...notes.map(({ file, what }) => `note     ${file}: ${printable(what)}`),
    `${counted(records, 'record')} in ${counted(files, 'file')} ${problems.length === 0 ? 'are as they were written' : 'are genuine'}`,
    ...heads.map(({ file, seq, seal }) => `ends     ${file}: seal ${seq}, ${seal}`),
  ]
    .map((line) => `${line}\n`)
    .join('')
