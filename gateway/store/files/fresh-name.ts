import { randomBytes } from 'node:crypto'

/** 32 hex digits, never used twice, telling nothing of path or content. */
export const freshName = (): string => randomBytes(16).toString('hex')
