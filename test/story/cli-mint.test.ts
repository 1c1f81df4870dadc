/** The command line without a server: minting, narrowing, and asking what a key is good for. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyOf } from '../../key/link.ts'
import { later, type Seconds } from '../../key/units.ts'
import { openLedger } from '../support/ledger-file.ts'
import { CommandLine, SIGNING_KEY } from '../unit/cli/command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

interface Minted {
  readonly url: string
  readonly id: string
}

describe('mint', () => {
  it('prints the link alone, makes the first signing key, and writes down what was issued', async () => {
    const { code, stdout, stderr } = await line.run(['mint', 'demo/a b.txt', '--subject', 'ann'])
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /^valetkey: made a new data folder at data, with a new signing key: .*another one honours no key that is minted here.*\n$/,
      ),
    })
    expect((await line.run(['mint', 'demo/a'])).stderr).toBe('')
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8080\/demo\/a%20b\.txt\?vk=vk1\.\S+\n$/)
    const { keys } = await line.json<{ keys: object[] }>('issued', '--subject', 'ann')
    expect(keys).toMatchObject([{ subjects: ['ann'], issuedBy: 'cli', paths: ['demo/a b.txt'] }])
    expect((await line.done('keys', 'list')).split('\n')).toHaveLength(2)
  })

  it('keeps what it made from everybody else', async () => {
    await line.done('mint', 'demo/a.txt')
    const data = join(line.folder, 'data')
    const mode = (...path: string[]) => statSync(join(data, ...path)).mode & 0o777
    expect([mode(), mode('secrets'), mode('instances')]).toEqual([0o700, 0o700, 0o700])
    expect(mode('ledger.db')).toBe(0o600)
    const secrets = readdirSync(join(data, 'secrets'))
    // the signing key, and the audit's
    expect(secrets.map((name) => mode('secrets', name))).toEqual([0o600, 0o600])
  })

  it('turns every option into its claim', async () => {
    const options = `--method put,get --expires 1h --not-before 1m --max-size 10MiB --min-size 1
      --type image/* --type text/plain --sha256 ${'ab'.repeat(32)} --uses 3 --ip 10.0.0.0/8
      --origin https://App.example --tls --subject ann --match *.png --ttl 7d --id ann-1`
    const minted = await line.json<Minted>(
      ...['mint', 'pics/ann/', ...options.split(/\s+/)],
      ...['--header', 'X-Team: blue', '--attachment', 'my file.png'],
    )
    expect(line.claimsOf(minted.url)).toEqual([
      {
        kid: expect.any(String),
        jti: 'ann-1',
        iat: line.now,
        sub: 'ann',
        nbf: line.now + 60,
        exp: line.now + 3600,
        path: 'pics/ann/',
        match: '*.png',
        methods: ['PUT', 'GET'],
        size: [1, 10 * 2 ** 20],
        types: ['image/*', 'text/plain'],
        sha256: 'ab'.repeat(32),
        create: true,
        uses: 3,
        ip: ['10.0.0.0/8'],
        origins: ['https://app.example'],
        headers: { 'X-Team': 'blue' },
        tls: true,
        ttl: 7 * 86_400,
        respond: { 'content-disposition': 'attachment; filename="my file.png"' },
      },
    ])
    expect(minted).toMatchObject({
      id: 'ann-1',
      path: 'pics/ann/',
      methods: ['PUT', 'GET'],
      expires: line.now + 3600,
    })
  })

  it('knows the switches, and prints the key alone when asked', async () => {
    const options = ['--method', 'PUT', '--once', '--overwrite', '--inline', '--key-only']
    const key = await line.done('mint', 'pics/c', ...options)
    expect(key).toMatch(/^vk1\.[\w.-]+$/)
    const [block] = line.claimsOf(key)
    expect(block).toMatchObject({ uses: 1, respond: { 'content-disposition': 'inline' } })
    expect(block).not.toHaveProperty('create')
  })

  it('needs no data folder where the environment has a signing key, and says that it kept nothing', async () => {
    const env = {
      VALETKEY_SIGNING_KEY: SIGNING_KEY,
      VALETKEY_PUBLIC_URL: 'https://files.example/x',
    }
    const { code, stdout, stderr } = await line.run(['mint', 'demo/a.txt'], { env })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^https:\/\/files\.example\/x\/demo\/a\.txt\?vk=/)
    expect(line.claimsOf(stdout)[0]?.kid).toBe('offline')
    expect(stderr).toBe(
      'valetkey: not recorded: there is no data folder here, VALETKEY_SIGNING_KEY was used\n',
    )
    expect(existsSync(join(line.folder, 'data'))).toBe(false)
  })

  it.each(['vk1sk.offline.short', `vk1sk.offline.${Buffer.alloc(32, 7).toString('base64url')}`])(
    'refuses a signing key that is none, and does not repeat it: %#',
    async (text) => {
      const env = { VALETKEY_SIGNING_KEY: text }
      const { code, stderr } = await line.run(['mint', 'demo/a'], { env })
      expect(code).toBe(1)
      expect(stderr).toMatch(/^valetkey: VALETKEY_SIGNING_KEY: /)
      expect(stderr).not.toContain(text.split('.')[2])
    },
  )

  it('writes curl lines that can be pasted', async () => {
    const options = ['--type', 'image/png', '--header', "X-A: it's", '--curl']
    const lines = await line.done('mint', 'pics/', '--method', 'PUT,GET,DELETE,LIST', ...options)
    const [put, get, del, list] = lines.split('\n')
    expect(put).toMatch(
      /^curl --fail-with-body -H 'X-A: it'\\''s' -H 'Content-Type: image\/png' -T FILE 'http:\S+\/pics\/FILE\?vk=\S+'$/,
    )
    expect(get).toMatch(/ -o FILE 'http:\S+\/pics\/FILE\?vk=\S+'$/)
    expect(del).toMatch(/ -X DELETE 'http:\S+\/pics\/FILE\?vk=\S+'$/)
    expect(list).toMatch(/ 'http:\S+\/pics\/\?vk=\S+'$/)
    expect(await line.done('mint', 'pics/my pic.png', '--curl')).toMatch(
      /^curl --fail-with-body -o 'my pic.png' 'http:\S+'$/,
    )
  })

  it('leaves the type to be filled in where there may be several', async () => {
    const args = ['mint', 'pics/', '--method', 'PUT', '--curl']
    for (const types of [['image/*'], ['image/png', 'image/gif']]) {
      const options = types.flatMap((type) => ['--type', type])
      const { stdout, stderr } = await line.run([...args, ...options], { isTTY: true })
      expect(stdout).toContain(" -H 'Content-Type: TYPE' -T FILE ")
      expect(stderr).toContain(
        `To be filled in: FILE and TYPE, which is one of ${types.join(', ')}.\n`,
      )
    }
    expect(await line.done(...args)).not.toContain('Content-Type')
  })

  it('draws a QR code for a person, and still prints the link alone', async () => {
    const { stdout, stderr } = await line.run(['mint', 'demo/a.txt', '--qr'])
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stderr).toMatch(/[█▀▄]{10}/)
  })

  it('explains itself on a terminal only', async () => {
    await line.done('mint', 'demo/a.txt')
    const { stderr } = await line.run(['mint', 'demo/a.txt', '--id', 'me'], { isTTY: true })
    expect(stderr).toMatch(/^GET until \S+ \(in 15m\); revoke it with: valetkey revoke me\n$/)
  })

  it('never uses an id twice', async () => {
    await line.done('mint', 'demo/a.txt', '--id', 'me')
    expect(await line.run(['mint', 'demo/b.txt', '--id', 'me'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'valetkey: the id me is taken, and ids are never reused: state another --id\n',
    })
  })

  it('says by their flags what is wrong with options, all at once, and issues nothing', async () => {
    const options = ['--max-size', '10M', '--method', 'POST', '--expires', '30d']
    const { code, stderr } = await line.run(['mint', 'demo/a', ...options])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--max-size "10M" is not a size/)
    expect(stderr).toMatch(/--method "POST" is not a method/)
    expect(stderr).toMatch(/--expires asks for 4w2d/)
    expect(await line.json('issued')).toEqual({ keys: [] })
  })

  it.each([
    [['mint']],
    [['mint', 'demo/a', '--colour', 'red']],
    [['mint', 'demo/a', '--no-such-option', '5']],
    [['mnt', 'demo/a']],
    [['keys', 'rotate', '--grace', 'soon']],
    [['issued', '--limit', '0']],
    [['narrow', 'vk1.x.y']],
    [['revoke']],
    [['serve', '--only', 'both']],
    [[]],
  ])('is used wrongly as %j: exit code 2', async (args) => {
    const { code, stdout, stderr } = await line.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toBe('')
    expect(stderr).not.toContain('    at ')
  })
})

describe('global options', () => {
  it('are accepted before and behind the command', async () => {
    const env = { VALETKEY_DATA: 'elsewhere' }
    const before = await line.run(['--json', '--data', 'here', 'mint', 'demo/a'], { env })
    const behind = await line.run(['mint', 'demo/b', '--data', 'here', '--json'], { env })
    expect(JSON.parse(before.stdout)).toMatchObject({ path: 'demo/a' })
    expect(JSON.parse(behind.stdout)).toMatchObject({ path: 'demo/b' })
    expect(readdirSync(line.folder)).toEqual(['here'])
    expect(before.stderr).toContain('made a new data folder at here')
    expect(await line.run(['--data', '', 'mint', 'demo/a'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--data is empty: name a folder'),
    })
    expect(readdirSync(line.folder)).toEqual(['here'])
  })

  it('name the settings; a file that was named must be there', async () => {
    writeFileSync(join(line.folder, 'my.toml'), 'publicUrl = "https://a.example"')
    const link = await line.done('mint', 'demo/a', '--config', 'my.toml')
    expect(link).toMatch(/^https:\/\/a\.example\//)
    const missing = await line.run(['mint', 'demo/a', '--config', 'none.toml'])
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('none.toml can not be read (ENOENT)')
  })

  it('list every mistake of the settings, and nothing is done', async () => {
    mkdirSync(join(line.folder, 'data'))
    writeFileSync(join(line.folder, 'data', 'valetkey.toml'), '[gateway]\nlisen = 1')
    const env = { VALETKEY_CORS_ORIGINS: 'x' }
    const { code, stderr } = await line.run(['mint', 'demo/a'], { env })
    expect(code).toBe(1)
    expect(stderr).toContain(
      'data/valetkey.toml: gateway.lisen: there is no such setting; did you mean gateway.listen?',
    )
    expect(stderr).toContain('VALETKEY_CORS_ORIGINS is ')
    expect(readdirSync(join(line.folder, 'data'))).toEqual(['valetkey.toml'])
  })

  it('show a stack to whoever debugs, and to nobody else', async () => {
    const args = ['get', 'demo/none']
    const { stderr } = await line.run(args, { env: { VALETKEY_DEBUG: '1' } })
    expect(stderr).toContain('    at ')
    expect((await line.run(args)).stderr.split('\n')).toHaveLength(2)
  })
})

describe('narrow', () => {
  it('makes a link smaller, a link for a link and a key for a key, without any secret', async () => {
    const link = await line.done('mint', 'demo/', '--method', 'GET,PUT')
    const options = ['--path', 'demo/a.txt', '--method', 'GET', '--expires', '10s', '--once']
    const narrowed = await line.done('--data', 'nowhere', 'narrow', link, ...options)
    expect(narrowed).toMatch(/^http:\/\/127\.0\.0\.1:8080\/demo\/a\.txt\?vk=/)
    expect(line.claimsOf(narrowed)[1]).toEqual({
      jti: expect.any(String),
      path: 'demo/a.txt',
      methods: ['GET'],
      exp: line.now + 10,
      uses: 1,
    })
    const key = await line.done('narrow', keyOf(link).key, '--no-overwrite')
    expect(key).toMatch(/^vk1\./)
    expect(line.claimsOf(key)[1]).toEqual({ create: true })
    expect(await line.json('narrow', link, '--method', 'GET')).toMatchObject({
      path: 'demo/',
      methods: ['GET'],
    })
    expect(readdirSync(line.folder)).toEqual(['data'])
  })

  it('states the id that revokes the narrower key', async () => {
    const link = await line.done('mint', 'demo/', '--id', 'whole')
    const part = await line.json<Minted>('narrow', link, '--id', 'part', '--expires', '1m')
    expect(part.id).toBe('part')
    expect(await line.json('narrow', part.url, '--tls')).toMatchObject({ id: 'part' })
    expect(await line.json('narrow', link, '--tls')).toMatchObject({ id: 'whole' })
  })

  it('warns of a key that opens nothing any more', async () => {
    const link = await line.done('mint', 'demo/')
    const { code, stderr } = await line.run(['narrow', link, '--path', 'other/'])
    expect(code).toBe(0)
    expect(stderr).toContain('now it opens nothing')
  })
})

describe('inspect', () => {
  it('says block by block what a key allows, and whether it is honoured here now', async () => {
    const link = await line.done('mint', 'demo/a.txt', '--subject', 'ann')
    const narrowed = await line.done('narrow', link, '--expires', '10s')
    const told = await line.done('inspect', narrowed)
    expect(told).toMatch(/^The key\n/)
    expect(told).toContain('only the file demo/a.txt')
    expect(told).toContain('Narrowed, block 1\n  until ')
    expect(told).toContain('Honoured now by the gateway over data.')
    line.now = later(line.now, 10 as Seconds)
    expect(await line.json('inspect', narrowed)).toMatchObject({
      honoured: false,
      code: 'key_expired',
    })
    expect(await line.json('inspect', link)).toMatchObject({ honoured: true })
    const elsewhere = await line.done('--data', 'nowhere', 'inspect', link)
    expect(elsewhere).toContain('There is no data folder at nowhere')
  })

  it.each([
    ['not yet valid', ['--not-before', '30m', '--expires', '1h'], 'key_not_yet_valid'],
    ['revoked', ['--subject', 'eve'], 'key_revoked'],
  ])('says why a key is not honoured: %s', async (_, options, code) => {
    const link = await line.done('mint', 'demo/a.txt', ...options)
    await line.done('revoke', '--subject', 'eve')
    expect(await line.json('inspect', link)).toMatchObject({ honoured: false, code })
  })

  it('tells a key of others from ours', async () => {
    await line.done('mint', 'demo/a.txt')
    const foreign = await line.foreignLink('demo/a.txt')
    expect(await line.json('inspect', foreign)).toMatchObject({
      honoured: false,
      code: 'signature_invalid',
    })
  })
})

describe('a clock that was set back', () => {
  it('makes no key good again, as it makes none at the gateway', async () => {
    const link = await line.done('mint', 'demo/a', '--expires', '1h')
    const { ledger, close } = await openLedger(join(line.folder, 'data'))
    await ledger.noteTime(later(line.now, 7200 as Seconds))
    await close()
    expect(await line.json('inspect', link)).toMatchObject({ code: 'key_expired' })
    const { stages } = await line.json<{ stages: object[] }>('explain', 'GET', link)
    expect(stages.at(-1)).toMatchObject({ code: 'key_expired' })
  })
})

describe('explain', () => {
  it('goes through the stages, up to the one that refuses', async () => {
    await line.run(['put', '-', 'demo/a.txt'], { stdin: 'hello' })
    const link = await line.done('mint', 'demo/a.txt', '--ip', '10.0.0.0/8')
    const explained = async (...args: string[]) => {
      const { allowed, stages } = await line.json<{ allowed: boolean; stages: object[] }>(
        'explain',
        ...args,
      )
      return { allowed, last: stages.at(-1) }
    }
    expect(await explained('get', link, '--address', '10.1.2.3')).toMatchObject({
      allowed: true,
      last: { stage: 'object' },
    })
    expect(await explained('GET', link)).toMatchObject({
      allowed: false,
      last: { code: 'address_not_granted' },
    })
    expect(await explained('PUT', link)).toMatchObject({
      allowed: false,
      last: { code: 'method_not_granted' },
    })
    expect(await line.done('explain', 'GET', link)).toMatch(
      /refuses +restrictions +address_not_granted: .*\nIt would be refused: address_not_granted\.$/,
    )
  })
})

describe('a line for a shell', () => {
  it('ends quietly when nobody reads on', async () => {
    const shell = line.shell()
    await line.run(['put', '-', 'demo/a.txt'], { stdin: 'x' })
    shell.stdout.close()
    expect({ code: await line.runIn(shell, ['ls', '-r']), stderr: shell.stderr.text }).toEqual({
      code: 0,
      stderr: '',
    })
  })
})
