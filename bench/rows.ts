/** Everything that can be measured, in the order in which it is. */
import type { Row } from './row.ts'
import { ACCEL_ROW } from './rows/accel.ts'
import { ENGINE_ROW } from './rows/engines.ts'
import { MEMORY_ROW } from './rows/memory.ts'
import { MILLION_ROW } from './rows/million.ts'
import { MIXED_ROW } from './rows/mixed.ts'
import { READ_ROWS } from './rows/read.ts'
import { VERIFY_ROW } from './rows/verify.ts'
import { WEIGHT_ROW } from './rows/weight.ts'
import { WRITE_ROWS } from './rows/write.ts'

export const ROWS: readonly Row[] = [
  ...READ_ROWS,
  ACCEL_ROW,
  ...WRITE_ROWS,
  VERIFY_ROW,
  MIXED_ROW,
  WEIGHT_ROW,
  ENGINE_ROW,
  MEMORY_ROW,
  MILLION_ROW,
]

/**
 * The rows of these names, or whose names begin so: `get` is all reads. None named: all that are
 * not slow; `all`: all.
 * @throws RangeError for a name that nothing has
 */
export function choose(names: readonly string[]): readonly Row[] {
  if (names.length === 0) return ROWS.filter(({ slow }) => !slow)
  if (names.includes('all')) return ROWS
  for (const name of names) {
    if (!ROWS.some((row) => row.name.startsWith(name))) {
      throw new RangeError(`"${name}" is none of: ${ROWS.map((row) => row.name).join(', ')}, all`)
    }
  }
  return ROWS.filter((row) => names.some((name) => row.name.startsWith(name)))
}
