import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../cli/failure.ts'
import { readSettings } from '../../../../cli/settings/read.ts'
import { SETTINGS } from '../../../../cli/settings/schema.ts'
import { fromEnvironment, fromFlags, fromToml } from '../../../../cli/settings/sources.ts'

const read = (
  toml: string,
  env: Record<string, string> = {},
  flags: [string, string, unknown][] = [],
) =>
  readSettings([
    fromToml(toml, 'valetkey.toml'),
    fromEnvironment(env),
    fromFlags(flags.map(([flag, setting, value]) => ({ flag, setting, value }))),
  ])

const mistakes = (...sources: Parameters<typeof read>): string[] => {
  try {
    read(...sources)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.message
      .split('\n')
      .flatMap((line) => (line.startsWith('  - ') ? line.slice(4) : []))
  }
  throw new Error('nothing was refused')
}

describe('settings', () => {
  it('have defaults, one and all', () => {
    const settings = read('')
    expect(settings.publicUrl).toEqual(['http://127.0.0.1:8080'])
    expect(settings.gateway.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(settings.issuer.maxExpires).toBe(7 * 86_400)
  })

  it('are overridden: default < file < environment < flag', () => {
    const toml = '[gateway]\nlisten = "127.0.0.1:1"\nmaxUploads = 1\nmaxConnections = 1'
    const env = { VALETKEY_GATEWAY_LISTEN: '127.0.0.1:2', VALETKEY_GATEWAY_MAX_UPLOADS: '2' }
    const { gateway } = read(toml, env, [['--gateway-listen', 'gateway.listen', '127.0.0.1:3']])
    expect([gateway.listen.port, gateway.maxUploads, gateway.maxConnections]).toEqual([3, 2, 1])
    expect(gateway.maxObjectSize).toBe(5 * 2 ** 30)
  })

  it('are frozen, all the way down', () => {
    const { gateway } = read('')
    expect(() => Object.assign(gateway.listen, { port: 1 })).toThrow(TypeError)
    expect(Object.isFrozen(gateway.trustedProxies)).toBe(true)
  })

  it.each([
    ['text', 'VALETKEY_GATEWAY_LISTEN', '[::1]:90', (s: Settings) => s.gateway.listen.host, '::1'],
    ['a number', 'VALETKEY_GATEWAY_MAX_UPLOADS', '7', (s: Settings) => s.gateway.maxUploads, 7],
    [
      'a size',
      'VALETKEY_GATEWAY_MAX_OBJECT_SIZE',
      '1MiB',
      (s: Settings) => s.gateway.maxObjectSize,
      2 ** 20,
    ],
    [
      'a duration',
      'VALETKEY_ISSUER_DEFAULT_EXPIRES',
      '2h',
      (s: Settings) => s.issuer.defaultExpires,
      7200,
    ],
    [
      'a list',
      'VALETKEY_GATEWAY_TRUSTED_PROXIES',
      '10.0.0.1, 10.1.0.0/16',
      (s: Settings) => s.gateway.trustedProxies,
      ['10.0.0.1/32', '10.1.0.0/16'],
    ],
    [
      'one URL',
      'VALETKEY_PUBLIC_URL',
      'https://a.example/',
      (s: Settings) => s.publicUrl,
      ['https://a.example'],
    ],
    [
      'two URLs',
      'VALETKEY_PUBLIC_URL',
      'https://a.example,http://b:80/x',
      (s: Settings) => s.publicUrl,
      ['https://a.example', 'http://b/x'],
    ],
    [
      'nothing, as not set',
      'VALETKEY_GATEWAY_LISTEN',
      '',
      (s: Settings) => s.gateway.listen.port,
      8080,
    ],
  ])('are read from the environment: %s', (_, variable, text, pick, expected) => {
    expect(pick(read('', { [variable]: text }))).toEqual(expected)
  })

  it.each([
    ['DATA', 'x'],
    ['CONFIG', 'x'],
    ['SIGNING_KEY', 'x'],
    ['DEBUG', '1'],
  ])('leave VALETKEY_%s to others', (name, value) => {
    expect(read('', { [`VALETKEY_${name}`]: value })).toEqual(read(''))
  })

  it('write the own address of the gateway as this machine reaches it', () => {
    const url = (listen: string) => read('', { VALETKEY_GATEWAY_LISTEN: listen }).publicUrl[0]
    expect(url('0.0.0.0:81')).toBe('http://127.0.0.1:81')
    expect(url('[::]:81')).toBe('http://[::1]:81')
    expect(url('[::1]:81')).toBe('http://[::1]:81')
    expect(read('[gateway]\nbasePath = "/files"').publicUrl[0]).toBe('http://127.0.0.1:8080/files')
  })
})

type Settings = ReturnType<typeof read>

describe('mistakes in settings', () => {
  it('are all listed, whichever source they are in, and even where another source overrides them', () => {
    const toml = 'colour = 1\n[gateway]\nlisten = 8080\nmaxUploads = 0\nlissten = "x"'
    const env = {
      VALETKEY_GATEWAY_LISTEN: '127.0.0.1:80',
      VALETKEY_ISSUER_MAX_EXPIRES: 'soon',
      VALETKEY_GATWAY_LISTEN: '',
      VALETKEY_CORS_ORIGNS: 'x',
    }
    expect(mistakes(toml, env, [['--issuer-listen', 'issuer.listen', 'nowhere']])).toEqual([
      'valetkey.toml: gateway.listen is 8080: expected text',
      'valetkey.toml: gateway.maxUploads is 0: expected at least 1',
      'valetkey.toml: gateway.lissten: there is no such setting; did you mean gateway.listen?',
      'valetkey.toml: colour: there is no such setting',
      'VALETKEY_CORS_ORIGNS (environment): there is no such setting; did you mean VALETKEY_CORS_ORIGINS?',
      expect.stringMatching(/^VALETKEY_ISSUER_MAX_EXPIRES is "soon": .*such as 15m/),
      expect.stringMatching(/^--issuer-listen is "nowhere": expected HOST:PORT/),
    ])
  })

  it.each([
    ['[gateway]\ntrusted_proxies = []', 'gateway.trustedProxies'],
    ['[gatway]\nlisten = "127.0.0.1:80"', 'gateway'],
    ['publicURL = "https://a.example"', 'publicUrl'],
    ['trustedProxies = ["10.0.0.0/8"]', 'gateway.trustedProxies'],
  ])('name what was meant: %j', (toml, meant) => {
    expect(mistakes(toml)).toEqual([expect.stringContaining(`did you mean ${meant}?`)])
  })

  it.each([
    ['publicUrl = "ftp://a.example"', /publicUrl is "ftp:.*expected a URL such as/],
    ['publicUrl = "https://a.example/?x=1"', /without a query/],
    ['publicUrl = []', /publicUrl is \[\]: expected at least 1 entry/],
    ['publicUrl = 3', /publicUrl is 3: expected text or a list/],
    ['gateway = 3', /gateway is 3: expected a section/],
    ['logLevel = "loud"', /logLevel is "loud": expected "debug" or "info"/],
    ['[gateway]\ntrustedProxies = ["10.0.0.0/8", "host"]', /gateway.trustedProxies.1 is "host"/],
    ['[gateway]\nmaxObjectSize = "10M"', /"10M" is not a size/],
    ['[gateway]\nmaxObjectSize = true', /expected text or a whole number/],
    ['[gateway]\nlisten = 2026-01-01', /gateway.listen is "2026-01-01": expected text/],
    ['["__proto__"]\nx = 1', /__proto__: there is no such setting/],
    ['[gateway."__proto__"]\nx = 1', /__proto__: there is no such setting/],
    ['[constructor]\nx = 1', /constructor: there is no such setting/],
  ])('say what was expected: %j', (toml, expected) => {
    expect(mistakes(toml)).toEqual([expect.stringMatching(expected)])
  })

  it('say where a file is no TOML', () => {
    expect(mistakes('[gateway]\nlisten = 127.0.0.1:80')).toEqual([
      expect.stringMatching(/^valetkey\.toml, line 2, column \d+: this is not TOML: /),
    ])
  })

  it('never repeat the value of an unknown variable, which may be a misspelt secret', () => {
    const [line] = mistakes('', { VALETKEY_SIGNINGKEY: 'vk1sk.secret' })
    expect(line).toContain('did you mean VALETKEY_SIGNING_KEY?')
    expect(line).not.toContain('secret')
  })

  it('are text that can not steer a terminal', () => {
    const [line] = mistakes('"\\u001b[2J" = 1')
    expect(line).toContain('U+001B[2J')
  })
})

describe('whatever is written', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'gateway',
      'listen',
      'publicUrl',
      '__proto__',
      'store',
      'kind',
      '[',
      ']',
      '=',
      '"',
      '\n',
      '1e9',
      '0x',
      '{',
      '}',
      ',',
      '2026-01-01',
    ),
    fc.string({ unit: 'binary' }),
  )
  const tried = (...sources: Parameters<typeof read>) => {
    try {
      read(...sources)
    } catch (error) {
      expect(error).toBeInstanceOf(Failure)
      expect((error as Failure).message).toMatch(/^\d+ mistakes? in the configuration/)
    }
  }

  it('in a file, it is read or its mistakes are listed', () => {
    fc.assert(fc.property(fc.array(word), (words) => tried(words.join(''))))
  })

  it('in the environment, it is read or its mistakes are listed', () => {
    const variable = fc.oneof(
      fc.constantFrom(...SETTINGS.map((setting) => setting.variable)),
      fc.string().map((text) => `VALETKEY_${text}`),
    )
    fc.assert(fc.property(fc.dictionary(variable, fc.string()), (env) => tried('', env)))
  })

  it('in a section, as any value, it is read or its mistakes are listed', () => {
    const setting = fc.constantFrom(...SETTINGS.map(({ name }) => name))
    fc.assert(
      fc.property(setting, fc.jsonValue(), (name, value) =>
        tried('', {}, [['--flag', name, value]]),
      ),
    )
  })
})
