/** `audit verify`: what it says, and how it ends. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readAuditKey } from '../../audit/key.ts'
import { auditFolderOf } from '../../audit/open.ts'
import { type Head, type Verdict, verifyAudit } from '../../audit/verify.ts'
import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { counted, printable } from '../format.ts'

/**
 * @param earlier a file with what `--json` printed before
 * @throws Failure where somebody has changed something
 */
export async function verify(cli: Cli, earlier?: string): Promise<void> {
  const heads = earlier === undefined ? [] : headsIn(cli, earlier)
  const key = readAuditKey(join(cli.dataPath, 'secrets'))
  if (key === undefined) {
    const where = cli.label(join(cli.dataPath, 'secrets', 'audit-key'))
    throw new Failure(`${where} is missing: nothing was ever audited here, or the key was removed`)
  }
  const verdict = await verifyAudit(auditFolderOf(cli.dataPath), key, heads)
  await cli.terminal.result(verdict, () => text(verdict))
  if (verdict.problems.length === 0) return
  throw new Failure(
    `the audit was changed: ${counted(verdict.problems.length, 'finding')}; keep the folder as it is, and compare it with an export or a backup`,
  )
}

const Earlier = z.object({
  heads: z.array(z.object({ file: z.string(), seq: z.int(), seal: z.string() })),
})

function headsIn(cli: Cli, file: string): readonly Head[] {
  const text = readFileSync(cli.resolve(file), 'utf8')
  try {
    return Earlier.parse(JSON.parse(text)).heads
  } catch (cause) {
    throw new Failure(`${printable(file)} is not what valetkey audit verify --json printed`, {
      cause,
    })
  }
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
