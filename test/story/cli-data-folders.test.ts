/** Folders of files into the store, and out of it. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pattern } from '../support/store.ts'
import { CommandLine } from '../unit/cli/command-line.ts'

const LARGE = 300 * 1024

interface Left {
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[]
}

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

const at = (...names: string[]) => join(line.folder, ...names)
const write = (name: string, content: string | Uint8Array, modified = 1_700_000_000) => {
  mkdirSync(dirname(at(name)), { recursive: true })
  writeFileSync(at(name), content)
  utimesSync(at(name), modified, modified)
}
/** Every file beneath a folder: its content and time. */
const tree = (folder: string) =>
  readdirSync(at(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(at(folder, name)).isFile())
    .sort()
    .map((name) => {
      const content = readFileSync(at(folder, name)).toString('base64')
      return [name, content, Math.floor(statSync(at(folder, name)).mtimeMs / 1000)]
    })
const left = (stdout: string) => {
  const { leftOut } = JSON.parse(stdout) as Left
  return Object.fromEntries(leftOut.map(({ name, reason }) => [name, reason]))
}

describe('import and export', () => {
  it('carry everything there and back again: odd names, any size, times', async () => {
    const names = [
      'plain.txt',
      'with space and %41 + & # ?',
      '-rf',
      '.hidden/.file',
      'ünïcödé/日本語/🎉.png',
      'e\u0301 decomposed',
      'é composed',
      'UPPER/lower',
      'upper/LOWER',
      'a'.repeat(255),
      `${'deep/'.repeat(40)}file`,
      'quote"\'`$(x)',
      '...',
    ]
    for (const [n, name] of names.entries()) write(`source/${name}`, name, 1_600_000_000 + n)
    write('source/empty', '')
    write('source/at the limit', pattern(64 * 1024))
    write('source/above', pattern(64 * 1024 + 1))
    write('source/large', pattern(3_000_001))
    write('source/old', 'x', 0)
    expect(await line.json('import', 'source', 'demo/in/')).toMatchObject({
      imported: names.length + 5,
      unchanged: 0,
      leftOut: [],
    })
    expect(await line.json('ls', 'demo/in/plain.txt')).toMatchObject({
      objects: [{ type: 'text/plain', modified: 1_600_000_000 }],
    })
    expect(await line.done('export', 'demo/in/', 'target/deep')).toMatch(
      /^18 objects, .+, 18 exported$/,
    )
    expect(tree('target/deep')).toEqual(tree('source'))
    expect(readdirSync(at('target/deep'))).not.toContain('.valetkey-export')
  })

  it('make buckets of the folders on top, and the other way round', async () => {
    write('source/one-bucket/a', '1')
    write('source/two/b/c', '2')
    write('source/Bad_Bucket/d', '3')
    write('source/top', '4')
    const { code, stdout } = await line.run(['import', 'source', '/', '--json'])
    expect(code).toBe(1)
    expect(left(stdout)).toEqual({
      'Bad_Bucket/d': expect.stringMatching(/the first segment is the bucket/),
      top: expect.stringMatching(/names a bucket only/),
    })
    await line.done('export', '/', 'target')
    expect(tree('target').map(([name]) => name)).toEqual(['one-bucket/a', 'two/b/c'])
  })

  it('skip what is there, by size and time; by content where these say nothing', async () => {
    write('source/a', 'one')
    write('source/b', 'two')
    const run = (...options: string[]) =>
      line.run(['import', 'source', 'demo/', '--json', ...options])
    await run()
    expect(JSON.parse((await run()).stdout)).toMatchObject({ imported: 0, unchanged: 2 })
    write('source/a', 'one', 1_700_000_001)
    expect(JSON.parse((await run()).stdout)).toMatchObject({ imported: 0, unchanged: 2 })
    // of the same size and time
    write('source/b', 'TWO')
    expect(JSON.parse((await run()).stdout)).toMatchObject({ unchanged: 2 })
    const refused = await run('--checksum')
    expect(refused.code).toBe(1)
    expect(left(refused.stdout)).toEqual({ b: 'another object is there: --overwrite replaces it' })
    write('source/a', 'longer')
    expect(left((await run()).stdout)).toHaveProperty('a')
    expect(await line.done('get', 'demo/b', '-')).toBe('two')
    const replaced = await run('--checksum', '--overwrite')
    expect(JSON.parse(replaced.stdout)).toMatchObject({ imported: 0, replaced: 2 })
    expect(await line.done('get', 'demo/b', '-')).toBe('TWO')
  })

  it('do the same on the way out', async () => {
    write('source/a', 'one')
    write('source/b', 'two')
    await line.done('import', 'source', 'demo/')
    const run = (...options: string[]) =>
      line.run(['export', 'demo/', 'target', '--json', ...options])
    await run()
    expect(JSON.parse((await run()).stdout)).toMatchObject({ exported: 0, unchanged: 2 })
    write('target/a', 'one', 1_700_000_001)
    write('target/b', 'TWO')
    expect(JSON.parse((await run()).stdout)).toMatchObject({ exported: 0, unchanged: 2 })
    const refused = await run('--checksum')
    expect(refused.code).toBe(1)
    expect(left(refused.stdout)).toEqual({
      'demo/b': 'another file is there: --overwrite replaces it',
    })
    expect(readFileSync(at('target/b'), 'utf8')).toBe('TWO')
    expect(JSON.parse((await run('--checksum', '--overwrite')).stdout)).toMatchObject({
      exported: 1,
    })
    expect(readFileSync(at('target/b'), 'utf8')).toBe('two')
  })

  it('show how far they are on a terminal, and take that away', async () => {
    write('source/a', 'one')
    await line.run(['put', '-', 'other/a'], { stdin: 'x' })
    const imported = await line.run(['import', 'source', 'demo/'], { isTTY: true })
    expect(imported.stderr).toMatch(/1( of 1)? files {2}3 B/)
    const exported = await line.run(['export', 'demo/', 'target'], { isTTY: true })
    expect(exported.stderr).toMatch(/1 files {2}3 B/)
    for (const { stderr } of [imported, exported]) expect(stderr.endsWith('\r\u001b[2K')).toBe(true)
    expect((await line.run(['import', 'source', 'demo/'])).stderr).toBe('')
  })

  it('end when they are interrupted, and go on when they are run again', async () => {
    for (let n = 0; n < 10; n += 1) write(`source/${n}`, pattern(LARGE, n + 1))
    for (const args of [
      ['import', 'source', 'demo/'],
      ['export', 'demo/', 'target'],
    ]) {
      line.signals.once('newListener', () => queueMicrotask(() => line.signals.emit('SIGINT')))
      expect(await line.run(args)).toMatchObject({
        code: 1,
        stderr: 'valetkey: interrupted; nothing was left half done\n',
      })
      expect(line.signals.eventNames()).toEqual([])
      await line.done(...args)
    }
    expect(tree('target')).toEqual(tree('source'))
  })
})

describe('import', () => {
  it('leaves out, and lists, what is no regular file and what no object can be named', async () => {
    write('source/fine', 'x')
    symlinkSync('fine', at('source/link'))
    symlinkSync('..', at('source/loop'))
    execFileSync('mkfifo', [at('source/pipe')])
    write('source/new\nline', 'x')
    write('source/back\\slash', 'x')
    write(`source/${'long/'.repeat(210)}x`, 'x')
    mkdirSync(Buffer.concat([Buffer.from(at('source/')), Buffer.from([0xff])]))
    writeFileSync(Buffer.concat([Buffer.from(at('source/bad')), Buffer.from([0xfe])]), 'x')
    const { code, stdout } = await line.run(['import', 'source', 'demo/', '--json'])
    expect(code).toBe(1)
    expect(left(stdout)).toEqual({
      link: 'it is a symbolic link',
      loop: 'it is a symbolic link',
      pipe: 'it is no regular file',
      'new\nline': 'a path has no control characters and no backslash',
      'back\\slash': 'a path has no control characters and no backslash',
      [`${'long/'.repeat(210)}x`]: 'a path is at most 1024 bytes of UTF-8 long',
      '\ufffd': 'its name is not UTF-8',
      'bad\ufffd': 'its name is not UTF-8',
    })
    expect(await line.done('ls', '-r')).toBe('demo/fine')
    const { stderr } = await line.run(['import', 'source', 'demo/'])
    expect(stderr).toMatch(/^left out newU\+000Aline: a path has no control characters/m)
    expect(stderr).toMatch(/valetkey: 8 files left out, as listed; the rest is done\n$/)
  })

  it('does not enter the data folder that it fills', async () => {
    write('a', 'x')
    expect(await line.json('import', '.', 'demo/')).toMatchObject({ imported: 1, leftOut: [] })
    expect(await line.json('import', '.', 'demo/')).toMatchObject({ unchanged: 1, leftOut: [] })
  })

  it('takes a time in the future for now', async () => {
    write('source/a', 'x', line.now + 1000)
    await line.done('import', 'source', 'demo/')
    expect(await line.json('ls', 'demo/')).toMatchObject({ objects: [{ modified: line.now }] })
    expect(await line.json('import', 'source', 'demo/')).toMatchObject({ unchanged: 1 })
  })

  it('links large files where it is asked to, and finds a change of one', async () => {
    write('source/large', pattern(LARGE))
    write('source/small', 'x')
    expect(await line.json('import', 'source', 'demo/', '--link')).toMatchObject({
      imported: 2,
      linked: 1,
    })
    expect(statSync(at('source/large')).nlink).toBe(2)
    await line.done('get', 'demo/large', 'out')
    expect(readFileSync(at('out')).equals(pattern(LARGE))).toBe(true)
    expect(await line.json('scrub')).toMatchObject({ damaged: [], strays: [] })
    await line.done('rm', 'demo/large')
    expect(statSync(at('source/large')).nlink).toBe(1)
    expect(readFileSync(at('source/large')).equals(pattern(LARGE))).toBe(true)
    await line.done('import', 'source', 'demo/', '--link')
    writeFileSync(at('source/large'), pattern(LARGE, 2))
    expect((await line.run(['get', 'demo/large', 'changed'])).code).toBe(1)
    expect((await line.run(['scrub'])).code).toBe(1)
  })

  it.each([
    [['none', 'demo/'], 1, /none: there is no such file or folder/],
    [['a', 'demo/'], 1, /a part of the path is not a folder/],
    [['source', 'demo/x'], 2, /demo\/x is no prefix: write demo\/x\//],
    [['source', 'demo/../x/'], 1, /path_malformed/],
  ])('%j is refused', async (args, code, message) => {
    write('a', 'x')
    write('source/a', 'x')
    const outcome = await line.run(['import', ...args])
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringMatching(message)])
  })
})

