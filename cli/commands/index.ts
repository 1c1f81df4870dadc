import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { addAudit } from './audit.ts'
import { addBackup } from './backup.ts'
import { addDoctor } from './doctor.ts'
import { addEvents } from './events.ts'
import { addExplain } from './explain.ts'
import { addExport } from './export.ts'
import { addGet } from './get.ts'
import { addImport } from './import.ts'
import { addInspect } from './inspect.ts'
import { addIssued } from './issued.ts'
import { addKeys } from './keys.ts'
import { addLs } from './ls.ts'
import { addMint } from './mint.ts'
import { addNarrow } from './narrow.ts'
import { addPlans, addPolicies } from './policies.ts'
import { addPut } from './put.ts'
import { addRenew } from './renew.ts'
import { addRequest } from './request.ts'
import { addRestore } from './restore.ts'
import { addRevoke } from './revoke.ts'
import { addRm } from './rm.ts'
import { addScrub } from './scrub.ts'
import { addServe } from './serve.ts'
import { addShare } from './share.ts'

/** In the order in which `--help` lists them. */
export const COMMANDS: readonly ((program: Command, cli: Cli) => void)[] = [
  addServe,
  addMint,
  addShare,
  addRequest,
  addNarrow,
  addInspect,
  addExplain,
  addRevoke,
  addRenew,
  addIssued,
  addAudit,
  addEvents,
  addKeys,
  addPolicies,
  addPlans,
  addPut,
  addGet,
  addLs,
  addRm,
  addImport,
  addExport,
  addScrub,
  addBackup,
  addRestore,
  addDoctor,
]
