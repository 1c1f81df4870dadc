/** What every ledger promises, sentence by sentence of `ledger/ledger.ts`. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ObjectPath, Prefix, Scope } from '../../key/object-path.ts'
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import {
  FORGET_ISSUED_AFTER_SECONDS,
  IdTaken,
  type IssuedKey,
  LEASE_LIFE_SECONDS,
  type Lease,
  type LeaseRequest,
  type Ledger,
  MOST_WRONG_PINS,
  MOST_WRONG_PINS_ANYWHERE,
  PIN_KNOWN_SECONDS,
  PIN_WINDOW_SECONDS,
  type Revocable,
  type Revocation,
  SECONDS_PER_PIN_ANYWHERE,
  type SigningKeyRecord,
} from '../../ledger/ledger.ts'

export const at = (seconds: number): UnixSeconds => seconds as UnixSeconds
export const NOW = at(1_800_000_000)
const OBJECT = 'reports/2026/q3.pdf' as ObjectPath

export const target = (over: Partial<Revocable> = {}): Revocable => ({
  ids: ['key-1'],
  subjects: ['ann'],
  issuedAt: NOW,
  path: OBJECT,
  ...over,
})

/** A download of bytes `start` to `end` of an object of `size` bytes, once. */
export const download = (
  over: Partial<LeaseRequest> = {},
  [start, end, size]: readonly [number, number, number] = [0, 100, 100],
): LeaseRequest => ({
  counted: [{ id: 'key-1', most: 1 }],
  object: OBJECT,
  address: '192.0.2.1',
  now: NOW,
  transfer: { etag: '"e1"', size: size as Bytes, start, end },
  ...over,
})

/** Something that is no transfer, such as an upload. */
export const deed = ({ transfer: _, ...over }: Partial<LeaseRequest> = {}): LeaseRequest => {
  const { transfer: __, ...request } = download(over)
  return request
}

export const issuedKey = (id: string, over: Partial<IssuedKey> = {}): IssuedKey => ({
  id,
  kid: 'k1',
  subjects: ['ann'],
  paths: ['reports/' as Scope],
  methods: ['GET'],
  issuedAt: NOW,
  expires: at(NOW + 900),
  issuedBy: 'cli',
  ...over,
})

export async function granted(ledger: Ledger, request: LeaseRequest): Promise<Lease> {
  const outcome = await ledger.lease(request)
  if (!outcome.granted) throw new Error(`refused: ${outcome.reason}`)
  return outcome.lease
}

const refusal = (reason: string, id = 'key-1') => ({ granted: false, reason, id })

