/** An issuer on a free port, with its secrets in a temporary folder, for stories over a real socket. */
import { mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { pino } from 'pino'
import { auditSection } from '../../audit/config.ts'
import { openAudit } from '../../audit/open.ts'
import { Instance } from '../../database/instance.ts'
import { issuerSection } from '../../issuer/config.ts'
import { type RunningIssuer, startIssuer } from '../../issuer/main.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { Keyring } from '../../ledger/keyring.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { MemoryLedger } from '../../ledger/memory/ledger.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { tempFolder } from './temp-folder.ts'

export interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what came back is looked at, not relied on
  readonly json: any
}

export interface IssuerHouse {
  readonly issuer: RunningIssuer
  readonly ledger: Ledger
  readonly keyring: Keyring
  readonly token: string
  readonly secretsFolder: string
  readonly logged: string[]
  /** moves the clock, which else stands still, by seconds */
  readonly pass: (seconds: number) => void
  readonly now: () => UnixSeconds
  /** @param auth the bearer: the admin token unless stated; null sends none */
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    auth?: string | null,
  ) => Promise<Sent>
  readonly close: () => Promise<void>
}

export async function openIssuer(
  kind: 'memory' | 'sqlite' = 'memory',
  section: Parameters<typeof issuerSection.parse>[0] = {},
  publicUrl = 'https://files.example',
): Promise<IssuerHouse> {
  const temp = tempFolder()
  const secretsFolder = join(temp.path, 'secrets')
  mkdirSync(secretsFolder, { mode: 0o700 })
  const instance = Instance.start(join(temp.path, 'instances'))
  const ledger =
    kind === 'memory'
      ? new MemoryLedger()
      : await SqliteLedger.open({ file: join(temp.path, 'ledger.db'), instance })
  const keyring = await Keyring.open({ folder: secretsFolder, ledger })
  let time = 1_780_000_000
  const now = () => time as UnixSeconds
  const logged: string[] = []
  const release = async () => {
    await audit.close()
    await ledger.close()
    instance.close()
    temp.remove()
  }
  const audit = await openAudit(temp.path, auditSection.parse({}))
  const issuer = await startIssuer({
    settings: issuerSection.parse({ listen: '127.0.0.1:0', ...(section as object) }),
    ledger,
    keyring,
    publicUrl,
    secretsFolder,
    audit,
    auditFolder: join(temp.path, 'audit'),
    dataFolder: temp.path,
    metricsFolder: join(temp.path, 'metrics'),
    metrics: { public: false },
    version: '1.2.3',
    log: pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }),
    now,
  }).catch(async (error) => {
    await release()
    throw error
  })
  const token = readFileSync(join(secretsFolder, 'admin-token'), 'utf8').trim()
  return {
    issuer,
    ledger,
    keyring,
    token,
    secretsFolder,
    logged,
    now,
    pass: (seconds) => {
      time += seconds
    },
    send: (method, path, body, auth = token) =>
      send(`${issuer.url}${path}`, method, body, auth === null ? {} : bearer(auth)),
    close: async () => {
      await issuer.close()
      await release()
    },
  }
}

export const bearer = (credential: string): Record<string, string> => ({
  Authorization: `Bearer ${credential}`,
})

/** Text and bytes go as they are, anything else as JSON. */
export async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Sent> {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body === undefined
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  const json = isJson ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, text, json }
}

/** A request target and headers exactly as stated, which `fetch` would tidy up. */
export function sendRaw(
  url: string,
  path: string,
  headers: readonly string[],
): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, path, headers: ['Host', host, ...headers], agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        )
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
