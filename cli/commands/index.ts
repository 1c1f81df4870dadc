import type { Command } from 'commander'
import type { Cli } from '../cli.ts'

/** Adds a command, with those below it, to the program. */
export type AddCommand = (program: Command, cli: Cli) => void

/** By name, in the order in which `--help` lists them; each is loaded when it is asked for. */
export const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['serve', async () => (await import('./serve.ts')).addServe],
  ['mint', async () => (await import('./mint.ts')).addMint],
  ['share', async () => (await import('./share.ts')).addShare],
  ['request', async () => (await import('./request.ts')).addRequest],
  ['narrow', async () => (await import('./narrow.ts')).addNarrow],
  ['inspect', async () => (await import('./inspect.ts')).addInspect],
  ['explain', async () => (await import('./explain.ts')).addExplain],
  ['revoke', async () => (await import('./revoke.ts')).addRevoke],
  ['renew', async () => (await import('./renew.ts')).addRenew],
  ['pause', async () => (await import('./renew.ts')).addPause],
  ['resume', async () => (await import('./renew.ts')).addResume],
  ['replace', async () => (await import('./renew.ts')).addReplace],
  ['issued', async () => (await import('./issued.ts')).addIssued],
  ['audit', async () => (await import('./audit.ts')).addAudit],
  ['events', async () => (await import('./events.ts')).addEvents],
  ['keys', async () => (await import('./keys.ts')).addKeys],
  ['policies', async () => (await import('./policies.ts')).addPolicies],
  ['plans', async () => (await import('./policies.ts')).addPlans],
  ['put', async () => (await import('./put.ts')).addPut],
  ['get', async () => (await import('./get.ts')).addGet],
  ['ls', async () => (await import('./ls.ts')).addLs],
  ['rm', async () => (await import('./rm.ts')).addRm],
  ['import', async () => (await import('./import.ts')).addImport],
  ['export', async () => (await import('./export.ts')).addExport],
  ['scrub', async () => (await import('./scrub.ts')).addScrub],
  ['backup', async () => (await import('./backup.ts')).addBackup],
  ['restore', async () => (await import('./restore.ts')).addRestore],
  ['doctor', async () => (await import('./doctor.ts')).addDoctor],
])
