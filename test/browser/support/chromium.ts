/**
 * Chromium as the npm package brings it: unpacked once beneath the checkout, and shared by every
 * test file and run after that.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url))

/** Off the network, but for what the test itself asks for. */
const QUIET: string[] = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
  '--disable-gpu',
  // text as it is drawn everywhere, whatever the machine's settings
  '--font-render-hinting=none',
]

/** The package's own fonts before those of the machine, which may have none. */
const fontsIn = (folder: string): string => `<?xml version="1.0"?>
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/cache</cachedir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`

/** One browser; whoever starts it closes it. */
export async function startChromium(): Promise<Browser> {
  const folder = await unpacked()
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: QUIET,
    timeout: 120_000,
    // its sandbox does not start as root, nor in most containers; what it opens is our own
    chromiumSandbox: false,
    env: {
      ...process.env,
      FONTCONFIG_PATH: join(folder, 'fonts'),
      LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
    },
  })
}

/** Files that run at the same time may all unpack; the first one's stays. */
async function unpacked(): Promise<string> {
  const folder = join(CACHE, `chromium-${versionOf('@sparticuz/chromium')}`)
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const own = mkdtempSync(join(CACHE, 'unpacking-'))
  try {
    await unpackInto(own)
    writeFileSync(join(own, 'fonts/fonts.conf'), fontsIn(folder))
    renameSync(own, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
  return folder
}

/** The package asks the environment where to, and brings its libraries only to what it takes for AWS. */
async function unpackInto(folder: string): Promise<void> {
  const before = { ...process.env }
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' })
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    await packed.executablePath()
  } finally {
    for (const name of Object.keys(process.env)) {
      if (before[name] === undefined) delete process.env[name]
    }
    Object.assign(process.env, before)
  }
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url)
  const manifest = join(dirname(require.resolve(name)), '../../package.json')
  return require(manifest).version
}