describe('export', () => {
  const put = async (path: string, content = path) => {
    await line.run(['put', '-', path], { stdin: content })
  }

  it('leaves out, and lists, what the file system can not hold', async () => {
    await put('demo/a')
    await put('demo/a/b')
    await put('demo/fine')
    await put(`demo/${'n'.repeat(256)}/x`)
    await put('demo/.valetkey-export/x')
    const { code, stdout } = await line.run(['export', 'demo/', 'target', '--json'])
    expect(code).toBe(1)
    const found = left(stdout)
    // of the two, whichever comes first
    const clash = existsSync(at('target/a/b')) ? 'demo/a' : 'demo/a/b'
    expect(Object.keys(found).toSorted()).toEqual(
      ['demo/.valetkey-export/x', clash, `demo/${'n'.repeat(256)}/x`].toSorted(),
    )
    expect(readFileSync(at('target/fine'), 'utf8')).toBe('demo/fine')
  })

  it('never writes through a symbolic link', async () => {
    await put('demo/dir/file')
    await put('demo/link')
    mkdirSync(at('outside'))
    mkdirSync(at('target'))
    symlinkSync(at('outside'), at('target/dir'))
    symlinkSync(at('outside/link'), at('target/link'))
    for (const options of [[], ['--overwrite']]) {
      const { code, stdout } = await line.run(['export', 'demo/', 'target', '--json', ...options])
      expect(code).toBe(1)
      expect(left(stdout)).toEqual({
        'demo/dir/file': 'dir is there, and is no folder',
        'demo/link': 'something that is no regular file has its name',
      })
    }
    expect(readdirSync(at('outside'))).toEqual([])
    symlinkSync(at('outside'), at('target/.valetkey-export'))
    expect((await line.run(['export', 'demo/', 'target'])).code).toBe(1)
    expect(readdirSync(at('outside'))).toEqual([])
  })

  it('leaves out what is damaged, and nothing of it behind', async () => {
    write('source/large', pattern(LARGE))
    write('source/fine', 'x')
    await line.done('import', 'source', 'demo/', '--link')
    writeFileSync(at('source/large'), pattern(LARGE, 2))
    const { code, stdout } = await line.run(['export', 'demo/', 'target', '--json'])
    expect(code).toBe(1)
    expect(left(stdout)).toEqual({ 'demo/large': expect.stringMatching(/is not what was written/) })
    expect(readdirSync(at('target'))).toEqual(['fine'])
  })

  it('leaves alone what others have left there', async () => {
    await put('demo/a')
    write('target/.valetkey-export/notes', 'mine')
    write('target/other', 'mine')
    await line.done('export', 'demo/', 'target')
    expect(tree('target').map(([name]) => name)).toEqual(['.valetkey-export/notes', 'a', 'other'])
  })
})
