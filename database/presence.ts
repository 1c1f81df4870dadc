/**
 * Whether a database is the one that was kept there. SQLite makes a missing one anew without a word:
 * a ledger that was lost would come back without its revocations. And it goes on writing to a file
 * that was deleted while it was open: what was acknowledged would be gone with the process.
 */
import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Says that a database was there before. Its name is one that `rm ledger.db*` leaves alone. */
export const markOf = (file: string): string => join(dirname(file), `.${basename(file)}.made`)

export const wasThere = (file: string): boolean => existsSync(markOf(file))

/** For the next start; idempotent. */
export function markAsMade(file: string): void {
  if (!wasThere(file)) closeSync(openSync(markOf(file), 'a', 0o600))
}

/** A function that says what has become of the file, once it is no longer the one with this name. */
export function displacement(file: string): () => string | undefined {
  const { dev, ino } = statSync(file)
  return () => {
    const now = statSync(file, { throwIfNoEntry: false })
    if (now === undefined) return 'was removed while it was in use'
    return now.ino === ino && now.dev === dev ? undefined : 'was replaced while it was in use'
  }
}
