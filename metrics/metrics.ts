/** The contract of metrics: what each process counts and hands over. Documented, no logic. */

/** Only ever grows, over restarts as well. */
export interface Counts {
  /** by verb and status: `GET 200`; the status is 0 where none was sent */
  readonly requests: Readonly<Record<string, number>>
  /** by verb */
  readonly took: Readonly<
    Record<
      string,
      {
        /** of all of them together */
        readonly seconds: number
        /** how many took at most each of the bounds, and more than the one before; the last: more than all */
        readonly counts: readonly number[]
      }
    >
  >
  /** by the refusal's code */
  readonly refusals: Readonly<Record<string, number>>
  /** of content */
  readonly bytesIn: number
  readonly bytesOut: number
  /** uses of keys that have a limited number of them */
  readonly uses: number
}

/** As things are at the moment. */
export interface Gauges {
  /** requests that are being answered */
  readonly inFlight: number
  /** seconds that the oldest activity of a key has waited to be saved */
  readonly ledgerLag: number
  /** seconds that the oldest record has waited to be written */
  readonly auditLag: number
}

/** What one process has handed over. */
export interface Snapshot {
  /** milliseconds since 1970 */
  readonly at: number
  readonly counts: Counts
  readonly gauges: Gauges
}
