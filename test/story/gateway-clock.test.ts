/** Somebody sets the clock back by an hour: what had expired stays expired. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { SteadyClock } from '../../gateway/clock.ts'
import type { Clock } from '../../gateway/services.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'
import { openHouse } from '../support/house.ts'

const NOON = 1_800_000_000
const HOUR = 3600

let folder: string
let time = NOON
const system: Clock = { now: () => time as UnixSeconds, monotonic: () => performance.now() }

beforeEach(() => {
  time = NOON
  folder = mkdtempSync(join(tmpdir(), 'valetkey-clock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A clock on a ledger that was closed and opened again, as after a restart. */
async function restarted(use: (clock: SteadyClock) => Promise<void>): Promise<void> {
  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  try {
    await use(await SteadyClock.start(system, ledger))
  } finally {
    await ledger.close()
    instance.close()
  }
}

it('a key that has expired stays refused, and says so', async () => {
  await restarted(async (clock) => {
    const house = await openHouse({ clock: { now: clock.now } })
    try {
      const key = house.mint({ exp: NOON + 60, methods: ['GET'] })
      const code = async () => {
        const answer = await fetch(house.url('docs/a.txt', key))
        return ((await answer.json()) as { code: string }).code
      }
      expect(await code()).toBe('object_not_found')
      time = NOON + 61
      expect(await code()).toBe('key_expired')
      time = NOON + 61 - HOUR
      expect(await code()).toBe('key_expired')
      expect(clock.behind()).toBe(HOUR)
    } finally {
      await house.close()
    }
  })
})

it('also after a restart, until the owner says that the clock is right', async () => {
  await restarted((clock) => clock.note())
  time = NOON - HOUR
  await restarted(async (clock) => expect(clock.now()).toBe(NOON))

  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  await ledger.resetTime(time as UnixSeconds)
  await ledger.close()
  instance.close()
  await restarted(async (clock) => {
    expect(clock.now()).toBe(NOON - HOUR)
    expect(clock.behind()).toBe(0)
  })
})