/** @param open a fresh, empty ledger; whatever it needs is removed by `close` */
export function ledgerContract(
  name: string,
  open: () => Promise<{ ledger: Ledger; close: () => Promise<void> }>,
): void {
  describe(`the ledger contract: ${name}`, () => {
    let ledger: Ledger
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ ledger, close } = await open())
    })
    afterEach(() => close())

    describe('revocations', () => {
      const revoke = (...revocations: Partial<Revocation>[]) =>
        ledger.revoke(
          revocations.map((one) => ({ kind: 'id', value: 'key-1', revokedAt: NOW, ...one })),
        )

      test('a fresh ledger has revoked nothing', async () => {
        expect(await ledger.revocationOf(target())).toBeUndefined()
        expect(await ledger.revocations(10)).toEqual([])
      })

      test('an id is revoked whenever its key was minted, and no other is', async () => {
        await revoke({ reason: 'lost' })
        const revocation = { kind: 'id', value: 'key-1', revokedAt: NOW, reason: 'lost' }
        expect(await ledger.revocationOf(target({ ids: ['a', 'key-1'] }))).toEqual(revocation)
        expect(await ledger.revocationOf(target({ issuedAt: at(NOW + 99) }))).toEqual(revocation)
        expect(await ledger.revocationOf(target({ ids: ['key-2', 'key'] }))).toBeUndefined()
        expect(await ledger.revocationOf(target({ ids: [] }))).toBeUndefined()
      })

      test('a moment does not spare later keys of a revoked id', async () => {
        await revoke({ mintedUpTo: at(5) })
        expect(await ledger.revocationOf(target())).toBeDefined()
      })

      test.each([
        ['subject', 'ann'],
        ['path', 'reports/'],
        ['everything', ''],
      ] as const)('%s hits keys minted up to the moment, not later ones', async (kind, value) => {
        await revoke({ kind, value, mintedUpTo: NOW })
        expect(await ledger.revocationOf(target())).toMatchObject({ kind, value })
        expect(await ledger.revocationOf(target({ issuedAt: at(0) }))).toMatchObject({ kind })
        expect(await ledger.revocationOf(target({ issuedAt: at(NOW + 1) }))).toBeUndefined()
      })

      test('kinds are not mixed up', async () => {
        await revoke({ kind: 'subject', value: 'key-1' }, { kind: 'id', value: 'ann' })
        expect(await ledger.revocationOf(target())).toBeUndefined()
      })

      test.each([
        ['/', OBJECT],
        ['/', ''],
        ['reports/', OBJECT],
        ['reports/2026/', OBJECT],
        ['reports/2026/', 'reports/2026/'],
        [OBJECT, OBJECT],
      ])('the scope %s covers "%s"', async (value, path) => {
        await revoke({ kind: 'path', value, mintedUpTo: NOW })
        expect(await ledger.revocationOf(target({ path: path as Prefix }))).toMatchObject({ value })
      })

      test.each([
        ['reports/2026/', 'reports/2026x/a'],
        ['reports/2026/', 'reports/'],
        ['reports/2026/', 'reports/2026'],
        [OBJECT, 'reports/2026/q3.pdfx'],
        [OBJECT, 'reports/2026/'],
      ])('the scope %s does not cover "%s"', async (value, path) => {
        await revoke({ kind: 'path', value, mintedUpTo: NOW })
        expect(await ledger.revocationOf(target({ path: path as Prefix }))).toBeUndefined()
      })

      test('a key that is asked about without a path is not hit by one', async () => {
        await revoke({ kind: 'path', value: '/', mintedUpTo: NOW })
        const { path: _, ...key } = target()
        expect(await ledger.revocationOf(key)).toBeUndefined()
      })

      test('revoking again only ever makes stricter', async () => {
        const everything = { kind: 'everything', value: '' } as const
        await revoke({ ...everything, mintedUpTo: at(NOW - 10), until: at(NOW + 10), reason: 'a' })
        await revoke({ ...everything, mintedUpTo: NOW, until: at(NOW + 5), reason: 'b' })
        await revoke({ ...everything, mintedUpTo: at(5), until: at(NOW + 1), reason: 'c' })
        expect(await ledger.revocations(9)).toEqual([
          { ...everything, mintedUpTo: NOW, until: at(NOW + 10), revokedAt: NOW, reason: 'b' },
        ])
        await revoke({ ...everything, mintedUpTo: at(5) })
        expect(await ledger.revocations(9)).toEqual([
          { ...everything, mintedUpTo: NOW, revokedAt: NOW },
        ])
      })

      test('a batch may name one thing twice', async () => {
        await revoke({ until: at(NOW + 1) }, {})
        expect(await ledger.revocations(9)).toEqual([
          { kind: 'id', value: 'key-1', revokedAt: NOW },
        ])
      })

      test('lists the newest first, as many as asked for', async () => {
        for (const age of [3, 1, 2]) await revoke({ value: `${age}`, revokedAt: at(NOW - age) })
        expect((await ledger.revocations(2)).map(({ value }) => value)).toEqual(['1', '2'])
      })

      test.each(['id', 'subject', 'path'] as const)('one %s is found among many', async (kind) => {
        const values = Array.from({ length: 300 }, (_, n) => `v${n}/`)
        await revoke(...values.map((value) => ({ kind, value })))
        const named = (value: string) =>
          target({ ids: [value], subjects: [value], path: value as Prefix })
        for (const value of values) {
          expect(await ledger.revocationOf(named(value))).toMatchObject({ kind, value })
        }
        expect(await ledger.revocationOf(named('v300/'))).toBeUndefined()
      })

      test('the version moves with every revocation, and not with uses and activity', async () => {
        const before = ledger.version()
        await ledger.recordIssued([issuedKey('key-1')])
        await ledger.settle(await granted(ledger, download()), 100)
        expect(ledger.version()).toBe(before)
        await revoke({})
        expect(ledger.version()).not.toBe(before)
      })

      test('purge forgets what has ended, and only that', async () => {
        await revoke({ until: NOW }, { value: 'b', until: at(NOW + 1) }, { value: 'c' })
        expect(await ledger.purge(NOW)).toBe(1)
        expect(await ledger.revocationOf(target())).toBeUndefined()
        expect(await ledger.revocationOf(target({ ids: ['b'] }))).toBeDefined()
        expect(await ledger.revocationOf(target({ ids: ['c'] }))).toBeDefined()
        expect(await ledger.purge(NOW)).toBe(0)
      })
    })

    describe('uses', () => {
      test('as many uses as allowed, counted', async () => {
        for (const n of [1, 2, 3]) {
          const request = download({ counted: [{ id: 'key-1', most: 3 }] })
          await ledger.settle(await granted(ledger, request), 100)
          expect(await ledger.usesOf('key-1')).toBe(n)
        }
        expect(await ledger.lease(download({ counted: [{ id: 'key-1', most: 3 }] }))).toEqual(
          refusal('exhausted'),
        )
      })

      test('refused while a transfer under it runs, even where uses are left', async () => {
        const request = download({ counted: [{ id: 'key-1', most: 5 }] })
        const lease = await granted(ledger, request)
        expect(await ledger.lease(request)).toEqual(refusal('running'))
        await ledger.settle(lease, 100)
        expect((await ledger.lease(request)).granted).toBe(true)
      })

      test('a transfer that runs is refused however long it runs', async () => {
        await granted(ledger, download())
        const later = download({ now: at(NOW + 10 * LEASE_LIFE_SECONDS) })
        expect(await ledger.lease(later)).toEqual(refusal('running'))
      })

      test('200 at once give one', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 200 }, (_, n) => ledger.lease(download({ address: `10.0.0.${n}` }))),
        )
        expect(outcomes.filter(({ granted }) => granted)).toHaveLength(1)
        expect(await ledger.usesOf('key-1')).toBe(1)
      })

      test('another object, and another address, is another use', async () => {
        await granted(ledger, download())
        const others = [
          download({ object: 'reports/b' as ObjectPath }),
          download({ address: '::1' }),
        ]
        for (const other of others) expect(await ledger.lease(other)).toEqual(refusal('exhausted'))
      })

      test('after a broken transfer retries and ranges are free until all was sent', async () => {
        await ledger.settle(await granted(ledger, download()), 40)
        await ledger.settle(await granted(ledger, download({}, [60, 100, 100])), 40)
        await ledger.settle(await granted(ledger, download({}, [30, 60, 100])), 30)
        expect(await ledger.usesOf('key-1')).toBe(1)
        expect(await ledger.lease(download({}, [0, 1, 100]))).toEqual(refusal('exhausted'))
      })

      test('a range of an object is not the whole of it', async () => {
        for (const range of [
          [10, 100],
          [1, 9],
          [9, 10],
          [0, 1],
        ] as const) {
          const request = download({}, [...range, 100])
          await ledger.settle(await granted(ledger, request), range[1] - range[0])
        }
        expect(await ledger.lease(download({}, [9, 10, 100]))).toEqual(refusal('exhausted'))
      })

      test('retries are free for an hour', async () => {
        await ledger.settle(await granted(ledger, download()), 10)
        const last = download({ now: at(NOW + LEASE_LIFE_SECONDS - 1) })
        await ledger.settle(await granted(ledger, last), 10)
        const late = download({ now: at(NOW + LEASE_LIFE_SECONDS) })
        expect(await ledger.lease(late)).toEqual(refusal('exhausted'))
        const again = { ...late, counted: [{ id: 'key-1', most: 2 }] }
        await ledger.settle(await granted(ledger, again), 0)
        expect(await ledger.usesOf('key-1')).toBe(2)
      })

      test('never more than twice the size is sent', async () => {
        await ledger.settle(await granted(ledger, download()), 60)
        await ledger.settle(await granted(ledger, download()), 60)
        expect(await ledger.lease(download())).toEqual(refusal('overrun'))
        await ledger.settle(await granted(ledger, download({}, [0, 80, 100])), 80)
        expect(await ledger.lease(download({}, [80, 81, 100]))).toEqual(refusal('overrun'))
      })

      test('what may have left counts towards twice the size, not towards what was sent', async () => {
        for (let at = 0; at < 2; at += 1) {
          await ledger.settle(await granted(ledger, download()), 10, 100)
        }
        expect(await ledger.lease(download())).toEqual(refusal('overrun'))
        expect(await ledger.lease(download({}, [99, 100, 100]))).toEqual(refusal('overrun'))
      })

      test('where a use is left, it begins instead of sending more than twice', async () => {
        const request = download({ counted: [{ id: 'key-1', most: 2 }] })
        for (const sent of [99, 99]) await ledger.settle(await granted(ledger, request), sent)
        expect(await ledger.usesOf('key-1')).toBe(1)
        await granted(ledger, request)
        expect(await ledger.usesOf('key-1')).toBe(2)
      })

      test('other content has to be sent whole by itself, and what was sent before still counts', async () => {
        const changed = (start: number, end: number) =>
          download({ transfer: { etag: '"e2"', size: 100 as Bytes, start, end } })
        await ledger.settle(await granted(ledger, download({}, [0, 90, 100])), 90)
        await ledger.settle(await granted(ledger, changed(90, 100)), 10)
        await ledger.settle(await granted(ledger, changed(0, 50)), 50)
        expect(await ledger.usesOf('key-1')).toBe(1)
        expect(await ledger.lease(changed(0, 51))).toEqual(refusal('overrun'))
        await ledger.settle(await granted(ledger, changed(50, 90)), 40)
        expect(await ledger.lease(changed(0, 1))).toEqual(refusal('exhausted'))
      })

      test('an object without bytes is sent whole at once', async () => {
        await granted(ledger, download({}, [0, 0, 0]))
        expect(await ledger.lease(download({}, [0, 0, 0]))).toEqual(refusal('exhausted'))
      })

      test('what is no transfer counts when it is done, and is given back when it is not', async () => {
        const lease = await granted(ledger, deed())
        expect(await ledger.lease(deed())).toEqual(refusal('running'))
        await ledger.settle(lease, 0)
        expect(await ledger.usesOf('key-1')).toBe(0)
        await ledger.settle(await granted(ledger, deed()), 1)
        expect(await ledger.usesOf('key-1')).toBe(1)
        expect(await ledger.lease(deed())).toEqual(refusal('exhausted'))
      })

      test('an upload is not free after a broken download', async () => {
        await ledger.settle(await granted(ledger, download()), 10)
        expect(await ledger.lease(deed())).toEqual(refusal('exhausted'))
      })

      test('settling twice, or late, changes nothing', async () => {
        const first = await granted(ledger, download())
        await ledger.settle(first, 40)
        await ledger.settle(first, 0)
        const second = await granted(ledger, download({}, [0, 100, 100]))
        await ledger.settle(first, 100)
        expect(await ledger.lease(download())).toEqual(refusal('running'))
        await ledger.settle(second, 0)
        // 40 were charged, once: 160 are left
        await ledger.settle(await granted(ledger, download()), 99)
        expect(await ledger.lease(download({}, [0, 62, 100]))).toEqual(refusal('overrun'))
        expect((await ledger.lease(download({}, [0, 61, 100]))).granted).toBe(true)
      })

      test('giving back twice gives back once', async () => {
        const request = deed({ counted: [{ id: 'key-1', most: 2 }] })
        await ledger.settle(await granted(ledger, { ...request, address: '::2' }), 1)
        const lease = await granted(ledger, request)
        await ledger.settle(lease, 0)
        await ledger.settle(lease, 0)
        expect(await ledger.usesOf('key-1')).toBe(1)
      })

      test('several ids count together, or none does', async () => {
        const counted = [
          { id: 'key-1', most: 5 },
          { id: 'block-2', most: 1 },
        ]
        await ledger.settle(await granted(ledger, download({ counted })), 100)
        expect(await ledger.lease(download({ counted }))).toEqual(refusal('exhausted', 'block-2'))
        expect(await ledger.usesOf('key-1')).toBe(1)
        await ledger.settle(
          await granted(ledger, download({ counted: [counted[0] as never] })),
          100,
        )
        expect(await ledger.usesOf('key-1')).toBe(2)
        expect(await ledger.usesOf('block-2')).toBe(1)
      })

      test('an id that is stated twice is counted once, and within both limits', async () => {
        const counted = [
          { id: 'key-1', most: 5 },
          { id: 'key-1', most: 1 },
        ]
        await ledger.settle(await granted(ledger, download({ counted })), 100)
        expect(await ledger.usesOf('key-1')).toBe(1)
        expect(await ledger.lease(download({ counted }))).toEqual(refusal('exhausted'))
      })

      test('more than was granted is never counted as sent', async () => {
        await ledger.settle(await granted(ledger, download({}, [0, 10, 100])), 1000)
        expect((await ledger.lease(download({}, [10, 100, 100]))).granted).toBe(true)
      })

      test.each([
        [0, 101, 100],
        [-1, 5, 100],
        [6, 5, 100],
        [0.5, 1, 100],
        [0, Number.NaN, 100],
      ])('bytes %d to %d of %d are refused as a mistake of the caller', async (...range) => {
        await expect(ledger.lease(download({}, range))).rejects.toThrow(RangeError)
      })

      test.each([-1, 0.5, Number.NaN])(
        '%d bytes sent are a mistake of the caller',
        async (sent) => {
          const lease = await granted(ledger, download())
          await expect(ledger.settle(lease, sent)).rejects.toThrow(RangeError)
        },
      )

      test('a lease survives structured cloning', async () => {
        const lease = structuredClone(await granted(ledger, download()))
        await ledger.settle(lease, 100)
        expect(await ledger.lease(download())).toEqual(refusal('exhausted'))
      })
    })

    describe('issued keys', () => {
      const idsOf = async (filter: Partial<Parameters<Ledger['issued']>[0]> = {}) =>
        (await ledger.issued({ limit: 10, ...filter })).map(({ id }) => id)

      test('shows what was recorded, newest first', async () => {
        const key = issuedKey('a', { uses: 3 })
        await ledger.recordIssued([key, issuedKey('b')])
        await ledger.recordIssued([issuedKey('c')])
        expect(await idsOf()).toEqual(['c', 'b', 'a'])
        expect(await ledger.issued({ id: 'a', limit: 1 })).toEqual([{ ...key, counted: 0 }])
      })

      test('pages through by limit and after', async () => {
        await ledger.recordIssued(['a', 'b', 'c', 'd'].map((id) => issuedKey(id)))
        expect(await idsOf({ limit: 2 })).toEqual(['d', 'c'])
        expect(await idsOf({ limit: 2, after: 'c' })).toEqual(['b', 'a'])
        expect(await idsOf({ after: 'a' })).toEqual([])
        expect(await idsOf({ after: 'nobody' })).toEqual([])
      })

      test('filters by subject', async () => {
        await ledger.recordIssued([
          issuedKey('a', { subjects: ['ann', 'bob'] }),
          issuedKey('b', { subjects: [] }),
        ])
        expect(await idsOf({ subject: 'bob' })).toEqual(['a'])
        expect(await idsOf({ subject: 'ann', id: 'b' })).toEqual([])
      })

      test('filters by a scope at or beneath a path', async () => {
        const paths = ['/', 'reports/', 'reports/2026/', 'reports/x', 'reports0/', 'reportz/a']
        await ledger.recordIssued(
          paths.map((path) => issuedKey(`k${paths.indexOf(path)}`, { paths: [path as Scope] })),
        )
        expect(await idsOf({ path: 'reports/' as Scope })).toEqual(['k3', 'k2', 'k1'])
        expect(await idsOf({ path: 'reports/x' as Scope })).toEqual(['k3'])
        expect(await idsOf({ path: '/' as Scope })).toHaveLength(paths.length)
        expect(await idsOf({ path: 'reports/202' as Scope })).toEqual([])
      })

      test('a key with two scopes beneath a path is listed once', async () => {
        await ledger.recordIssued([
          issuedKey('a', { paths: ['reports/a/', 'reports/b/'] as Scope[] }),
        ])
        expect(await idsOf({ path: 'reports/' as Scope })).toEqual(['a'])
      })

      test.each([
        ['was issued before', ['new', 'old']],
        ['was revoked before', ['new', 'gone']],
        ['is in the batch twice', ['new', 'twice', 'twice']],
      ])('an id that %s is taken, and nothing of the batch is recorded', async (_, ids) => {
        await ledger.recordIssued([issuedKey('old')])
        await ledger.revoke([{ kind: 'id', value: 'gone', revokedAt: NOW }])
        const attempt = ledger.recordIssued(ids.map((id) => issuedKey(id)))
        await expect(attempt).rejects.toThrow(IdTaken)
        await expect(attempt).rejects.toMatchObject({ id: ids.at(-1) })
        expect(await idsOf()).toEqual(['old'])
      })

      test.each<[string, readonly string[], readonly string[], string | undefined]>([
        ['its folder', ['reports/a'], ['reports/'], 'reports/'],
        ['everything', ['reports/a', '/'], ['/'], '/'],
        ['each of its scopes', ['reports/a', 'logs/'], ['reports/', 'logs/'], 'reports/'],
        ['one of its scopes alone', ['reports/a', 'logs/'], ['logs/'], undefined],
        ['what lies beneath its scope', ['reports/'], ['reports/a'], undefined],
      ])('a key ends with the revocation of %s', async (_, paths, revoked, ended) => {
        await ledger.recordIssued([issuedKey('a', { paths: paths as Scope[] })])
        await ledger.revoke(
          revoked.map((value) => ({ kind: 'path', value, mintedUpTo: NOW, revokedAt: NOW })),
        )
        const [key] = await ledger.issued({ limit: 1 })
        expect(key?.revocation?.value).toBe(ended)
      })

      test('shows uses, activity and the revocation that hits', async () => {
        await ledger.recordIssued([issuedKey('key-1')])
        await ledger.settle(await granted(ledger, download()), 100)
        const activity = {
          id: 'key-1',
          lastUsed: NOW,
          lastAddress: '::1',
          requests: 2,
          bytesOut: 100,
          bytesIn: 7,
        }
        const earlier = { ...activity, lastUsed: at(NOW - 5), lastAddress: '::2', bytesIn: 1 }
        await ledger.noteActivity([activity, earlier])
        await ledger.revoke([{ kind: 'subject', value: 'ann', mintedUpTo: NOW, revokedAt: NOW }])
        expect(await ledger.issued({ id: 'key-1', limit: 1 })).toEqual([
          {
            ...issuedKey('key-1'),
            counted: 1,
            activity: { ...activity, requests: 4, bytesOut: 200, bytesIn: 8 },
            revocation: { kind: 'subject', value: 'ann', mintedUpTo: NOW, revokedAt: NOW },
          },
        ])
      })

      test('activity of a key that was never issued here is not kept for one of its name', async () => {
        const activity = {
          id: 'a',
          lastUsed: NOW,
          lastAddress: '',
          requests: 1,
          bytesOut: 0,
          bytesIn: 0,
        }
        await ledger.noteActivity([activity])
        await ledger.recordIssued([issuedKey('a')])
        expect(await ledger.issued({ limit: 1 })).toEqual([{ ...issuedKey('a'), counted: 0 }])
      })

      test('purge forgets keys long expired with their uses, and keeps their ids taken till then', async () => {
        const expires = at(NOW + 900)
        await ledger.recordIssued([issuedKey('key-1'), issuedKey('b', { expires: at(NOW + 901) })])
        await ledger.settle(await granted(ledger, download()), 100)
        expect(await ledger.purge(at(expires + FORGET_ISSUED_AFTER_SECONDS))).toBe(0)
        await expect(ledger.recordIssued([issuedKey('key-1')])).rejects.toThrow(IdTaken)
        expect(await ledger.purge(at(expires + FORGET_ISSUED_AFTER_SECONDS + 1))).toBe(1)
        expect(await idsOf()).toEqual(['b'])
        expect(await idsOf({ subject: 'ann', path: 'reports/' as Scope })).toEqual(['b'])
        expect(await ledger.usesOf('key-1')).toBe(0)
        await ledger.recordIssued([issuedKey('key-1')])
        expect(await idsOf()).toEqual(['key-1', 'b'])
      })
    })

    test('keys are counted by what signed them, those that still work apart', async () => {
      await ledger.recordIssued([
        issuedKey('a'),
        issuedKey('b'),
        issuedKey('c', { expires: NOW }),
        issuedKey('d', { kid: 'k2', renewed: NOW }),
        issuedKey('e', { kid: 'k2', renewed: at(NOW + 1) }),
      ])
      await ledger.revoke([{ kind: 'id', value: 'b', revokedAt: NOW }])
      const counts = [...(await ledger.issuedByKid(NOW))].sort((x, y) => (x.kid < y.kid ? -1 : 1))
      expect(counts).toEqual([
        { kid: 'k1', issued: 3, live: 1 },
        { kid: 'k2', issued: 2, live: 1 },
      ])
    })

    describe('signing keys', () => {
      const record = (kid: string, over: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
        kid,
        kind: 'native',
        status: 'active',
        createdAt: NOW,
        ...over,
      })

      test('are listed oldest first, as they were added', async () => {
        const confined = record('k2', {
          createdAt: at(NOW - 1),
          kind: 's3',
          status: 'retiring',
          graceEnds: at(NOW + 5),
          ceiling: { path: 'tenants/a/' },
        })
        await ledger.addSigningKey(record('k1'))
        await ledger.addSigningKey(confined)
        expect(await ledger.signingKeys()).toEqual([confined, record('k1')])
      })

      test('a kid is taken for ever', async () => {
        await ledger.addSigningKey(record('k1'))
        await ledger.setSigningKeyStatus('k1', 'revoked')
        await expect(ledger.addSigningKey(record('k1'))).rejects.toThrow(IdTaken)
        expect(await ledger.signingKeys()).toEqual([record('k1', { status: 'revoked' })])
      })

      test('change their status, and the version moves', async () => {
        const before = ledger.version()
        await ledger.addSigningKey(record('k1'))
        const added = ledger.version()
        expect(added).not.toBe(before)
        expect(await ledger.setSigningKeyStatus('k1', 'retiring', at(NOW + 9))).toBe(true)
        expect(await ledger.signingKeys()).toEqual([
          record('k1', { status: 'retiring', graceEnds: at(NOW + 9) }),
        ])
        expect(ledger.version()).not.toBe(added)
        await ledger.setSigningKeyStatus('k1', 'active')
        expect(await ledger.signingKeys()).toEqual([record('k1')])
      })

      test('a revoked one stays revoked', async () => {
        await ledger.addSigningKey(record('k1'))
        await ledger.setSigningKeyStatus('k1', 'revoked')
        await ledger.setSigningKeyStatus('k1', 'active')
        await ledger.setSigningKeyStatus('k1', 'retiring', at(NOW + 9))
        expect(await ledger.signingKeys()).toEqual([record('k1', { status: 'revoked' })])
      })

      test('one that is not there is said so', async () => {
        expect(await ledger.setSigningKeyStatus('k1', 'active')).toBe(false)
      })
    })

    describe('notes', () => {
      test('are kept beside a key, and replaced', async () => {
        expect(await ledger.noteOf('k-1')).toBeUndefined()
        await ledger.keepNotes([{ id: 'k-1', message: 'hello', pin: 'scrypt$…' }, { id: 'k-2' }])
        expect(await ledger.noteOf('k-1')).toEqual({
          id: 'k-1',
          message: 'hello',
          pin: 'scrypt$…',
        })
        expect(await ledger.noteOf('k-2')).toEqual({ id: 'k-2' })
        await ledger.keepNotes([{ id: 'k-1', message: 'bye' }])
        expect(await ledger.noteOf('k-1')).toEqual({ id: 'k-1', message: 'bye' })
      })

      test('go with the key', async () => {
        await ledger.recordIssued([issuedKey('k-1', { expires: at(NOW - 1) })])
        await ledger.keepNotes([{ id: 'k-1', message: 'hello' }])
        await ledger.purge(at(NOW + FORGET_ISSUED_AFTER_SECONDS))
        expect(await ledger.noteOf('k-1')).toBeUndefined()
      })
    })

    describe('wrong PINs', () => {
      const guess = { id: 'k-1', address: '192.0.2.1', now: NOW }
      const times = (count: number, attempt = guess) =>
        Promise.all(Array.from({ length: count }, () => ledger.tryPin(attempt)))

      test('are limited for a key and an address, however many come at once', async () => {
        const waits = await times(50)
        expect(waits.filter((wait) => wait === 0)).toHaveLength(MOST_WRONG_PINS)
        expect(waits.filter((wait) => wait === PIN_WINDOW_SECONDS)).toHaveLength(
          50 - MOST_WRONG_PINS,
        )
        expect(await ledger.tryPin({ ...guess, address: '192.0.2.2' })).toBe(0)
        expect(await ledger.tryPin({ ...guess, id: 'k-2' })).toBe(0)
      })

      test('make the right one wait as well, which is not counted', async () => {
        await times(MOST_WRONG_PINS - 1)
        for (let n = 0; n < 2; n += 1) expect(await ledger.pinWait(guess)).toBe(0)
        await times(1)
        expect(await ledger.pinWait(guess)).toBe(PIN_WINDOW_SECONDS)
        expect(await ledger.pinWait({ ...guess, address: '192.0.2.2' })).toBe(0)
        expect(await ledger.pinWait({ ...guess, now: at(NOW + PIN_WINDOW_SECONDS) })).toBe(0)
      })

      test('are forgotten when the window is over, not before', async () => {
        await times(MOST_WRONG_PINS)
        const later = (seconds: number) => ({ ...guess, now: at(NOW + seconds) })
        expect(await ledger.tryPin(later(PIN_WINDOW_SECONDS - 1))).toBe(1)
        await ledger.purge(at(NOW + PIN_WINDOW_SECONDS - 1))
        expect(await ledger.tryPin(later(PIN_WINDOW_SECONDS - 1))).toBe(1)
        expect(await ledger.tryPin(later(PIN_WINDOW_SECONDS))).toBe(0)
      })

      test('are not counted where they were right', async () => {
        for (let n = 0; n < 3 * MOST_WRONG_PINS; n += 1) {
          expect(await ledger.tryPin(guess)).toBe(0)
          await ledger.pinWasRight(guess)
        }
        await times(MOST_WRONG_PINS)
        await ledger.pinWasRight(guess)
        expect([await ledger.tryPin(guess), await ledger.tryPin(guess)]).toEqual([
          0,
          PIN_WINDOW_SECONDS,
        ])
      })

      test('of a clock that was set back wait no longer than the window', async () => {
        await times(MOST_WRONG_PINS)
        expect(await ledger.tryPin({ ...guess, now: at(NOW - 10_000) })).toBe(PIN_WINDOW_SECONDS)
      })

      const from = (network: number, seconds = 0) => ({
        ...guess,
        address: `198.51.100.${network}`,
        now: at(NOW + seconds),
      })
      /** As many as there may be, each from another network. */
      const fromAnywhere = (count: number) =>
        Promise.all(Array.from({ length: count }, (_, n) => ledger.tryPin(from(n))))

      test('are limited for a key from all addresses together, however many come at once', async () => {
        const waits = await fromAnywhere(MOST_WRONG_PINS_ANYWHERE + 50)
        expect(waits.filter((wait) => wait === 0)).toHaveLength(MOST_WRONG_PINS_ANYWHERE)
        expect(waits.filter((wait) => wait === SECONDS_PER_PIN_ANYWHERE)).toHaveLength(50)
        expect(await ledger.pinWait(from(200))).toBe(SECONDS_PER_PIN_ANYWHERE)
        expect(await ledger.tryPin({ ...guess, id: 'k-2' })).toBe(0)
      })

      test('from elsewhere keep nobody waiting for long', async () => {
        await fromAnywhere(MOST_WRONG_PINS_ANYWHERE)
        const soon = SECONDS_PER_PIN_ANYWHERE
        expect(await ledger.tryPin(from(200, soon - 1))).toBe(1)
        expect(await ledger.tryPin(from(200, soon))).toBe(0)
        expect(await ledger.tryPin(from(201, soon))).toBe(soon)
        await ledger.purge(at(NOW + 10 * soon))
        const later = Array.from({ length: 10 }, (_, n) => ledger.tryPin(from(n, 10 * soon + 1)))
        expect((await Promise.all(later)).filter((wait) => wait === 0)).toHaveLength(9)
      })

      test('from elsewhere are nothing to where the right one came from, for a day', async () => {
        await ledger.tryPin(guess)
        await ledger.pinWasRight(guess)
        const later = PIN_KNOWN_SECONDS - 1
        await ledger.purge(at(NOW + later))
        for (let n = 0; n < MOST_WRONG_PINS_ANYWHERE; n += 1) await ledger.tryPin(from(n, later))
        expect(await ledger.pinWait({ ...guess, now: at(NOW + later) })).toBe(0)
        const own = await times(MOST_WRONG_PINS + 1, { ...guess, now: at(NOW + later) })
        expect(own.filter((wait) => wait === 0)).toHaveLength(MOST_WRONG_PINS)
        expect(await ledger.pinWait({ ...guess, now: at(NOW + later + 1) })).toBeGreaterThan(0)
      })

      test('from anywhere are not counted where they were right', async () => {
        for (let n = 0; n < 2 * MOST_WRONG_PINS_ANYWHERE; n += 1) {
          expect(await ledger.tryPin(from(n))).toBe(0)
          await ledger.pinWasRight(from(n))
        }
      })

      test('from anywhere wait no longer when a clock was set back', async () => {
        await fromAnywhere(MOST_WRONG_PINS_ANYWHERE)
        expect(await ledger.tryPin(from(200, -10_000))).toBe(SECONDS_PER_PIN_ANYWHERE)
      })
    })

    describe('time', () => {
      test('the latest one noted is known, earlier ones change nothing', async () => {
        expect(await ledger.latestTime()).toBe(0)
        await ledger.noteTime(NOW)
        await ledger.noteTime(at(NOW - 3600))
        expect(await ledger.latestTime()).toBe(NOW)
      })

      test('is taken back by a reset only', async () => {
        await ledger.noteTime(NOW)
        await ledger.resetTime(at(NOW - 3600))
        expect(await ledger.latestTime()).toBe(NOW - 3600)
      })
    })

    test('after closing, which may be asked for twice, nothing is written', async () => {
      await ledger.close()
      await ledger.close()
      await expect(
        ledger.revoke([{ kind: 'everything', value: '', revokedAt: NOW }]),
      ).rejects.toThrow()
      await expect(ledger.lease(download())).rejects.toThrow()
    })
  })
}
