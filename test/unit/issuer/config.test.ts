import { describe, expect, it } from 'vitest'
import { issuerSection } from '../../../issuer/config.ts'

describe('[issuer]', () => {
  it('has a default for everything', () => {
    expect(issuerSection.parse({})).toEqual({
      listen: { host: '127.0.0.1', port: 8081 },
      defaultExpires: 900,
      maxExpires: 604_800,
    })
  })

  it('reads what people write', () => {
    const text = { listen: '[::1]:0', defaultExpires: 60, maxExpires: '30d' }
    expect(issuerSection.parse(text)).toEqual({
      listen: { host: '::1', port: 0 },
      defaultExpires: 60,
      maxExpires: 2_592_000,
    })
  })

  it.each([
    [{ listen: '8081' }],
    [{ listen: '127.0.0.1:65536' }],
    [{ listen: ':8081' }],
    [{ defaultExpires: '0s' }],
    [{ defaultExpires: '15 minutes' }],
    [{ maxExpires: -1 }],
    [{ maxExpire: '7d' }],
  ])('refuses %j', (section) => {
    expect(issuerSection.safeParse(section).success).toBe(false)
  })
})
