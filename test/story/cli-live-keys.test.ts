/** The command line on keys that are in use, on policies and on plans. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectPath } from '../../key/object-path.ts'
import { later, type Seconds } from '../../key/units.ts'
import { openLedger } from '../support/ledger-file.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const pass = (seconds: number) => {
  line.now = later(line.now, seconds as Seconds)
}
const honoured = async (link: string) =>
  (await line.json<{ honoured: boolean }>('inspect', link)).honoured
const stateOf = async (id: string) =>
  /\b(active|used up|paused|expired|revoked)\b/.exec(await line.done('issued', '--id', id))?.[0]

describe('a key that is in use', () => {
  it('is paused, resumed, renewed and replaced by its id', async () => {
    const link = await line.done('mint', 'demo/a', '--id', 'mine', '--renewable', '--expires', '1h')
    await line.done('pause', 'mine')
    expect([await honoured(link), await stateOf('mine')]).toEqual([false, 'paused'])
    await line.done('resume', 'mine')
    expect(await honoured(link)).toBe(true)
    pass(3601)
    expect([await honoured(link), await stateOf('mine')]).toEqual([false, 'expired'])
    await line.done('renew', 'mine', '--expires', '1d')
    expect([await honoured(link), await stateOf('mine')]).toEqual([true, 'active'])
    const other = await line.done('replace', 'mine')
    expect([await honoured(link), await honoured(other)]).toEqual([false, true])
  })

  it('is told from one that was not minted here', async () => {
    await line.done('mint', 'demo/a', '--id', 'mine')
    const unknown = 'no key with this id was minted here: check it with valetkey issued'
    expect(await line.done('pause', 'mien')).toBe(`mien: ${unknown}; it is paused, if there is one`)
    expect(await line.done('renew', 'mein', '--expires', '1h')).toMatch(
      /^mein: no key with this id was minted here: .*; at most until \S+ \(in 1h\), if there is one$/,
    )
    expect(await line.json('pause', 'mine')).toMatchObject({ paused: true, mintedHere: true })
    const revoked = await line.run(['revoke', 'mien'])
    expect(revoked).toMatchObject({ code: 0, stderr: `mien: ${unknown}\n` })
    expect((await line.run(['revoke', 'mine'])).stderr).toBe('')
    expect(await line.json('revoke', 'mien')).toMatchObject({ notMintedHere: ['mien'] })
  })

  it('is used up once its uses are counted', async () => {
    await line.done('mint', 'demo/a', '--id', 'once', '--once')
    const { ledger, close } = await openLedger(join(line.folder, 'data'))
    const object = 'demo/a' as ObjectPath
    const counted = [{ id: 'once', most: 1 }]
    await ledger.lease({ counted, object, address: '127.0.0.1', now: line.now })
    await close()
    expect(await stateOf('once')).toBe('used up')
  })

  it('that is not renewable ends no later than it was signed', async () => {
    await line.done('mint', 'demo/a', '--id', 'mine', '--expires', '1h')
    const { code, stderr } = await line.run(['renew', 'mine', '--expires', '2h'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/conflict.*renewable/)])
    expect((await line.run(['renew', 'mine', '--expires', '9d'])).code).toBe(1)
    const late = await line.run(['replace', 'mine', '--expires', '9d'])
    expect([late.code, late.stderr]).toEqual([2, expect.stringMatching(/--expires must be/)])
  })
})

describe('policies and plans', () => {
  it('are set, listed, shown and removed', async () => {
    const link = await line.done('mint', 'demo/a', '--policy', 'partners')
    expect(await honoured(link)).toBe(false)
    await line.done('policies', 'set', 'partners', '--method', 'GET')
    expect(await honoured(link)).toBe(true)
    expect(await line.done('policies', 'list')).toMatch(/partners.*may download/)
    await line.done('policies', 'set', 'partners', '--expires', '1m')
    pass(61)
    expect(await honoured(link)).toBe(false)
    await line.done('policies', 'remove', 'partners', '--yes')
    expect((await line.run(['policies', 'show', 'partners'])).code).toBe(1)
    await line.done('plans', 'set', 'free', '--rate', '10/s', '--bytes', '1GiB')
    expect(await line.done('plans', 'show', 'free')).toMatch(/10 requests in 1 s\n.*1 GiB a day/s)
    const { code, stderr } = await line.run(['plans', 'set', 'free', '--rate', 'fast'])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/rate must be requests/)])
  })
})
