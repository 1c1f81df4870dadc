/** The shell of a page says in every language why it needs its script, and what for. */
import { expect, it } from 'vitest'
import { renderPage } from '../../../web/page.ts'

const NAMES = ['share', 'drop', 'console', 'reference']

it('tells each page’s own reason', async () => {
  const pages = await Promise.all(NAMES.map((name) => renderPage({ name, title: 'x' })))
  const reasons = pages.map((page) => /<noscript>(.*)<\/noscript>/.exec(page)?.[1] ?? '')
  for (const reason of reasons) {
    expect([...reason.matchAll(/lang="(..)"/g)].map(([, language]) => language)).toEqual([
      'en',
      'de',
      'zh',
    ])
  }
  expect(new Set(reasons).size).toBe(NAMES.length)
})
