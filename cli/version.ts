import { existsSync, readFileSync } from 'node:fs'

/** `package.json` lies one folder up in a checkout, two when built into `dist/`. */
const candidates = ['../package.json', '../../package.json'].map(
  (path) => new URL(path, import.meta.url),
)

export function programVersion(): string {
  const file = candidates.find((url) => existsSync(url))
  if (file === undefined) return 'unknown'
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
