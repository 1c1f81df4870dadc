import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ObjectPath } from '../../../key/object-path.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import {
  cover,
  type Interval,
  type LeaseRow,
  type LeaseTable,
  leaseAll,
  settleAll,
} from '../../../ledger/lease-rules.ts'
import type { LeaseRequest } from '../../../ledger/ledger.ts'

const SIZE = 100

/** What may happen to a key, on one object and from one address. */
const event = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    range: fc.tuple(fc.nat(SIZE), fc.nat(SIZE)),
    etag: fc.constantFrom('"a"', '"a"', '"a"', '"b"'),
    wait: fc.constantFrom(0, 0, 1, 4000),
  }),
  fc.record({ kind: fc.constant('end' as const), of: fc.nat(5), sent: fc.nat(SIZE) }),
  // the process of everybody who runs is gone, together with what it knew of bytes sent
  fc.record({ kind: fc.constant('crash' as const) }),
)

interface Transfer {
  readonly lease: Parameters<typeof settleAll>[1]
  /** uses counted when it was granted */
  readonly use: number
}

/** Plays events against the rules; bytes on the wire are counted apart from them. */
class Gateway {
  readonly table: LeaseTable & { uses: number }
  /** bytes really sent under each use */
  readonly sent = new Map<number, number>()
  readonly settledSent: Transfer[] = []
  running: Transfer | undefined
  #row: LeaseRow | undefined
  #now = 0
  #holders = 0
  readonly #gone = new Set<string>()

  constructor() {
    const table = {
      uses: 0,
      count: () => table.uses,
      row: () => this.#row,
      put: (_: string, row: LeaseRow) => {
        this.#row = row
      },
      remove: () => {
        this.#row = undefined
      },
      addUses: (_: string, by: 1 | -1) => {
        table.uses += by
      },
    }
    this.table = table
  }

  ask(most: number, [a, b]: readonly [number, number], etag: string, wait: number): void {
    this.#now += wait
    const [start, end] = [Math.min(a, b), Math.max(a, b)]
    this.#holders += 1
    const holder = `h${this.#holders}`
    const request: LeaseRequest = {
      counted: [{ id: 'k', most }],
      object: 'b/o' as ObjectPath,
      address: '',
      now: this.#now as UnixSeconds,
      transfer: { etag, size: SIZE as Bytes, start, end },
    }
    const outcome = leaseAll(this.table, request, holder, (other) => this.#gone.has(other))
    if (!outcome.granted) return
    expect(this.running).toBeUndefined()
    const lease = { object: 'b/o', address: '', ids: ['k'], holder, start, end }
    this.running = { lease, use: this.table.uses }
  }

  end(sent: number): void {
    const transfer = this.running
    if (transfer === undefined) return
    const { start, end } = transfer.lease
    this.#onTheWire(transfer, Math.min(sent, end - start))
    settleAll(this.table, transfer.lease, Math.min(sent, end - start))
    this.running = undefined
    this.settledSent.push(transfer)
  }

  crash(): void {
    const transfer = this.running
    if (transfer === undefined) return
    this.#onTheWire(transfer, transfer.lease.end - transfer.lease.start)
    this.#gone.add(transfer.lease.holder)
    this.running = undefined
    this.settledSent.push(transfer)
  }

  /** Somebody settles again what ended long ago. */
  settleAgain(of: number, sent: number): void {
    const transfer = this.settledSent[of]
    if (transfer !== undefined) settleAll(this.table, transfer.lease, sent)
  }

  #onTheWire({ use }: Transfer, bytes: number): void {
    this.sent.set(use, (this.sent.get(use) ?? 0) + bytes)
  }
}

describe('whatever is asked, sent, broken off or killed', () => {
  test('uses stay within the limit, and each sends at most twice the size', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (events, most) => {
          const gateway = new Gateway()
          for (const each of events) {
            if (each.kind === 'ask') gateway.ask(most, each.range, each.etag, each.wait)
            else if (each.kind === 'crash') gateway.crash()
            else {
              gateway.settleAgain(each.of, each.sent)
              gateway.end(each.sent)
            }
            expect(gateway.table.uses).toBeLessThanOrEqual(most)
          }
          gateway.crash()
          for (const sent of gateway.sent.values()) expect(sent).toBeLessThanOrEqual(2 * SIZE)
        },
      ),
    )
  })

  test('who resumes where it broke off always gets the whole object for one use', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: SIZE }), { maxLength: 40 }), (pieces) => {
        const gateway = new Gateway()
        let position = 0
        for (const piece of [...pieces, SIZE]) {
          if (position === SIZE) break
          gateway.ask(1, [position, SIZE], '"a"', 0)
          expect(gateway.running).toBeDefined()
          const sent = Math.min(piece, SIZE - position)
          gateway.end(sent)
          position += sent
        }
        gateway.ask(1, [0, SIZE], '"a"', 0)
        expect(gateway.running).toBeUndefined()
        expect(gateway.table.uses).toBe(1)
      }),
    )
  })
})

describe('coverage', () => {
  const interval = fc
    .tuple(fc.nat(SIZE), fc.nat(SIZE))
    .map(([a, b]): Interval => [Math.min(a, b), Math.max(a, b)])

  test('is the union of what was added, in order, disjoint, not touching', () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 12 }), (added) => {
        const coverage = added.reduce<readonly Interval[]>(cover, [])
        const inSome = (intervals: readonly Interval[], position: number) =>
          intervals.some(([start, end]) => position >= start && position < end)
        for (let position = 0; position <= SIZE; position += 1) {
          expect(inSome(coverage, position)).toBe(inSome(added, position))
        }
        for (const [index, [start]] of coverage.entries()) {
          if (index > 0) expect(start).toBeGreaterThan(coverage[index - 1]?.[1] ?? 0)
        }
      }),
    )
  })

  test('stays small, and forgets rather than invents', () => {
    const added = Array.from({ length: 1000 }, (_, n): Interval => [3 * n, 3 * n + 1 + (n % 2)])
    const coverage = added.reduce<readonly Interval[]>(cover, [])
    expect(coverage.length).toBeLessThanOrEqual(32)
    for (const [start, end] of coverage) expect(added).toContainEqual([start, end])
  })
})
