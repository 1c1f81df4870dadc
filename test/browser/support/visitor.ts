/** Somebody with a browser: opens pages, and is watched for what must never happen. */
import axe from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'

export interface VisitOptions {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  readonly locale?: string
}

export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** every request that was sent, in order, whatever came of it */
  readonly requests: readonly string[]
  /** errors in the console, uncaught ones, and violations of the policy; refusals are not among them */
  readonly complaints: readonly string[]
  /** requests that carried this very key in their URL: there must be none */
  leaks(key: string): readonly string[]
  /** what axe-core finds that is serious or critical, one line each */
  flaws(): Promise<readonly string[]>
  close(): Promise<void>
}

/** Said by Chromium of any response that is no success: some tests are about these. */
const REFUSED = /^Failed to load resource: /

/** A visitor with cookies, storage and cache of their own. */
export async function visit(browser: Browser, options: VisitOptions = {}): Promise<Visitor> {
  const { width = 1280, height = 800, dark = false, locale = 'en-GB' } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale,
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(90_000)
  const requests: string[] = []
  const complaints: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  context.on('console', (message) => {
    if (message.type() === 'error' && !REFUSED.test(message.text())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      setTimeout(() => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))
    })
  })
  const page = await context.newPage()
  return {
    context,
    page,
    requests,
    complaints,
    leaks: (key) => {
      const signature = key.slice(key.lastIndexOf('.') + 1)
      // the fragment stays in the browser
      return requests.filter((url) => url.split('#')[0]?.includes(signature))
    },
    flaws: () => flawsOf(page),
    close: () => context.close(),
  }
}

async function flawsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }
    return (await axe.run(document, { resultTypes: ['violations'] })).violations
  })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}
