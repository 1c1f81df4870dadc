/** A house with an issuer, whose console is opened; and what it takes to sign in there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { issuerSection } from '../../../issuer/config.ts'
import { type RunningIssuer, startIssuer } from '../../../issuer/main.ts'
import { type House, openHouse } from '../../support/house.ts'
import type { Visitor } from './visitor.ts'

export interface Office {
  readonly house: House
  readonly issuer: RunningIssuer
  /** the admin's */
  readonly token: string
  close(): Promise<void>
}

export async function openOffice(): Promise<Office> {
  const house = await openHouse()
  const { folder, ledger, keyring, gateway, audit } = house
  const secretsFolder = join(folder, 'secrets')
  const issuer = await startIssuer({
    settings: issuerSection.parse({ listen: '127.0.0.1:0' }),
    ledger,
    keyring,
    publicUrl: gateway.url,
    secretsFolder,
    audit,
    auditFolder: join(folder, 'audit'),
    dataFolder: folder,
    metricsFolder: join(folder, 'metrics'),
    metrics: { public: false },
    version: '1.2.3',
    log: pino({ level: 'silent' }),
  })
  return {
    house,
    issuer,
    token: readFileSync(join(secretsFolder, 'admin-token'), 'utf8').trim(),
    close: async () => {
      await issuer.close()
      await house.close()
    },
  }
}

/** Opens the console at a view, signed in. */
export async function enter({ page }: Visitor, office: Office, view = ''): Promise<void> {
  await page.goto(`${office.issuer.url}/#${view}`)
  await page.getByLabel('Admin token').fill(office.token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.bar').waitFor()
}
