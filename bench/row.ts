import type { Bench } from './bench.ts'
import type { Finding } from './goals.ts'

/** One thing that is measured, by the name it is asked for. */
export interface Row {
  readonly name: string
  readonly title: string
  /** takes minutes or gigabytes: measured only when named */
  readonly slow?: true
  readonly run: (bench: Bench) => Promise<Section>
}

/** What a row has to say. */
export interface Section {
  readonly table: Table
  readonly findings: readonly Finding[]
  readonly notes?: readonly string[]
}

export interface Table {
  readonly columns: readonly string[]
  readonly lines: readonly (readonly string[])[]
}
