import { describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../../audit/audit.ts'
import { Deriver, REPEATEDLY } from '../../../events/derive.ts'

const START = Date.parse('2026-11-24T10:00:00Z')
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString()

const record = (kind: AuditRecord['kind'], act: string, more: Partial<AuditRecord> = {}) =>
  ({ time: at(0), kind, by: 'gateway', act, ...more }) as AuditRecord
const change = (act: string, more: Partial<AuditRecord> = {}) =>
  record('change', act, { id: 'r1', path: '/docs/a.txt', keys: ['k1'], ...more })
const outcome = (status: number, more: Partial<AuditRecord> = {}) =>
  record('request', 'PUT', { id: 'r1', status, ...more })

const told = (records: readonly AuditRecord[], deriver = new Deriver(), now = START) =>
  deriver.take(records, now).map(({ type, subject, data }) => [type, subject, data.confirmed])

describe('a change', () => {
  it.each([
    ['PUT', 'upload.finished'],
    ['complete', 'upload.finished'],
    ['copy', 'upload.finished'],
    ['DELETE', 'object.deleted'],
  ])('%s is told of as %s once its outcome is known', (act, type) => {
    const deriver = new Deriver()
    expect(told([change(act)], deriver)).toEqual([])
    expect(told([outcome(201)], deriver)).toEqual([[type, '/docs/a.txt', undefined]])
    expect(told([outcome(201)], deriver)).toEqual([])
  })

  it('that came to nothing is not', () => {
    expect(told([change('PUT'), outcome(412)])).toEqual([])
    expect(told([change('DELETE'), change('undone'), outcome(204)])).toEqual([])
    const twice = [change('DELETE'), change('DELETE'), change('undone'), outcome(200)]
    expect(told(twice)).toHaveLength(1)
    expect(told([change('set-metadata'), outcome(200)])).toEqual([])
  })

  it('without an outcome is told of as what it is, also over a restart', () => {
    const before = new Deriver()
    expect(told([change('PUT')], before)).toEqual([])
    const after = new Deriver(JSON.parse(JSON.stringify(before.state)))
    expect(told([], after, START + 59_000)).toEqual([])
    expect(told([], after, START + 61_000)).toEqual([['upload.finished', '/docs/a.txt', false]])
    expect(after.state).toEqual({ open: {} })
  })

  it('that was read long after it was made waits for its outcome, which is read next', () => {
    const deriver = new Deriver()
    const hours = START + 7_200_000
    expect(told([change('PUT')], deriver, hours)).toEqual([])
    expect(told([outcome(412)], deriver, hours)).toEqual([])
    expect(told([change('PUT')], deriver, hours)).toEqual([])
    expect(told([], deriver, hours)).toEqual([['upload.finished', '/docs/a.txt', false]])
  })

  it('from the command line is told of when it says that it was done', () => {
    const deriver = new Deriver()
    expect(told([change('PUT')], deriver)).toEqual([])
    expect(told([change('done')], deriver)).toEqual([['upload.finished', '/docs/a.txt', undefined]])
    expect(deriver.state).toEqual({ open: {} })
    expect(told([change('PUT'), change('undone')], deriver)).toEqual([])
    expect(told([], deriver, START + 61_000)).toEqual([])
  })

  it('from a command line of before has no outcome to wait for', () => {
    const { id: _, ...noRequest } = change('PUT')
    expect(told([noRequest])).toEqual([['upload.finished', '/docs/a.txt', undefined]])
  })
})

describe('a key', () => {
  it('that is used up is told of under one id', () => {
    const used = (time: string) => record('act', 'used-up', { keys: ['k1'], time })
    const [first, second] = new Deriver().take([used(at(0)), used(at(9))], START)
    expect(first).toMatchObject({ type: 'key.used_up', subject: 'k1' })
    expect(second?.id).toBe(first?.id)
  })

  it('is told apart from those that its holders made of it, whatever ids these state', () => {
    const usedUp = (...keys: string[]) => record('act', 'used-up', { keys })
    const [narrowed, whole] = new Deriver().take([usedUp('k1', 'k2'), usedUp('k1')], START)
    expect(narrowed?.subject).toBe('k1/k2')
    expect([whole?.subject, whole?.id !== narrowed?.id]).toEqual(['k1', true])
    const refused = record('request', 'GET', { code: 'key_expired', keys: ['k1', 'of another'] })
    expect(told(Array.from({ length: REPEATEDLY }, () => refused))).toEqual([
      ['key.refused_repeatedly', 'k1', undefined],
    ])
  })

  it('that is refused repeatedly is told of once in a while', () => {
    const refused = (seconds: number) =>
      record('request', 'GET', {
        time: at(seconds),
        code: 'key_expired',
        keys: ['k1'],
        status: 403,
      })
    const deriver = new Deriver()
    const often = Array.from({ length: REPEATEDLY * 2 }, (_, count) => refused(count))
    expect(told(often, deriver)).toEqual([['key.refused_repeatedly', 'k1', undefined]])
    expect(
      told(
        Array.from({ length: 9 }, (_, count) => refused(1000 + count)),
        deriver,
      ),
    ).toEqual([])
    const seldom = Array.from({ length: 30 }, (_, count) => refused(5000 + count * 40))
    expect(told(seldom, deriver)).toEqual([])
    expect(told([refused(9000), record('request', 'GET', { code: 'key_missing' })])).toEqual([])
  })
})
