import type { UnixSeconds } from '../../../key/units.ts'

/** `2026-11-23T18:00:00.000Z`, as S3 writes times. */
export const timeOf = (time: UnixSeconds): string => new Date(time * 1000).toISOString()
