/** A gateway in a process of its own, on the data folder of a house; run as a program, it is that process. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { Instance } from '../../database/instance.ts'
import { corsSection, gatewaySection, s3Section } from '../../gateway/config.ts'
import { startGateway } from '../../gateway/main.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import { bytes, secondsOf } from '../../key/units.ts'
import { Keyring } from '../../ledger/keyring.ts'
import type { Revocation } from '../../ledger/ledger.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import type { House } from './house.ts'

/** What the process is told to do; each call has one reply. */
interface Calls {
  readonly revoke: (revocations: readonly Revocation[]) => Promise<void>
  readonly revokeSigner: (kid: string) => Promise<void>
  /** resident memory, in bytes, after a collection; and the most there ever was */
  readonly memory: () => Promise<{ readonly now: number; readonly most: number }>
}

export interface GatewayProcess extends Calls {
  readonly port: number
  readonly url: string
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>
}

export async function startGatewayProcess({ folder, keyring }: House): Promise<GatewayProcess> {
  const key = keyring.secretOf('test')
  const child = fork(fileURLToPath(import.meta.url), [folder], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    env: { ...process.env, SECRET: Buffer.from(key?.secret ?? []).toString('base64') },
  })
  const [port] = (await once(child, 'message')) as [number]
  const call = async (name: keyof Calls, argument?: unknown): Promise<never> => {
    child.send({ name, argument })
    const [reply] = await once(child, 'message')
    return reply as never
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    revoke: (revocations) => call('revoke', revocations),
    revokeSigner: (kid) => call('revokeSigner', kid),
    memory: () => call('memory'),
    kill: () => killed(child),
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Linux tells of the highest; elsewhere the present must do. */
function mostResident(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  } catch {
    return process.memoryUsage.rss()
  }
}

async function main(folder: string): Promise<void> {
  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  const secret = Buffer.from(process.env.SECRET ?? '', 'base64')
  const gateway = await startGateway({
    settings: gatewaySection.parse({ listen: '127.0.0.1:0' }),
    cors: corsSection.parse({}),
    s3: s3Section.parse({}),
    publicUrls: [],
    ledger,
    keyring: await Keyring.open({
      folder: join(folder, 'secrets'),
      ledger,
      extra: [{ kid: 'test', secret }],
    }),
    store: await DiskStore.open({
      folder: join(folder, 'store'),
      instance,
      now: () => secondsOf(Date.now()),
      reserve: bytes(0),
    }),
    log: pino({ level: 'silent' }),
  })
  const calls: Calls = {
    revoke: (revocations) => ledger.revoke(revocations),
    revokeSigner: async (kid) => void (await ledger.setSigningKeyStatus(kid, 'revoked')),
    memory: async () => {
      globalThis.gc?.()
      return { now: process.memoryUsage.rss(), most: mostResident() }
    },
  }
  process.on('message', async ({ name, argument }: { name: keyof Calls; argument: never }) => {
    process.send?.((await calls[name](argument)) ?? null)
  })
  process.on('disconnect', () => process.exit())
  process.send?.(gateway.port)
}

const [, program, folder] = process.argv
if (program === fileURLToPath(import.meta.url) && folder !== undefined) await main(folder)
