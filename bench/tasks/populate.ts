/** Fills a data folder: FOLDER COUNT. So many objects of 100 bytes, revoked ids, and issued keys. */
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Instance } from '../../database/instance.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import { type ObjectPath, parsePath, type Scope } from '../../key/object-path.ts'
import { type Bytes, secondsOf, type UnixSeconds } from '../../key/units.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'

/** What is written at once. */
const BATCH = 2000
const now = secondsOf(Date.now())

const [folder = '', count = '0'] = process.argv.slice(2)
const instance = Instance.start(join(folder, 'instances'))

async function inBatches(write: (from: number, below: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < Number(count); from += BATCH) {
    await write(from, Math.min(from + BATCH, Number(count)))
  }
}

const numbers = (from: number, below: number): readonly number[] =>
  Array.from({ length: below - from }, (_, offset) => from + offset)

async function fillStore(): Promise<void> {
  const store = await DiskStore.open({
    folder: join(folder, 'store'),
    instance,
    now: () => now,
    reserve: 0 as Bytes,
  })
  const put = async (number: number): Promise<void> => {
    // folders of a thousand
    const name = `many/${String(Math.floor(number / 1000)).padStart(4, '0')}/${number}.bin`
    const upload = await store.upload(parsePath(name).path as ObjectPath)
    const content = randomBytes(100)
    const sha256 = createHash('sha256').update(content).digest('hex')
    await upload.write([content])
    const etag = `"${sha256}"`
    await upload.commit({ type: 'application/octet-stream', etag, sha256, modified: now })
  }
  await inBatches((from, below) => Promise.all(numbers(from, below).map(put)))
  await store.close()
}

async function fillLedger(): Promise<void> {
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  const id = (): string => randomBytes(16).toString('base64url')
  const until = (now + 30 * 86_400) as UnixSeconds
  await inBatches((from, below) =>
    ledger.revoke(
      numbers(from, below).map(() => ({ kind: 'id', value: id(), revokedAt: now, until })),
    ),
  )
  await inBatches((from, below) =>
    ledger.recordIssued(
      numbers(from, below).map((number) => ({
        id: id(),
        kid: 'bench',
        subjects: [`user-${number % 10_000}`],
        paths: [`many/${number % 1000}/` as Scope],
        methods: ['GET'],
        issuedAt: now,
        expires: until,
        issuedBy: 'bench',
      })),
    ),
  )
  await ledger.close()
}

await fillStore()
await fillLedger()
instance.close()
