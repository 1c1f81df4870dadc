/**
 * S3 engines, each on one node with one disk, as its own documentation starts it. They are run
 * where a binary is on the PATH.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { freePort, output, Program } from '../process.ts'
import { type Credentials, presign } from './presign.ts'

export const ENGINES = ['minio', 'weed', 'garage', 'versitygw'] as const
export type EngineName = (typeof ENGINES)[number]

const BUCKET = 'bench'

interface Place {
  /** empty, its own */
  readonly folder: string
  readonly port: number
  readonly core: number | undefined
}

interface Starting {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** what is to be done once it runs; absent: the bucket is made over S3 */
  readonly prepare?: () => Promise<void>
}

const CREDENTIALS: Credentials = {
  id: `GK${randomBytes(12).toString('hex')}`,
  secret: randomBytes(32).toString('hex'),
  region: 'us-east-1',
}
const { id, secret } = CREDENTIALS

const STARTING: Readonly<Record<EngineName, (place: Place) => Promise<Starting>>> = {
  minio: async ({ folder, port }) => ({
    args: ['server', folder, '--address', `127.0.0.1:${port}`, '--quiet'],
    env: { MINIO_ROOT_USER: id, MINIO_ROOT_PASSWORD: secret },
  }),
  versitygw: async ({ folder, port }) => ({
    args: ['--access', id, '--secret', secret, '--port', `127.0.0.1:${port}`, 'posix', folder],
  }),
  weed: async ({ folder, port }) => {
    const config = `${folder}.json`
    const admin = { name: 'bench', credentials: [{ accessKey: id, secretKey: secret }] }
    writeFileSync(config, JSON.stringify({ identities: [{ ...admin, actions: ['Admin'] }] }))
    const ports = ['master', 'volume', 'filer'].map(
      async (part) => `-${part}.port=${await freePort()}`,
    )
    return {
      args: [
        ...['server', `-dir=${folder}`, '-ip=127.0.0.1', ...(await Promise.all(ports))],
        ...['-s3', `-s3.port=${port}`, `-s3.config=${config}`],
      ],
    }
  },
  garage: startingGarage,
}

/** Garage wants a layout before it stores anything, and its keys and buckets from its own command. */
async function startingGarage({ folder, port }: Place): Promise<Starting> {
  const config = `${folder}.toml`
  const rpc = `127.0.0.1:${await freePort()}`
  writeFileSync(
    config,
    `metadata_dir = "${folder}/meta"
data_dir = "${folder}/data"
db_engine = "lmdb"
metadata_fsync = true
data_fsync = true
replication_factor = 1
rpc_bind_addr = "${rpc}"
rpc_public_addr = "${rpc}"
rpc_secret = "${randomBytes(32).toString('hex')}"
[s3_api]
s3_region = "${CREDENTIALS.region}"
api_bind_addr = "127.0.0.1:${port}"
`,
  )
  const garage = (...args: string[]): Promise<string> =>
    output({ program: 'garage', args: ['-c', config, ...args], core: undefined })
  return {
    args: ['-c', config, 'server'],
    prepare: async () => {
      const [node = ''] = (await garage('node', 'id', '-q')).trim().split('@')
      await garage('layout', 'assign', '-z', 'here', '-c', '10G', node)
      await garage('layout', 'apply', '--version', '1')
      await garage('key', 'import', '--yes', '-n', 'bench', id, secret)
      await garage('bucket', 'create', BUCKET)
      await garage('bucket', 'allow', '--read', '--write', BUCKET, '--key', id)
    },
  }
}

export class Engine {
  readonly name: EngineName
  readonly program: Program
  readonly #origin: string

  private constructor(name: EngineName, program: Program, origin: string) {
    this.name = name
    this.program = program
    this.#origin = origin
  }

  static async start(name: EngineName, folder: string, core: number | undefined): Promise<Engine> {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const port = await freePort()
    const { args, env, prepare } = await STARTING[name]({ folder, port, core })
    const origin = `http://127.0.0.1:${port}`
    const program = new Program({
      program: name,
      args,
      core,
      log: `${folder}.log`,
      ...(env && { env }),
    })
    try {
      await program.ready(origin)
      await (prepare ?? (() => makeBucket(origin)))()
      return new Engine(name, program, origin)
    } catch (error) {
      await program.stop()
      throw error
    }
  }

  url(method: 'GET' | 'PUT', key: string): string {
    return presign(method, this.#origin, `/${BUCKET}/${key}`, CREDENTIALS)
  }
}

async function makeBucket(origin: string): Promise<void> {
  const response = await fetch(presign('PUT', origin, `/${BUCKET}`, CREDENTIALS), { method: 'PUT' })
  if (!response.ok) throw new Error(`the bucket was not made: ${await response.text()}`)
}
