/**
 * Seals: what makes a file of records one that nobody can change unnoticed. A batch of lines ends
 * with one, an HMAC over the seal before it and every byte since:
 *
 *     {"seq":12,"count":34,"seal":"HMAC-SHA256(audit key, seal 11 + all bytes from there up to here)"}
 */
import { createHmac, type Hmac, type KeyObject, timingSafeEqual } from 'node:crypto'

export interface Seal {
  /** counts the seals of a slot, from 0, over all its files */
  readonly seq: number
  /** how many lines it is over, without its own */
  readonly count: number
  /** base64url */
  readonly seal: string
}

/** What every line of a seal, and no record, begins with. */
export const SEAL_START = '{"seq":'

const LINE = /^\{"seq":(\d{1,15}),"count":(\d{1,15}),"seal":"([A-Za-z0-9_-]{43})"\}$/

export const parseSeal = (line: string): Seal | undefined => {
  const [, seq, count, seal] = LINE.exec(line) ?? []
  return seal === undefined ? undefined : { seq: Number(seq), count: Number(count), seal }
}

/** The part of its line that the seal itself is over. */
export const openingOf = ({ seq, count }: Pick<Seal, 'seq' | 'count'>): string =>
  `${SEAL_START}${seq},"count":${count},"seal":"`

/** What the lines are added to, one after another. */
export const beginMac = (key: KeyObject, before: string): Hmac =>
  createHmac('sha256', key).update(before).update('\n')

/** Whether a seal is over what was added. */
export function isGenuine(mac: Hmac, stated: Seal): boolean {
  const found = Buffer.from(stated.seal, 'base64url')
  const expected = mac.update(openingOf(stated)).digest()
  return found.length === expected.length && timingSafeEqual(found, expected)
}
