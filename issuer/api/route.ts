/** What a route is: data that both serves it and documents it, so that neither can lack the other. */
import type { IncomingMessage } from 'node:http'
import type { z } from '@hono/zod-openapi'
import type { Logger } from 'pino'
import type { AuditSink } from '../../audit/audit.ts'
import type { RefusalCode } from '../../key/refusal.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { Keyring } from '../../ledger/keyring.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TokenCheck } from '../admin-token.ts'
import type { IssuerSettings, MetricsSettings } from '../config.ts'
import type { Sessions } from '../console/sessions.ts'
import type { Tries } from '../console/tries.ts'
import { checked } from './body.ts'
import type { Caller } from './caller.ts'

/** All that routes work with. */
export interface Issuer {
  readonly settings: IssuerSettings
  readonly ledger: Ledger
  readonly keyring: Keyring
  /** where clients reach the gateway */
  readonly publicUrl: string
  readonly secretsFolder: string
  readonly isAdminToken: TokenCheck
  /** of the console */
  readonly sessions: Sessions
  readonly tries: Tries
  readonly log: Logger
  readonly audit: AuditSink
  /** `DATA` */
  readonly dataFolder: string
  /** `DATA/metrics` */
  readonly metricsFolder: string
  readonly metrics: MetricsSettings
  /** of this program */
  readonly version: string
  /** `DATA/audit` */
  readonly auditFolder: string
  /** aborted when the issuer closes: what streams ends then */
  readonly closing: AbortSignal
  readonly now: () => UnixSeconds
}

interface Call<Body = unknown, Query = unknown> {
  readonly issuer: Issuer
  readonly caller: Caller
  readonly incoming: IncomingMessage
  readonly now: UnixSeconds
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
}

interface Answer {
  readonly status: 200 | 201 | 204
  readonly body?: unknown
  readonly location?: string
  /** of `Set-Cookie` */
  readonly cookie?: string
  /** in place of a body, with its media type */
  readonly text?: string
  readonly type?: string
  /** server-sent events, in place of a body */
  readonly events?: AsyncGenerator<string>
}

/** Who may ask: anybody; the admin; the holder of a valet key as well; anybody where `metrics.public`. */
export type Access = 'open' | 'admin' | 'holder' | 'scraper'

export interface BodyRule<Body> {
  /** what the documentation says */
  readonly schema: z.ZodType
  /** @throws OptionsError with every mistake */
  readonly read: (value: unknown) => Body
}

export interface Route<Body = unknown, Query = unknown> {
  /** what generated clients call it; each has its own */
  readonly name: string
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** with parameters as OpenAPI writes them: `/v1/keys/{id}` */
  readonly path: string
  readonly summary: string
  readonly access: Access
  readonly params?: z.ZodType<Readonly<Record<string, string>>>
  readonly query?: z.ZodType<Query>
  readonly body?: BodyRule<Body>
  readonly success: {
    readonly status: Answer['status']
    readonly description: string
    readonly schema?: z.ZodType
  }
  /** those that this route adds to what every route may refuse */
  readonly refusals: readonly RefusalCode[]
  // a method, not a property: a table holds routes of different bodies
  answer(call: Call<Body, Query>): Promise<Answer>
}

export const route = <Body = undefined, Query = undefined>(
  definition: Route<Body, Query>,
): Route<Body, Query> => definition

/** A body that a schema checks; none at all is an empty object. */
export const bodyOf = <S extends z.ZodType>(schema: S): BodyRule<z.output<S>> => ({
  schema,
  read: (value = {}) => checked(schema, value),
})
