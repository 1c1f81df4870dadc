/** Usage plans: how many requests, and how much, in which time, and for whom it is counted. */
import { type Bytes, exactBytes, type UnixSeconds } from './units.ts'

export const PERIODS = ['day', 'week', 'month'] as const
export type Period = (typeof PERIODS)[number]

export const COUNTED_PER = ['key', 'subject', 'signing-key'] as const
export type CountedPer = (typeof COUNTED_PER)[number]

export interface Plan {
  /** so many requests in so many seconds, evenly */
  readonly rate?: { readonly requests: number; readonly seconds: number }
  /** requests that may come at once, ahead of the rate */
  readonly burst?: number
  /** of each period, in UTC: weeks begin on Monday */
  readonly quota?: { readonly requests?: number; readonly bytes?: number; readonly period: Period }
  readonly per: CountedPer
}

/** What a plan says, in plain words. */
export const describePlan = ({ rate, burst, quota, per }: Plan): readonly string[] => [
  ...(rate === undefined ? [] : [`${rate.requests} requests in ${rate.seconds} s`]),
  ...(burst === undefined ? [] : [`${burst} at once`]),
  ...(quota?.requests === undefined ? [] : [`${quota.requests} requests a ${quota.period}`]),
  ...(quota?.bytes === undefined ? [] : [`${exactBytes(quota.bytes as Bytes)} a ${quota.period}`]),
  `per ${per}`,
]

/** A period, from its first second to the one after its last. */
export interface Span {
  readonly start: UnixSeconds
  readonly end: UnixSeconds
}

const DAY = 86_400
/** 1 January 1970 was a Thursday. */
const FIRST_MONDAY = 4 * DAY

/** The period that a moment lies in. */
export function spanOf(period: Period, now: UnixSeconds): Span {
  if (period === 'month') {
    const date = new Date(now * 1000)
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
    return span(Date.UTC(year, month, 1) / 1000, Date.UTC(year, month + 1, 1) / 1000)
  }
  const [length, origin] = period === 'day' ? [DAY, 0] : [7 * DAY, FIRST_MONDAY]
  const start = origin + Math.floor((now - origin) / length) * length
  return span(start, start + length)
}

const span = (start: number, end: number): Span => ({
  start: start as UnixSeconds,
  end: end as UnixSeconds,
})
