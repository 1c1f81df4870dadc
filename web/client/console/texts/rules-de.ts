/** Was Richtlinien und Tarife besagen, auf Deutsch. */
import { scopesOf } from '../../../../key/claims.ts'
import type { Plan } from '../../../../key/plan.ts'
import { type Bytes, exactBytes } from '../../../../key/units.ts'
import { joined, type RuleWords, saidBy } from '../rule-words.ts'

const oder = (words: readonly string[]): string => joined(words, ', ', ' oder ')
const und = (words: readonly string[]): string => joined(words, ', ', ' und ')

const METHODS = {
  GET: 'herunterladen',
  PUT: 'hochladen',
  DELETE: 'löschen',
  LIST: 'auflisten',
} as const

const scope = (path: string): string => {
  if (path === '/') return 'Dateien überall'
  return path.endsWith('/') ? `Dateien unter ${path}` : `die Datei ${path}`
}

const size = (least: Bytes, most: Bytes): string => {
  if (least === 0) return `Uploads von höchstens ${exactBytes(most)}`
  if (most === Number.MAX_SAFE_INTEGER) return `Uploads von mindestens ${exactBytes(least)}`
  return `Uploads von ${exactBytes(least)} bis ${exactBytes(most)}`
}

const policy = saidBy({
  nbf: (time, { moment }) => `ab ${moment(time)}`,
  exp: (time, { moment }) => `bis ${moment(time)}`,
  path: (path) => `nur ${oder(scopesOf(path).map(scope))}`,
  match: (glob) => `nur Namen wie ${glob}`,
  methods: (methods) => `darf ${und(methods.map((method) => METHODS[method]))}`,
  size: ([least, most]) => size(least as Bytes, most as Bytes),
  types: (types) => `Uploads nur vom Typ ${oder(types)}`,
  sha256: (digest) => `Uploads nur des Inhalts mit SHA-256 ${digest.toLowerCase()}`,
  create: () => 'Uploads ersetzen nichts, was da ist',
  rate: (rate) => `höchstens ${exactBytes(rate as Bytes)} in der Sekunde`,
  plan: (name) => `so viel, wie der Tarif ${name} erlaubt`,
  ip: (networks) => `nur von ${oder(networks)}`,
  origins: (origins) => `in Browsern nur von Seiten von ${oder(origins)}`,
  headers: (headers) =>
    `nur mit ${und(Object.entries(headers).map(([name, value]) => `dem Header ${name}: ${value}`))}`,
  tls: () => 'nur über TLS',
  respond: (respond) =>
    `antwortet mit ${und(Object.entries(respond).map(([name, value]) => `${name}: ${value}`))}`,
  ttl: (ttl, { duration }) => `Uploads werden nach ${duration(ttl)} gelöscht`,
})

const PERIODS = { day: 'am Tag', week: 'in der Woche', month: 'im Monat' } as const
const PER = {
  key: 'je Schlüssel',
  subject: 'für alle Schlüssel von jemandem zusammen',
  'signing-key': 'je Signierschlüssel',
} as const

const plan = ({ rate, burst, quota, per }: Plan): readonly string[] => [
  ...(rate === undefined ? [] : [`${rate.requests} Anfragen in ${rate.seconds} s`]),
  ...(burst === undefined ? [] : [`${burst} auf einmal`]),
  ...(quota?.requests === undefined ? [] : [`${quota.requests} Anfragen ${PERIODS[quota.period]}`]),
  ...(quota?.bytes === undefined
    ? []
    : [`${exactBytes(quota.bytes as Bytes)} ${PERIODS[quota.period]}`]),
  PER[per],
]

export const rules: RuleWords = { policy, plan }
