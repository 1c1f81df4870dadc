/** Ids are taken as they are written: one that is mistyped is one that nobody knows here. */
import type { IssuedKeys } from '../ledger/ledger.ts'

export const NOT_MINTED_HERE = 'no key with this id was minted here: check it with valetkey issued'

export const isMintedHere = async (id: string, ledger: IssuedKeys): Promise<boolean> =>
  (await ledger.issued({ id, limit: 1 })).length > 0
