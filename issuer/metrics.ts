/** The figures of all processes, as Prometheus reads them. */
import { statfs } from 'node:fs/promises'
import { type Metric, Registry } from 'prom-client'
import { queueOf } from '../events/outbox.ts'
import { handedOver } from '../metrics/handover.ts'
import { LATENCY_BOUNDS } from '../metrics/meter.ts'
import type { Counts, Gauges, Snapshot } from '../metrics/metrics.ts'

interface Value {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

interface Facts {
  readonly snapshots: readonly Snapshot[]
  readonly disk: { readonly free: number; readonly total: number } | undefined
  readonly version: string
  readonly events: { readonly waiting: number; readonly dead: number }
}

/** One metric: a name, and how it is read from what there is. */
interface Reading {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: (facts: Facts) => readonly Value[]
}

/** By name, over all processes. */
function summed(
  snapshots: readonly Snapshot[],
  part: (counts: Counts) => Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { counts } of snapshots) {
    for (const [name, count] of Object.entries(part(counts))) {
      sums.set(name, (sums.get(name) ?? 0) + count)
    }
  }
  return sums
}

const total = (snapshots: readonly Snapshot[], part: (counts: Counts) => number): Value[] => [
  { value: snapshots.reduce((sum, { counts }) => sum + part(counts), 0) },
]

const worst = (snapshots: readonly Snapshot[], part: (gauges: Gauges) => number): Value[] => [
  { value: snapshots.reduce((most, { gauges }) => Math.max(most, part(gauges)), 0) },
]

/** Cumulative, as a histogram of Prometheus is. */
function latency({ snapshots }: Facts): readonly Value[] {
  const name = 'valetkey_request_seconds'
  const verbs = [...new Set(snapshots.flatMap(({ counts }) => Object.keys(counts.took)))]
  return verbs.flatMap((verb) => {
    const all = snapshots.flatMap(({ counts }) => counts.took[verb] ?? [])
    const countAt = (at: number) => all.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0)
    let below = 0
    const buckets = [...LATENCY_BOUNDS, '+Inf'].map((le, at) => {
      below += countAt(at)
      return { metricName: `${name}_bucket`, labels: { verb, le }, value: below }
    })
    const seconds = all.reduce((sum, one) => sum + one.seconds, 0)
    if (below === 0) return []
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { verb }, value: seconds },
      { metricName: `${name}_count`, labels: { verb }, value: below },
    ]
  })
}

const READINGS: readonly Reading[] = [
  {
    name: 'valetkey_requests_total',
    help: 'Requests to gateways by verb and status; status 0 where no response was sent',
    type: 'counter',
    values: ({ snapshots }) =>
      [...summed(snapshots, ({ requests }) => requests)].map(([name, value]) => {
        const [verb = '', status = ''] = name.split(' ')
        return { labels: { verb, status }, value }
      }),
  },
  {
    name: 'valetkey_request_seconds',
    help: 'How long requests took, from their first byte to the last of the response',
    type: 'histogram',
    values: latency,
  },
  {
    name: 'valetkey_refusals_total',
    help: 'Refusals by code, see docs/refusals.md',
    type: 'counter',
    values: ({ snapshots }) =>
      [...summed(snapshots, ({ refusals }) => refusals)].map(([code, value]) => ({
        labels: { code },
        value,
      })),
  },
  {
    name: 'valetkey_received_bytes_total',
    help: 'Bytes of content received',
    type: 'counter',
    values: ({ snapshots }) => total(snapshots, ({ bytesIn }) => bytesIn),
  },
  {
    name: 'valetkey_sent_bytes_total',
    help: 'Bytes of content sent',
    type: 'counter',
    values: ({ snapshots }) => total(snapshots, ({ bytesOut }) => bytesOut),
  },
  {
    name: 'valetkey_uses_total',
    help: 'Uses taken of keys that have a limited number of them',
    type: 'counter',
    values: ({ snapshots }) => total(snapshots, ({ uses }) => uses),
  },
  {
    name: 'valetkey_requests_in_flight',
    help: 'Requests that are being answered',
    type: 'gauge',
    values: ({ snapshots }) => [
      { value: snapshots.reduce((sum, { gauges }) => sum + gauges.inFlight, 0) },
    ],
  },
  {
    name: 'valetkey_ledger_lag_seconds',
    help: 'How long the oldest activity of a key has waited to be saved',
    type: 'gauge',
    values: ({ snapshots }) => worst(snapshots, ({ ledgerLag }) => ledgerLag),
  },
  {
    name: 'valetkey_audit_lag_seconds',
    help: 'How long the oldest record of the audit has waited to be written',
    type: 'gauge',
    values: ({ snapshots }) => worst(snapshots, ({ auditLag }) => auditLag),
  },
  {
    name: 'valetkey_disk_free_bytes',
    help: 'Free space on the disk of the data folder',
    type: 'gauge',
    values: ({ disk }) => (disk === undefined ? [] : [{ value: disk.free }]),
  },
  {
    name: 'valetkey_disk_used_bytes',
    help: 'Used space on the disk of the data folder',
    type: 'gauge',
    values: ({ disk }) => (disk === undefined ? [] : [{ value: disk.total - disk.free }]),
  },
  {
    name: 'valetkey_events_waiting',
    help: 'Events that targets have yet to be told of',
    type: 'gauge',
    values: ({ events }) => [{ value: events.waiting }],
  },
  {
    name: 'valetkey_events_dead',
    help: 'Events that were given up',
    type: 'gauge',
    values: ({ events }) => [{ value: events.dead }],
  },
  {
    name: 'valetkey_build_info',
    help: 'What is running',
    type: 'gauge',
    values: ({ version }) => [{ labels: { version, node: process.version }, value: 1 }],
  },
]

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** @param dataFolder whose `metrics` folder holds the figures, and whose disk is looked at */
export async function metricsText(
  dataFolder: string,
  folder: string,
  version: string,
): Promise<string> {
  const snapshots = handedOver(folder, Date.now())
  const disk = await diskOf(dataFolder)
  const facts: Facts = { snapshots, disk, version, events: queueOf(dataFolder) }
  const registry = new Registry()
  for (const { values, ...about } of READINGS) {
    const metric = {
      ...about,
      get: async () => ({ ...about, aggregator: 'sum', values: values(facts) }),
    }
    // the library takes whatever has a name and can be read, though its types ask for its own kinds
    registry.registerMetric(metric as unknown as Metric)
  }
  return registry.metrics()
}

async function diskOf(folder: string): Promise<Facts['disk']> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder)
    return { free: bavail * bsize, total: blocks * bsize }
  } catch {
    return undefined
  }
}
