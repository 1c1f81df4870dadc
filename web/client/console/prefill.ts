/** What a rule says already, as its form asks for it: so that a change does not lose the rest. */
import type { Claims } from './shapes.ts'

export interface Plan {
  readonly rate?: { readonly requests: number; readonly seconds: number }
  readonly burst?: number
  readonly quota?: {
    readonly requests?: number
    readonly bytes?: number
    readonly period: string
  }
  readonly per: string
}

export interface Prefilled {
  /** by the names of options; true: a box that is checked */
  readonly fields: Readonly<Record<string, string | true>>
  /** options that the form does not ask for, as the API takes them */
  readonly kept: Claims
}

const SIZES = { TiB: 2 ** 40, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10 } as const

function sizeText(bytes: number): string {
  const fits = Object.entries(SIZES).find(([, unit]) => bytes > 0 && bytes % unit === 0)
  return fits === undefined ? String(bytes) : `${bytes / fits[1]}${fits[0]}`
}

const timeText = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('.000', '')

const listText = (list: unknown): string => [list].flat().join(', ')

const headerLines = (headers: object): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')

type Reading = (value: never) => Readonly<Record<string, string | true>>

const READINGS: Readonly<Record<string, Reading>> = {
  exp: (time: number) => ({ expires: timeText(time) }),
  nbf: (time: number) => ({ notBefore: timeText(time) }),
  path: (scopes: unknown) => ({ path: listText(scopes) }),
  methods: (methods: unknown) => ({ methods: listText(methods) }),
  size: ([least, most]: readonly [number, number]) => ({
    ...(least > 0 && { minSize: sizeText(least) }),
    ...(most < Number.MAX_SAFE_INTEGER && { maxSize: sizeText(most) }),
  }),
  types: (types: unknown) => ({ types: listText(types) }),
  rate: (bytes: number) => ({ rate: sizeText(bytes) }),
  ip: (networks: unknown) => ({ ip: listText(networks) }),
  origins: (origins: unknown) => ({ origins: listText(origins) }),
  headers: (headers: object) => ({ headers: headerLines(headers) }),
  tls: () => ({ tls: true }),
  ttl: (seconds: number) => ({ ttl: String(seconds) }),
}
const AS_THEY_ARE = ['match', 'sha256', 'plan']

/** Those that have no field, or one that can not say them. */
const KEPT: Readonly<Record<string, (value: unknown) => Claims>> = {
  create: () => ({ overwrite: false }),
  respond: (respond) => ({ respond }),
}

export function prefilledPolicy(claims: Claims): Prefilled {
  const fields: Record<string, string | true> = {}
  const kept: Record<string, unknown> = {}
  for (const [claim, value] of Object.entries(claims)) {
    if (AS_THEY_ARE.includes(claim)) fields[claim] = String(value)
    Object.assign(fields, READINGS[claim]?.(value as never))
    Object.assign(kept, KEPT[claim]?.(value))
  }
  return { fields, kept }
}

const UNITS: Readonly<Record<number, string>> = { 1: 's', 60: 'm', 3600: 'h' }

export function prefilledPlan({ rate, burst, quota, per }: Plan): Prefilled {
  const fields = {
    ...(rate && { rate: `${rate.requests}/${UNITS[rate.seconds] ?? 's'}` }),
    ...(burst !== undefined && { burst: String(burst) }),
    ...(quota?.requests !== undefined && { requests: String(quota.requests) }),
    ...(quota?.bytes !== undefined && { bytes: sizeText(quota.bytes) }),
    ...(quota && { period: quota.period }),
    per,
  }
  return { fields, kept: {} }
}
