/** Another process on a ledger, driven by messages; run as a program, it is that process. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Instance } from '../../database/instance.ts'
import type {
  AllowanceRequest,
  Allowances,
  LeaseOutcome,
  LeaseRequest,
  Revocation,
} from '../../ledger/ledger.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'

/** A transfer that takes what it may need, and gives back what it did not. */
export interface Trial {
  readonly request: AllowanceRequest
  /** of what it takes; 0: it breaks off before anything moved */
  readonly used: number
}

/** Runs them all at once; how much each has used. */
export const runTrials = (ledger: Allowances, trials: readonly Trial[]): Promise<number[]> =>
  Promise.all(
    trials.map(async ({ request, used }) => {
      const { granted } = await ledger.take(request)
      if (granted === 0) return 0
      const ids = request.of.map(({ id }) => id)
      if (used < granted) await ledger.giveBack(ids, granted - used)
      return Math.min(used, granted)
    }),
  )

interface Calls {
  readonly lease: (requests: readonly LeaseRequest[]) => Promise<readonly LeaseOutcome[]>
  /** Runs all of these at once; how much each has used. */
  readonly take: (trials: readonly Trial[]) => Promise<readonly number[]>
  /** Starts to revoke; says so when it is acknowledged. */
  readonly revoke: (revocations: readonly Revocation[]) => Promise<void>
}

export interface LedgerProcess extends Calls {
  readonly instance: string
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>
}

/** @param folder holds the database and the instances' locks, as {@link openIn} lays them out */
export async function startLedgerProcess(folder: string): Promise<LedgerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [folder], { execArgv: ['--import', 'tsx'] })
  const [instance] = (await once(child, 'message')) as [string]
  const call = async (name: string, argument: unknown): Promise<never> => {
    child.send({ name, argument })
    const [reply] = await once(child, 'message')
    return reply as never
  }
  return {
    instance,
    lease: (requests) => call('lease', requests),
    take: (trials) => call('take', trials),
    revoke: (revocations) => call('revoke', revocations),
    kill: () => killed(child),
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

export async function openIn(
  folder: string,
): Promise<{ readonly ledger: SqliteLedger; readonly instance: Instance }> {
  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  return { ledger, instance }
}

async function main(folder: string): Promise<void> {
  const { ledger, instance } = await openIn(folder)
  const calls: Calls = {
    lease: (requests) => Promise.all(requests.map((request) => ledger.lease(request))),
    take: (trials) => runTrials(ledger, trials),
    revoke: (revocations) => ledger.revoke(revocations),
  }
  process.on('message', async ({ name, argument }: { name: keyof Calls; argument: never }) => {
    process.send?.((await calls[name](argument)) ?? null)
  })
  process.send?.(instance.id)
}

const [, program, folder] = process.argv
if (program === fileURLToPath(import.meta.url) && folder !== undefined) await main(folder)
