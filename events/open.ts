/** The targets that the configuration names, with their secrets. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import type { WebhooksSettings } from './config.ts'
import type { Target } from './events.ts'
import { checkUrl } from './guard.ts'
import { type Common, command, mail, webhook } from './targets.ts'

/** The secret of an environment variable; undefined where it is not set. @throws Error that says why it can't be had */
type Environment = (variable: string) => string | undefined

/** @throws Error that names the target and what to do */
export function targetsOf(
  { targets, timeout, allowPrivate }: WebhooksSettings,
  source: string,
  env: Environment,
): readonly Target[] {
  const common: Common = { source, timeout: timeout * 1000, allowPrivate }
  return Object.entries(targets).map(([name, { events, ...settings }]) => {
    const about = { name, types: events }
    try {
      if ('exec' in settings) return command({ ...about, ...settings }, common)
      if ('mail' in settings) {
        const { passwordFile, passwordEnv } = settings.mail
        return mail({ ...about, ...settings }, secretOf(passwordFile, passwordEnv, env), common)
      }
      checkUrl(new URL(settings.url), allowPrivate)
      const secret = secretOf(settings.secretFile, settings.secretEnv, env)
      return webhook({ ...about, ...settings }, bytesOf(secret), common)
    } catch (error) {
      throw new Error(`webhooks.targets.${name}: ${(error as Error).message}`)
    }
  })
}

function secretOf(
  file: string | undefined,
  variable: string | undefined,
  env: Environment,
): string | undefined {
  if (file !== undefined) return readPrivate(file)
  if (variable === undefined) return undefined
  const value = env(variable)
  if (value) return value
  throw new Error(`the environment variable ${variable} is not set`)
}

function readPrivate(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new Error(`${file} can be read by others: run  chmod 600 ${file}`)
    }
    return readFileSync(descriptor, 'utf8').trim()
  } finally {
    closeSync(descriptor)
  }
}

/** Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes. */
function bytesOf(secret: string | undefined): Buffer {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret ?? '')?.[1]
  const bytes = Buffer.from(text ?? '', 'base64')
  if (bytes.length >= 24 && bytes.length <= 64) return bytes
  throw new Error(
    'secretFile or secretEnv holds "whsec_" and 24 to 64 random bytes as base64; make one with: echo whsec_$(openssl rand -base64 32)',
  )
}
