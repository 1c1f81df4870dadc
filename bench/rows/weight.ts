/** What a browser loads for each page: everything, as it goes over the wire to one that takes brotli. */
import { type Asset, bundle } from '../../web/bundle.ts'
import { renderPage } from '../../web/page.ts'
import { figure } from '../figures.ts'
import type { Finding, GoalName } from '../goals.ts'
import type { Row } from '../row.ts'

const KIB = 1024

const PAGES: readonly (readonly [name: string, goal: GoalName])[] = [
  ['share', 'weightShare'],
  ['drop', 'weightDrop'],
]

interface Weight {
  readonly goal: GoalName
  readonly line: readonly string[]
  /** bytes */
  readonly brotli: number
}

async function weigh(name: string, goal: GoalName, assets: readonly Asset[]): Promise<Weight> {
  // the document is sent as it is
  const document = Buffer.byteLength(await renderPage({ name, title: name }))
  const own = assets.filter((asset) => asset.name.startsWith(`${name}.`))
  const sum = (of: (asset: Asset) => Buffer): number =>
    own.reduce((bytes, asset) => bytes + of(asset).length, document)
  const parts = ['js', 'css'].map((kind) => own.find((asset) => asset.name.endsWith(kind)))
  const brotli = sum((asset) => asset.brotli)
  const all = [document, ...parts.map((part) => part?.brotli.length ?? Number.NaN), brotli]
  const others = [sum((asset) => asset.gzip), sum((asset) => asset.bytes)]
  return { goal, brotli, line: [name, ...[...all, ...others].map((bytes) => figure(bytes / KIB))] }
}

export const WEIGHT_ROW: Row = {
  name: 'weight',
  title: 'the pages for people, everything that a browser loads for them, KiB',
  run: async () => {
    const assets = await bundle()
    const weights = await Promise.all(PAGES.map(([name, goal]) => weigh(name, goal, assets)))
    return {
      table: {
        columns: ['', 'document', 'script', 'style', 'all, brotli', 'all, gzip', 'all, plain'],
        lines: weights.map(({ line }) => line),
      },
      findings: weights.map(({ goal, brotli }): Finding => ({ goal, value: brotli / KIB })),
    }
  },
}
