/** The data folder as a whole: scrubbed, backed up and restored. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pattern } from '../support/store.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

const LARGE = 300 * 1024

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const at = (...names: string[]) => join(line.folder, ...names)
const put = async (path: string, content: Uint8Array) => {
  writeFileSync(at('in'), content)
  await line.done('put', 'in', path)
}
const get = async (path: string, data = 'data') => {
  await line.done('get', path, 'out', '--force', '--data', data)
  return readFileSync(at('out'))
}
const blobsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^..[/].{32}$/.test(name))
    .map((name) => join(folder, name))
const flip = (file: string, position = 0) => {
  const content = readFileSync(file)
  content[position] = (content[position] as number) ^ 1
  writeFileSync(file, content)
}

describe('scrub', () => {
  it('says that all is well, in words and as JSON, also where nothing was stored', async () => {
    await line.done('mint', 'demo/a')
    expect(await line.done('scrub')).toBe('read 0 objects, 0 B: all as they were written')
    await put('demo/a', pattern(10))
    await put('demo/b', pattern(LARGE))
    expect(await line.done('scrub')).toBe('read 2 objects, 300 KiB: all as they were written')
    const report = { objects: 2, bytes: LARGE + 10, damaged: [], strays: [] }
    expect(await line.json('scrub', '--rate', '1GiB/s', '--restart')).toEqual(report)
  })

  it('lists what is damaged, which is refused to readers meanwhile, and cured by an upload', async () => {
    await put('demo/a', pattern(10))
    await put('demo/b', pattern(LARGE))
    const [blob = ''] = blobsIn(at('data/store/blobs'))
    flip(blob, LARGE - 1)
    writeFileSync(at('data/store/blobs/00/junk'), '')
    const { code, stdout } = await line.run(['scrub'])
    expect(code).toBe(1)
    expect(stdout).toBe(
      `damaged  demo/b: block 1 of blob ${blob.slice(-32)} is altered
unknown  ${at('data/store/blobs/00/junk')}
read 2 objects, 300 KiB: 1 object damaged
Damaged objects are not served: upload them again, or restore a backup.
Nothing names the unknown files; they can be removed.
`,
    )
    expect(await line.run(['get', 'demo/b', 'out'])).toMatchObject({ code: 1 })
    expect(existsSync(at('out'))).toBe(false)
    expect(await get('demo/a')).toEqual(Buffer.from(pattern(10)))
    await put('demo/b', pattern(LARGE))
    expect((await line.run(['scrub'])).code).toBe(0)
  })

  it('reads buckets that are folders, too: what was uploaded there is compared', async () => {
    mkdirSync(at('photos'))
    await line.done('mint', 'demo/a')
    writeFileSync(at('data/valetkey.toml'), `[buckets.photos]\nfolder = '${at('photos')}'\n`)
    await put('demo/a', pattern(10))
    await put('photos/ours', pattern(LARGE))
    writeFileSync(at('photos/theirs'), pattern(20))
    const report = { objects: 3, bytes: LARGE + 30, damaged: [], strays: [] }
    expect(await line.json('scrub')).toEqual(report)
    const { atime, mtime } = statSync(at('photos/ours'))
    flip(at('photos/ours'), LARGE - 1)
    utimesSync(at('photos/ours'), atime, mtime)
    flip(at('photos/theirs'), 3)
    const { code, stdout } = await line.run(['scrub', '--json'])
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      { ...report, damaged: [{ path: 'photos/ours', kind: 'altered' }] },
    ])
    await put('photos/ours', pattern(LARGE))
    expect(await line.json('scrub')).toEqual(report)
    renameSync(at('photos'), at('away'))
    expect(await line.run(['scrub'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"photos"'),
    })
  })

  it('shows how far it is on a terminal, and takes that away', async () => {
    await put('demo/a', pattern(10))
    expect((await line.run(['scrub'])).stderr).toBe('')
    const { stderr } = await line.run(['scrub'], { isTTY: true })
    expect(stderr).toMatch(/1 objects {2}10 B/)
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true)
  })

  it.each(['0', 'fast', '10M', '-1'])('takes no rate of %s', async (rate) => {
    await line.done('mint', 'demo/a')
    expect(await line.run(['scrub', `--rate=${rate}`])).toMatchObject({ code: 2 })
  })

  it('needs a data folder', async () => {
    const { code, stderr } = await line.run(['scrub'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/there is no data folder at data/)])
  })
})

describe('backup and restore', () => {
  const fill = async () => {
    mkdirSync(at('source'))
    writeFileSync(at('source/small'), pattern(10))
    writeFileSync(at('source/large'), pattern(LARGE))
    writeFileSync(at('source/empty'), '')
    await line.done('import', 'source', 'demo/')
    writeFileSync(at('data/valetkey.toml'), 'logLevel = "warn"\n')
  }
  const restored = (...options: string[]) =>
    line.run(['restore', 'backup', '--data', 'new', ...options])

  it('bring back every object, what was revoked, and the settings, byte for byte', async () => {
    await fill()
    const link = await line.done('mint', 'demo/small', '--id', 'first')
    await line.done('revoke', 'first')
    expect(await line.done('backup', 'backup', '--secrets')).toMatch(
      /^backed up 3 objects, 300 KiB, to backup \(files: 1 linked\)$/,
    )
    expect(await restored()).toMatchObject({ code: 0, stderr: '' })
    expect(await get('demo/small', 'new')).toEqual(Buffer.from(pattern(10)))
    expect(await get('demo/large', 'new')).toEqual(Buffer.from(pattern(LARGE)))
    expect(await get('demo/empty', 'new')).toHaveLength(0)
    expect(readFileSync(at('new/valetkey.toml'), 'utf8')).toBe('logLevel = "warn"\n')
    expect(await line.done('inspect', link, '--data', 'new')).toMatch(/it was revoked/)
    expect(await line.done('ls', '-l', '-r', '--data', 'new')).toBe(
      await line.done('ls', '-l', '-r'),
    )
    const open = [at('new'), at('backup'), ...walk(at('new')), ...walk(at('backup'))]
    expect(open.filter((path) => (statSync(path).mode & 0o077) !== 0)).toEqual([])
  })

  const walk = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))

  it('keep secrets out unless they are asked for, and say so', async () => {
    await line.done('mint', 'demo/a')
    await line.done('backup', 'backup')
    expect(walk(at('backup')).filter((path) => path.includes('secret'))).toEqual([])
    expect((await restored()).stdout).toMatch(/The backup holds no secrets/)
    expect(existsSync(at('new/secrets'))).toBe(false)
    await line.done('backup', 'backup', '--secrets')
    const { stdout } = await line.run(['restore', 'backup', '--data', 'with'])
    expect(stdout).not.toMatch(/secrets/)
    const names = readdirSync(at('data/secrets'))
    expect(readdirSync(at('with/secrets'))).toEqual(names)
    for (const name of names) {
      expect(readFileSync(at('with/secrets', name))).toEqual(readFileSync(at('data/secrets', name)))
    }
  })

  it('share files where asked to, and none where asked not to', async () => {
    await fill()
    const inodes = (folder: string) => blobsIn(at(folder)).map((file) => statSync(file).ino)
    const [own] = inodes('data/store/blobs')
    await line.done('backup', 'linked')
    expect(inodes('linked/blobs')).toEqual([own])
    expect(await line.json('backup', 'copied', '--copy')).toMatchObject({ copied: 1, linked: 0 })
    expect(inodes('copied/blobs')).not.toEqual([own])
    await line.done('restore', 'linked', '--data', 'one', '--link')
    expect(inodes('one/store/blobs')).toEqual([own])
    await line.done('restore', 'linked', '--data', 'two')
    expect(inodes('two/store/blobs')).not.toEqual([own])
  })

  it('are brought up to date: what is there is kept, what is gone goes', async () => {
    await fill()
    await line.done('backup', 'backup')
    await put('demo/second', pattern(LARGE, 2))
    await line.done('rm', 'demo/large')
    expect(await line.json('backup', 'backup')).toMatchObject({ kept: 0, linked: 1 })
    expect(await line.json('backup', 'backup')).toMatchObject({ kept: 1, linked: 0 })
    expect(blobsIn(at('backup/blobs'))).toHaveLength(1)
    expect(readdirSync(at('backup')).toSorted()).toEqual([
      'about.txt',
      'blobs',
      'manifest.json',
      expect.stringMatching(/^run-/),
      'running',
    ])
    await restored()
    expect(await line.done('ls', '-r', '--data', 'new')).toBe('demo/empty\ndemo/second\ndemo/small')
  })

  it('carry a data folder that never stored anything', async () => {
    await line.done('mint', 'demo/a')
    await line.done('backup', 'backup')
    expect((await restored()).code).toBe(0)
    expect(await line.done('ls', '--data', 'new')).toBe('')
    expect(JSON.parse(await line.done('issued', '--json', '--data', 'new'))).toBeTruthy()
  })

  it('list what the store had lost, and carry the rest', async () => {
    await fill()
    rmSync(blobsIn(at('data/store/blobs'))[0] as string)
    const backup = await line.run(['backup', 'backup'])
    expect(backup).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^missing {2}demo\/large: blob .{32} is not in the store\nbacked up/,
      ),
    })
    const { code, stdout } = await restored()
    expect(code).toBe(1)
    expect(stdout).toMatch(/^missing {2}demo\/large: blob .{32}\nrestored 3 objects/)
    expect(await get('demo/small', 'new')).toHaveLength(10)
  })

  describe('refuse', () => {
    beforeEach(fill)

    it.each([
      ['a folder that holds something else', 'full', /holds something else/],
      ['the data folder', 'data', /inside the data folder/],
      ['a folder in it', 'data/backup', /inside the data folder/],
    ])('to back up into %s', async (_, to, message) => {
      mkdirSync(at('full'))
      writeFileSync(at('full/mine'), '')
      const { code, stderr } = await line.run(['backup', to])
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
      expect(readdirSync(at('full'))).toEqual(['mine'])
      expect(existsSync(at('data/backup'))).toBe(false)
    })

    it('to restore over anything', async () => {
      await line.done('backup', 'backup')
      const { code, stderr } = await line.run(['restore', 'backup'])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/data is not empty/)])
      mkdirSync(at('new'))
      expect((await restored()).code).toBe(0)
      expect((await restored()).code).toBe(1)
    })

    it('a folder that holds no backup', async () => {
      mkdirSync(at('backup'))
      expect(await restored()).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no complete backup: there is no manifest\.json/),
      })
      expect(readdirSync(line.folder)).not.toContain('new.restoring')
    })

    it('a manifest that can not be read, or names files elsewhere', async () => {
      await line.done('backup', 'backup')
      const text = readFileSync(at('backup/manifest.json'), 'utf8')
      const naming = (name: string) => {
        const manifest = JSON.parse(text)
        manifest.files[0].name = name
        return JSON.stringify(manifest)
      }
      const names = ['../../elsewhere', 'secrets/../../x', 'secrets/..', 'other.db']
      const folder = text.replace(/"run-[0-9a-f]+"/, '"../data"')
      for (const wrong of ['{', '{"format":2}', folder, ...names.map(naming)]) {
        writeFileSync(at('backup/manifest.json'), wrong)
        const { code, stderr } = await restored()
        expect([code, stderr]).toEqual([
          1,
          expect.stringMatching(/damaged, or of a newer valetkey/),
        ])
      }
      expect(readdirSync(line.folder).toSorted()).toEqual(['backup', 'data', 'source'])
      writeFileSync(at('backup/manifest.json'), text)
      expect((await restored()).code).toBe(0)
    })

    it('a backup whose databases or settings were changed', async () => {
      await line.done('mint', 'demo/a')
      await line.done('backup', 'backup')
      const run = readdirSync(at('backup')).find((found) => found.startsWith('run-')) as string
      for (const name of ['index.db', 'ledger.db', 'valetkey.toml']) {
        const file = at('backup', run, name)
        const good = readFileSync(file)
        flip(file, 3)
        expect((await restored()).stderr).toMatch(new RegExp(`${name} is not what was written`))
        rmSync(file)
        expect((await restored()).stderr).toMatch(new RegExp(`${name} is missing`))
        expect(existsSync(at('new'))).toBe(false)
        writeFileSync(file, good)
      }
      expect((await restored()).code).toBe(0)
    })
  })

  describe('of a backup that is damaged', () => {
    beforeEach(async () => {
      await fill()
      await line.done('backup', 'backup', '--copy')
    })
    const blob = () => blobsIn(at('backup/blobs'))[0] as string

    it.each([
      [
        'altered',
        () => flip(blob(), 5),
        /damaged {2}demo\/large: block 0 of blob .{32} is altered/,
      ],
      ['cut short', () => truncateSync(blob(), 5), /missing {2}demo\/large: blob/],
      ['missing', () => rmSync(blob()), /missing {2}demo\/large: blob/],
    ])(
      'list what is %s, and leave the folder under a name that nothing starts on',
      async (_, damage, message) => {
        damage()
        const { code, stdout, stderr } = await restored()
        expect(code).toBe(1)
        expect(stdout).toMatch(message)
        expect(stdout.match(/demo/g)).toHaveLength(1)
        expect(stderr).toMatch(/not restored: the backup is damaged \(1 object\).+new\.restoring/)
        expect(existsSync(at('new'))).toBe(false)
        expect(existsSync(at('new.restoring'))).toBe(true)
        // taken all the same
        expect((await restored('--keep-damaged')).code).toBe(1)
        expect(existsSync(at('new.restoring'))).toBe(false)
        expect(await get('demo/small', 'new')).toHaveLength(10)
        expect((await line.run(['get', 'demo/large', 'gone', '--data', 'new'])).code).toBe(1)
      },
    )

    it('go on with what an attempt before them has brought', async () => {
      const file = blob()
      const good = readFileSync(file)
      rmSync(file)
      expect((await restored()).code).toBe(1)
      writeFileSync(file, good)
      expect((await restored()).code).toBe(0)
      expect(await get('demo/large', 'new')).toEqual(Buffer.from(pattern(LARGE)))
      expect((await line.run(['scrub', '--data', 'new'])).code).toBe(0)
    })

    it('do not see an altered byte where they are told not to look', async () => {
      flip(blob(), 5)
      expect((await restored('--no-verify')).code).toBe(0)
      expect((await line.run(['scrub', '--data', 'new'])).code).toBe(1)
    })

    it('keep the good copy of what rots or is lost here later', async () => {
      const [own = ''] = blobsIn(at('data/store/blobs'))
      chmodSync(own, 0o600)
      flip(own)
      expect((await line.run(['backup', 'backup', '--copy'])).code).toBe(0)
      rmSync(own)
      expect((await line.run(['backup', 'backup', '--copy'])).code).toBe(0)
      expect((await restored()).code).toBe(0)
      expect(await get('demo/large', 'new')).toEqual(Buffer.from(pattern(LARGE)))
    })
  })
})
