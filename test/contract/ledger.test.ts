import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { openDatabase } from '../../database/open.ts'
import { MemoryLedger } from '../../ledger/memory/ledger.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { migrations } from '../../ledger/sqlite/migrations.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { allowancesContract } from './allowances-contract.ts'
import { ledgerContract } from './ledger-contract.ts'
import { rulesContract } from './rules-contract.ts'

const inMemory = async () => {
  const ledger = new MemoryLedger()
  return { ledger, close: () => ledger.close() }
}
ledgerContract('memory', inMemory)
allowancesContract('memory', inMemory)
rulesContract('memory', inMemory)

const folder = tempFolder()
const file = join(folder.path, 'ledger.db')
const instance = Instance.start(join(folder.path, 'instances'))
let shared: SqliteLedger | undefined

afterAll(async () => {
  await shared?.close()
  instance.close()
  folder.remove()
})

/** A ledger costs a thread: one serves all tests, emptied in between, until a test closes it. */
const inSqlite = async () => {
  if (shared === undefined || shared.failure() !== undefined) {
    shared = await SqliteLedger.open({ file, instance })
  }
  // what another connection wrote is seen from the next turn of the event loop on, which the first of
  // these may still come before
  const close = async (): Promise<void> => {
    empty()
    await setImmediate()
    await setImmediate()
  }
  return { ledger: shared, close }
}
ledgerContract('sqlite', inSqlite)
allowancesContract('sqlite', inSqlite)
rulesContract('sqlite', inSqlite)

function empty(): void {
  const db = openDatabase(file, migrations)
  const tables = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'generation'",
    )
    .pluck()
    .all()
  for (const table of tables) db.exec(`DELETE FROM ${table}`)
  db.exec('UPDATE generation SET number = number + 1')
  db.close()
}
