/** 策略和套餐的内容，中文。 */
import { scopesOf } from '../../../../key/claims.ts'
import type { Plan } from '../../../../key/plan.ts'
import { type Bytes, exactBytes } from '../../../../key/units.ts'
import { joined, type RuleWords, saidBy } from '../rule-words.ts'

const either = (words: readonly string[]): string => joined(words, '、', ' 或 ')
const all = (words: readonly string[]): string => joined(words, '、', '和')

const METHODS = { GET: '下载', PUT: '上传', DELETE: '删除', LIST: '查看列表' } as const

const scope = (path: string): string => {
  if (path === '/') return '任意位置的文件'
  return path.endsWith('/') ? `${path} 下的文件` : `文件 ${path}`
}

const size = (least: Bytes, most: Bytes): string => {
  if (least === 0) return `上传不超过 ${exactBytes(most)}`
  if (most === Number.MAX_SAFE_INTEGER) return `上传不少于 ${exactBytes(least)}`
  return `上传大小为 ${exactBytes(least)} 至 ${exactBytes(most)}`
}

const policy = saidBy({
  nbf: (time, { moment }) => `自 ${moment(time)} 起`,
  exp: (time, { moment }) => `至 ${moment(time)}`,
  path: (path) => `仅限${either(scopesOf(path).map(scope))}`,
  match: (glob) => `仅限匹配 ${glob} 的名称`,
  methods: (methods) => `可以${all(methods.map((method) => METHODS[method]))}`,
  size: ([least, most]) => size(least as Bytes, most as Bytes),
  types: (types) => `上传类型仅限 ${either(types)}`,
  sha256: (digest) => `上传内容的 SHA-256 必须为 ${digest.toLowerCase()}`,
  create: () => '上传不会覆盖已有文件',
  rate: (rate) => `每秒不超过 ${exactBytes(rate as Bytes)}`,
  plan: (name) => `用量受套餐 ${name} 限制`,
  ip: (networks) => `仅限来自 ${either(networks)}`,
  origins: (origins) => `在浏览器中仅限 ${either(origins)} 的网页`,
  headers: (headers) =>
    `必须带请求头 ${all(Object.entries(headers).map(([name, value]) => `${name}: ${value}`))}`,
  tls: () => '仅限 TLS',
  respond: (respond) =>
    `响应带有 ${all(Object.entries(respond).map(([name, value]) => `${name}: ${value}`))}`,
  ttl: (ttl, { duration }) => `上传内容在 ${duration(ttl)}后删除`,
})

const PERIODS = { day: '每日', week: '每周', month: '每月' } as const
const PER = { key: '按密钥计数', subject: '按使用者计数', 'signing-key': '按签名密钥计数' } as const

const plan = ({ rate, burst, quota, per }: Plan): readonly string[] => [
  ...(rate === undefined ? [] : [`${rate.seconds} 秒内 ${rate.requests} 个请求`]),
  ...(burst === undefined ? [] : [`一次最多 ${burst} 个`]),
  ...(quota?.requests === undefined ? [] : [`${PERIODS[quota.period]} ${quota.requests} 个请求`]),
  ...(quota?.bytes === undefined
    ? []
    : [`${PERIODS[quota.period]} ${exactBytes(quota.bytes as Bytes)}`]),
  PER[per],
]

export const rules: RuleWords = { policy, plan }
