/** What every command has at hand: the global options, the terminal, the settings, the data folder. */
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { parseSigningKey, type SigningKey } from '../key/signer.ts'
import { checkSecret } from '../ledger/key-files.ts'
import { type DataFolder, isDataFolder, withDataFolder } from './data-folder.ts'
import { Failure, UsageError } from './failure.ts'
import { secretFrom } from './secret-source.ts'
import { readSettings } from './settings/read.ts'
import type { Settings } from './settings/schema.ts'
import { fromEnvironment, fromFlags, fromTomlFile, type SettingFlag } from './settings/sources.ts'
import type { Shell } from './shell.ts'
import { Terminal } from './terminal.ts'

export interface GlobalOptions {
  readonly data?: string
  readonly config?: string
  readonly json?: true
}

interface DataUse {
  readonly make: boolean
  /** it is the command's business to make one */
  readonly isExpected?: boolean
  readonly settings?: Settings
}

export class Cli {
  readonly shell: Shell
  readonly #program: Command
  /** what `run` returns, unless the command throws */
  exitCode = 0
  /** read once: a vault need not be asked twice */
  #signingKey: SigningKey | undefined

  constructor(shell: Shell, program: Command) {
    this.shell = shell
    this.#program = program
  }

  get #globals(): GlobalOptions {
    return this.#program.opts()
  }

  get json(): boolean {
    return this.#globals.json === true
  }

  get terminal(): Terminal {
    return new Terminal(this.shell, this.json)
  }

  /** An absolute path. @throws UsageError */
  get dataPath(): string {
    const { data } = this.#globals
    if (data === '') throw new UsageError('--data is empty: name a folder')
    return this.resolve(data ?? (this.shell.env.VALETKEY_DATA || 'storage-data'))
  }

  /** That of the environment. @throws Failure which does not repeat it */
  get signingKey(): SigningKey | undefined {
    const text = this.shell.env.VALETKEY_SIGNING_KEY
    if (!text) return undefined
    this.#signingKey ??= this.#readSigningKey(text)
    return this.#signingKey
  }

  #readSigningKey(text: string): SigningKey {
    try {
      const key = parseSigningKey(secretFrom(text, (path) => this.resolve(path)))
      checkSecret(key, 'it')
      return key
    } catch (error) {
      throw new Failure(`VALETKEY_SIGNING_KEY: ${(error as Error).message}`)
    }
  }

  /** Whether anything was ever kept there. */
  get hasData(): boolean {
    return isDataFolder(this.dataPath)
  }

  resolve(path: string): string {
    return resolve(this.shell.cwd, path)
  }

  /** A path as the person who stands in the current folder would write it. */
  label(path: string): string {
    const short = relative(this.shell.cwd, path)
    return short === '' || short.startsWith('..') ? path : short
  }

  /**
   * The settings in force.
   * @throws SettingsError
   */
  settings(flags: readonly SettingFlag[] = []): Settings {
    const file = this.#configFile()
    return readSettings([
      ...(file === undefined ? [] : [fromTomlFile(file, this.label(file))]),
      fromEnvironment(this.shell.env),
      fromFlags(flags),
    ])
  }

  /** A file that was named must be there; the one in the data folder may be missing. */
  #configFile(): string | undefined {
    const named = this.#globals.config ?? (this.shell.env.VALETKEY_CONFIG || undefined)
    if (named !== undefined) return this.resolve(named)
    const usual = join(this.dataPath, 'valetkey.toml')
    return existsSync(usual) ? usual : undefined
  }

  /** Opens the data folder for as long as `use` takes; makes it where it is missing, if asked to. */
  withData<T>(
    { make, isExpected = false, settings = this.settings() }: DataUse,
    use: (data: DataFolder) => Promise<T>,
  ): Promise<T> {
    const { dataPath: path, shell, signingKey } = this
    const signingKeys = signingKey === undefined ? [] : [signingKey]
    const label = this.label(path)
    const warn = (text: string): void => this.terminal.warn(text)
    const place = { path, label, make, isExpected }
    return withDataFolder({ ...place, settings, now: shell.now, warn, signingKeys }, use)
  }
}
