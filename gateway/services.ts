/** What the stages of a request work with; made once, in main.ts. */
import type { Logger } from 'pino'
import type { AuditSink } from '../audit/audit.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Gatekeeper } from './admit.ts'
import type { GatewaySettings, S3Settings } from './config.ts'
import type { Cors } from './cors.ts'
import type { Pacing } from './pacing.ts'
import type { Resuming } from './resuming.ts'
import type { Inspection } from './scan/inspection.ts'
import type { Sessions } from './sessions.ts'
import type { FullStore } from './store/full-store.ts'
import type { Transfers } from './transfers.ts'

export interface Services {
  readonly settings: GatewaySettings
  readonly s3: S3Settings
  /** where clients reach this gateway, as configured; empty where nobody said */
  readonly publicUrls: readonly string[]
  readonly store: FullStore
  readonly gatekeeper: Gatekeeper
  readonly sessions: Sessions
  readonly transfers: Transfers
  readonly pacing: Pacing
  readonly resuming: Resuming
  readonly cors: Cors
  /** absent where nobody looks at uploads */
  readonly inspection: Inspection | undefined
  readonly log: Logger
  readonly audit: AuditSink
  readonly clock: Clock
  /** whether the process is about to end, and takes nothing new */
  readonly isDraining: () => boolean
}

export interface Clock {
  /** what the world calls now */
  readonly now: () => UnixSeconds
  /** milliseconds that only ever grow */
  readonly monotonic: () => number
}
