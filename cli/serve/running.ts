import type { RunningGateway } from '../../gateway/main.ts'
import type { RunningIssuer } from '../../issuer/main.ts'

/** What `serve` has started. */
export interface Running {
  readonly gateway?: RunningGateway
  readonly issuer?: RunningIssuer
}
