/**
 * How the issuer learns what gateways count, in its own process or in others: each process writes
 * its figures to a file of its own about once a second, and goes on from those that it finds there
 * when it starts. So nothing that was ever shown is taken back, and a scrape reads a few small files.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Slot, takeSlot } from '../database/lock.ts'
import { Meter } from './meter.ts'
import type { Counts, Gauges, Snapshot } from './metrics.ts'

const INTERVAL = 1000
/** In milliseconds: what is older is of a process that has ended, or hangs. */
const FRESH = 10_000

/** In milliseconds: who has not written for so long does not run. */
const RUNNING = 3 * INTERVAL

const FILE = /^\d{1,6}\.json$/

const IDLE: Gauges = { inFlight: 0, ledgerLag: 0, auditLag: 0 }

export class Handover {
  readonly meter = new Meter()
  readonly #slot: Slot
  readonly #timer: NodeJS.Timeout
  #gauges: () => Gauges = () => IDLE
  #writing: Promise<void> | undefined
  #processes = 1

  private constructor(slot: Slot) {
    this.#slot = slot
    const before = read(join(slot.folder, `${slot.number}.json`))
    if (before !== undefined) this.meter.restore(before.counts)
    this.#timer = setInterval(() => void this.#write(), INTERVAL).unref()
    // so that the others learn of this one soon, and it of them at once
    this.#look()
    void this.#write()
  }

  /** @param folder `DATA/metrics`, made if missing */
  static open(folder: string): Handover {
    return new Handover(takeSlot(folder))
  }

  /** Those that run, this one included; who comes and goes is noticed within a second or a few. */
  get processes(): number {
    return this.#processes
  }

  /** How things are is asked whenever figures are written. */
  watch(gauges: () => Gauges): void {
    this.#gauges = gauges
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#gauges = () => IDLE
    await this.#writing
    await this.#write()
    this.#slot.release()
  }

  #write(): Promise<void> {
    this.#writing ??= this.#replace()
      // figures are not worth a failure: what is missing shows in them
      .catch(() => {})
      .finally(() => {
        this.#writing = undefined
      })
    return this.#writing
  }

  async #replace(): Promise<void> {
    const { folder, number } = this.#slot
    const file = join(folder, `${number}.json`)
    const gauges = this.#gauges()
    const snapshot: Snapshot = { at: Date.now(), counts: this.meter.counts(), gauges }
    await writeFile(`${file}.new`, JSON.stringify(snapshot), { mode: 0o600 })
    await rename(`${file}.new`, file)
    this.#look()
  }

  #look(): void {
    const { folder, number } = this.#slot
    const others = namesIn(folder).filter((name) => FILE.test(name) && name !== `${number}.json`)
    const since = Date.now() - RUNNING
    this.#processes = 1 + others.filter((name) => writtenAt(join(folder, name)) > since).length
  }
}

const writtenAt = (file: string): number =>
  statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY

/** The figures of all processes; gauges of those that run. */
export function handedOver(folder: string, now: number): readonly Snapshot[] {
  return namesIn(folder)
    .filter((name) => FILE.test(name))
    .flatMap((name) => read(join(folder, name)) ?? [])
    .map((snapshot) => (now - snapshot.at < FRESH ? snapshot : { ...snapshot, gauges: IDLE }))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A file that can't be read, as after a power cut, counts from nothing. */
function read(file: string): Snapshot | undefined {
  try {
    const snapshot = JSON.parse(readFileSync(file, 'utf8')) as Snapshot
    return isWhole(snapshot.counts) ? snapshot : undefined
  } catch {
    return undefined
  }
}

const isWhole = ({ requests, took, refusals, bytesIn, bytesOut, uses }: Counts): boolean =>
  [requests, took, refusals].every((part) => typeof part === 'object' && part !== null) &&
  [bytesIn, bytesOut, uses].every(Number.isFinite)
