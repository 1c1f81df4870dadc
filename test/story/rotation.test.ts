/** A new signing key while gateways run: nobody restarts, every process follows. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { secretFrom } from '../../cli/secret-source.ts'
import { mint } from '../../issuer/mint.ts'
import { revokeSigningKey, rotate, type SigningKeysContext } from '../../issuer/signing-keys.ts'
import type { Seconds } from '../../key/units.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { tempFolder } from '../support/temp-folder.ts'

let house: House
let other: GatewayProcess
beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

test('a rotated key verifies at once everywhere, the former one until it is revoked', async () => {
  const context = (): SigningKeysContext => ({
    ledger: house.ledger,
    keyring: house.keyring,
    secretsFolder: join(house.folder, 'secrets'),
    now: house.now(),
  })
  const minted = () =>
    mint(
      { path: 'bucket/a' },
      {
        signingKey: house.keyring.active(),
        now: house.now(),
        publicUrl: house.gateway.url,
        defaultLife: 900 as Seconds,
        maxLife: 900 as Seconds,
      },
    )
  const inBoth = async (url: string) => [
    (await ask(url)).code,
    (await ask(url.replace(house.gateway.url, other.url))).code,
  ]
  const first = await rotate(context(), 3600 as Seconds)
  const before = minted()
  const second = await rotate(context(), 3600 as Seconds)
  const after = minted()
  expect([before.claims.kid, after.claims.kid]).toEqual([first.kid, second.kid])
  const honoured = ['object_not_found', 'object_not_found']
  expect([await inBoth(before.url), await inBoth(after.url)]).toEqual([honoured, honoured])
  await revokeSigningKey(first.kid, context())
  expect(await inBoth(before.url)).toEqual(['key_revoked', 'key_revoked'])
  expect(await inBoth(after.url)).toEqual(honoured)
})

describe('a secret', () => {
  const here = (path: string) => path

  it('is the text itself, what a command prints, or what a file holds', () => {
    const folder = tempFolder()
    const file = join(folder.path, 'key')
    writeFileSync(file, 'in a file\n', { mode: 0o600 })
    expect(secretFrom('itself', here)).toBe('itself')
    expect(secretFrom('exec:printf "%s" "from a vault"', here)).toBe('from a vault')
    expect(secretFrom('file:key', (path) => join(folder.path, path))).toBe('in a file')
    chmodSync(file, 0o644)
    expect(() => secretFrom(`file:${file}`, here)).toThrow(/chmod 600/)
    folder.remove()
  })

  it('of a command that fails is not told', () => {
    expect(() => secretFrom('exec:echo hidden; exit 3', here)).toThrow(/^(?!.*hidden).*exit code 3/)
    expect(() => secretFrom('exec:true', here)).toThrow(/printed nothing/)
  })
})
