import { describe, expect, it } from 'vitest'
import { DatabaseError } from '../../../../../database/open.ts'
import { nodeFiles, type Space } from '../../../../../gateway/store/files/files.ts'
import { asRefusal, Health } from '../../../../../gateway/store/files/health.ts'
import { Damaged } from '../../../../../gateway/store/store.ts'
import { Refusal } from '../../../../../key/refusal.ts'
import { bytes, unixSeconds } from '../../../../../key/units.ts'
import { START } from '../../../../support/store.ts'
import { errno } from '../../../../support/store-faults.ts'

const GiB = 2 ** 30

function healthWith(space: () => Promise<Space>, reserve?: number) {
  const state: { now: number; looks: number; failure?: DatabaseError } = { now: START, looks: 0 }
  const health = new Health({
    files: {
      ...nodeFiles,
      space: () => {
        state.looks += 1
        return space()
      },
    },
    folder: '/data',
    now: () => unixSeconds(state.now),
    reserve: reserve === undefined ? undefined : bytes(reserve),
    indexFailure: () => state.failure,
  })
  return { health, state }
}

describe('the reserve', () => {
  it.each([
    [GiB - 1, 10 * GiB, undefined, 'storage_full'],
    [GiB, 10 * GiB, undefined, undefined],
    [5 * GiB - 1, 100 * GiB, undefined, 'storage_full'],
    [5 * GiB, 100 * GiB, undefined, undefined],
    [999, GiB, 1000, 'storage_full'],
    [1000, GiB, 1000, undefined],
    [0, GiB, 0, undefined],
  ])('%i of %i bytes free, %s asked for: %s', async (free, total, reserve, code) => {
    const { health } = healthWith(async () => ({ free, total }), reserve)
    expect((await health.trouble())?.code).toBe(code)
    if (code === undefined) await health.check()
    else await expect(async () => health.check()).rejects.toMatchObject({ code })
  })

  it('is looked up once a second, and met again unaided', async () => {
    let free = 0
    const { health, state } = healthWith(async () => ({ free, total: GiB }), 10)
    await Promise.all([
      health.trouble(),
      health.trouble(),
      Promise.resolve(health.check()).catch(() => {}),
    ])
    expect(health.trouble()).toMatchObject({ code: 'storage_full' })
    expect(state.looks).toBe(1)
    free = 10
    state.now += 1
    expect(await health.trouble()).toBeUndefined()
    expect(health.trouble()).toBeUndefined()
    expect(state.looks).toBe(2)
  })

  it('that is not known is trouble', async () => {
    const { health } = healthWith(() => Promise.reject(errno('EIO')))
    expect(await health.trouble()).toMatchObject({ code: 'unavailable' })
  })
})

describe('failures', () => {
  const fine = async (): Promise<Space> => ({ free: GiB, total: GiB })

  it('of an fsync are for good, a full disk is not', async () => {
    const { health, state } = healthWith(fine, 0)
    const failing = (code: string) =>
      health.guarded({ ...nodeFiles, sync: () => Promise.reject(errno(code)) })
    await expect(failing('ENOSPC').sync(0)).rejects.toThrow()
    expect(await health.trouble()).toBeUndefined()
    await expect(failing('EIO').sync(0)).rejects.toThrow()
    state.now += 1000
    expect(await health.trouble()).toMatchObject({ code: 'unavailable' })
    await expect(async () => health.check()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of the index are trouble', async () => {
    const { health, state } = healthWith(fine, 0)
    state.failure = new DatabaseError('SQLITE_IOERR_FSYNC', 'index.db: disk I/O error')
    expect(await health.trouble()).toEqual({
      code: 'unavailable',
      detail: 'index.db: disk I/O error',
    })
  })

  it.each([
    [errno('ENOSPC'), 'storage_full'],
    [errno('EDQUOT'), 'storage_full'],
    [new DatabaseError('SQLITE_FULL', 'full'), 'storage_full'],
    [errno('EIO'), 'unavailable'],
    [errno('EMFILE'), 'unavailable'],
    [errno('SQLITE_IOERR_READ'), 'unavailable'],
    [new DatabaseError('WRITER_ENDED', 'ended'), 'unavailable'],
    [new Refusal('too_large', 'x'), 'too_large'],
  ])('become refusals: %s, %s', (error, code) => {
    const refusal = asRefusal(error)
    expect(refusal).toBeInstanceOf(Refusal)
    expect(refusal).toMatchObject({ code })
  })

  it.each([new Damaged('x'), new TypeError('x'), errno('ERR_OUT_OF_RANGE')])(
    'that are ours stay what they are: %s',
    (error) => {
      expect(asRefusal(error)).toBe(error)
    },
  )

  it('say what to do about too many open files', () => {
    expect(asRefusal(errno('EMFILE')).message).toContain('ulimit -n')
  })
})
