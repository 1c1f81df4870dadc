/** The ledger of a data folder that somebody else has made. */
import { join } from 'node:path'
import { Instance } from '../../database/instance.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'

export async function openLedger(
  data: string,
): Promise<{ readonly ledger: SqliteLedger; readonly close: () => Promise<void> }> {
  const instance = Instance.start(join(data, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(data, 'ledger.db'), instance })
  const close = async (): Promise<void> => {
    await ledger.close()
    instance.close()
  }
  return { ledger, close }
}
