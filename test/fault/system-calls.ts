/**
 * Lets the kernel fail one system call of the running program after the other, by strace: on the
 * databases and the audit, which no seam of ours reaches, and in a folder bucket, whose names a thread
 * changes. Run by hand, for every call: `npx tsx test/fault/system-calls.ts`, with names of targets to
 * choose from.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Answer, ask } from '../support/http.ts'
import { type Serve, ServeFolder, type ServeOptions } from '../support/serve-process.ts'
import { isSame, pattern } from '../support/store.ts'
import { tempFolder } from '../support/temp-folder.ts'

type Target = 'index' | 'ledger' | 'audit' | 'folder'

/** The call of this number, of one thread, on the files of the target. */
export interface Fault {
  readonly target: Target
  readonly call: string
  readonly code: 'EIO' | 'ENOSPC'
  readonly nth: number
}

export interface Outcome {
  /** whether there was such a call */
  readonly isInjected: boolean
  readonly answers: Readonly<Record<string, number>>
  readonly mistakes: readonly string[]
}

type Content = Uint8Array | undefined

/** What is done to one object, with what is there before and after. */
interface Step {
  readonly path: string
  readonly before: Content
  readonly after: Content
}

const SMALL = 900
const LARGE = 600_000
const STEPS: readonly Step[] = [SMALL, LARGE].flatMap((size) => [
  { path: `made/${size}`, before: undefined, after: pattern(size, 1) },
  { path: `kept/replaced-${size}`, before: pattern(size, 2), after: pattern(size, 3) },
  { path: `kept/deleted-${size}`, before: pattern(size, 4), after: undefined },
])
/** Never touched. */
const OTHER = { path: 'kept/other', content: pattern(SMALL, 5) }

export const mayInject =
  spawnSync('strace', ['-f', '-q', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'])
    .status === 0

/** Fails one call, then starts anew and compares what is there with what was answered. */
export async function failOne(fault: Fault, options: ServeOptions = {}): Promise<Outcome> {
  const place = tempFolder()
  const folder = new ServeFolder(place.path)
  const mistakes: string[] = []
  let serve: Serve | undefined
  try {
    if (fault.target === 'folder') configureFolders(folder, place.path)
    serve = await folder.start(options)
    const key = folder.mint()
    await prepare(serve, key)
    const trace = join(place.path, 'trace')
    const strace = await attach(serve, fault, filesOf(fault.target, folder), trace)
    const answers = await act(serve, folder, key)
    if (serve.hasEnded) mistakes.push('the process has ended')
    await detach(strace)
    await serve.kill()
    const lines = readFileSync(trace, 'utf8').split('\n')
    if (fault.code === 'EIO') mistakes.push(...repeatedSyncs(lines))

    serve = await folder.start(options)
    mistakes.push(...(await compare(serve, folder, key, answers)))
    if ((await serve.stop()) !== 0) mistakes.push('it did not end well')
    return { isInjected: lines.some((line) => /INJECTED/.test(line)), answers, mistakes }
  } finally {
    await serve?.kill()
    place.remove()
  }
}

function configureFolders(folder: ServeFolder, path: string): void {
  mkdirSync(folder.data, { mode: 0o700 })
  const sections = ['made', 'kept'].map((bucket) => {
    mkdirSync(join(path, bucket))
    return `[buckets.${bucket}]\nfolder = "${join(path, bucket)}"\n`
  })
  writeFileSync(join(folder.data, 'valetkey.toml'), sections.join(''))
}

async function prepare(serve: Serve, key: string): Promise<void> {
  const put = (path: string, body: Content) =>
    body === undefined ? undefined : ask(serve.url(path, key), { method: 'PUT', body })
  for (const { path, before } of STEPS) await put(path, before)
  await put(OTHER.path, OTHER.content)
}

/** None: calls on any file. */
function filesOf(target: Target, folder: ServeFolder): readonly string[] {
  const ofDatabase = (file: string) => ['', '-wal', '-shm'].map((suffix) => file + suffix)
  if (target === 'index') return ofDatabase(folder.indexFile)
  if (target === 'ledger') return ofDatabase(folder.ledgerFile)
  if (target === 'folder') return []
  const audit = join(folder.data, 'audit')
  const names = readdirSync(audit).filter((name) => name.endsWith('.jsonl'))
  return names.map((name) => join(audit, name))
}

async function attach(
  { pid }: Serve,
  { call, code, nth }: Fault,
  files: readonly string[],
  trace: string,
): Promise<ChildProcess> {
  const what = [
    '-e',
    `inject=${call}:error=${code}:when=${nth}`,
    '-e',
    `trace=${call},fsync,fdatasync`,
  ]
  const where = files.flatMap((file) => ['-P', file])
  const options = ['-f', '-y', '-p', String(pid), '-o', trace, ...what, ...where]
  const strace = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    strace.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (/attached/.test(said)) resolve()
    })
    strace.once('exit', () => reject(new Error(`strace said: ${said}`)))
  })
  return strace
}

async function detach(strace: ChildProcess): Promise<void> {
  const ended = once(strace, 'exit')
  strace.kill('SIGTERM')
  await ended
}

/** What was answered to each step, by its path, and to a revocation. */
async function act(serve: Serve, folder: ServeFolder, key: string) {
  const answers: Record<string, number> = {}
  const status = (asked: Promise<Answer>): Promise<number> =>
    asked.then(
      (answer) => answer.status,
      () => 0,
    )
  for (const { path, after } of STEPS) {
    const question = after === undefined ? { method: 'DELETE' } : { method: 'PUT', body: after }
    answers[path] = await status(ask(serve.url(path, key), question))
  }
  answers.revocation = await status(serve.revoke('revoked'))
  // a use that can't be counted is not given
  answers.use = await status(ask(serve.url(OTHER.path, folder.mint({ jti: 'once', uses: 1 }))))
  answers.other = await status(ask(serve.url(OTHER.path, key)))
  // the fault may have met that one
  if (answers.other !== 200) answers.other = await status(ask(serve.url(OTHER.path, key)))
  return answers
}

/** After a failed fsync nobody knows what is on the disk: a second one would say that all is well. */
export function repeatedSyncs(lines: readonly string[]): readonly string[] {
  const fileOf = (line: string): string | undefined => /f(?:data)?sync\(\d+<(.*?)>/.exec(line)?.[1]
  const failedAt = lines.findIndex((line) => /sync\(.*INJECTED/.test(line))
  const failed = fileOf(lines[failedAt] ?? '')
  if (failed === undefined) return []
  const again = lines.slice(failedAt + 1).filter((line) => fileOf(line) === failed)
  return again.map((line) => `synced again: ${line}`)
}

const isDone = (status: number): boolean => status >= 200 && status < 300

async function compare(
  serve: Serve,
  folder: ServeFolder,
  key: string,
  answers: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const mistakes: string[] = []
  for (const { path, before, after } of STEPS) {
    const status = answers[path] ?? 0
    const there = await ask(serve.url(path, key))
    const is = (content: Content): boolean =>
      content === undefined
        ? there.status === 404
        : there.status === 200 && isSame(there.body, content)
    // 507 says that nothing has changed, 503, and no answer at all, that it may have
    const isRight = isDone(status)
      ? is(after)
      : (status === 507 && is(before)) || ([0, 503].includes(status) && (is(before) || is(after)))
    if (!isRight) mistakes.push(`${path}: answered ${status}, and then there is ${there.status}`)
  }
  if (answers.other !== 200) mistakes.push(`another object was answered with ${answers.other}`)
  const revoked = await ask(serve.url(OTHER.path, folder.mint({ jti: 'revoked' })))
  if (answers.revocation === 201 && revoked.code !== 'key_revoked') {
    mistakes.push('a revocation is lost')
  }
  return mistakes
}

/** What the program asks of each kind of file, as far as it can fail. */
const CALLS: Readonly<Record<Target, readonly string[]>> = {
  index: ['pwrite64', 'fsync', 'pread64', 'ftruncate'],
  ledger: ['pwrite64', 'fsync', 'pread64', 'ftruncate'],
  audit: ['write', 'fdatasync'],
  folder: ['openat', 'writev', 'utimensat', 'fsync', 'link', 'rename', 'unlink', 'mkdir', 'rmdir'],
}

async function failEvery(targets: readonly Target[], options: ServeOptions): Promise<void> {
  for (const target of targets) {
    for (const call of CALLS[target]) {
      for (const code of ['EIO', 'ENOSPC'] as const) {
        await failEach({ target, call, code }, options)
      }
    }
  }
}

/** The first, the second and so on, until there is none. */
async function failEach(fault: Omit<Fault, 'nth'>, options: ServeOptions): Promise<void> {
  const { target, call, code } = fault
  for (let nth = 1; ; nth += 1) {
    const { isInjected, answers, mistakes } = await failOne({ ...fault, nth }, options)
    if (!isInjected) return
    const found = mistakes.length === 0 ? 'right' : mistakes.join('; ')
    const answered = Object.values(answers).join(' ')
    process.stdout.write(`${target} ${call} ${nth} ${code}: ${answered}: ${found}\n`)
    if (mistakes.length > 0) process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals } = parseArgs({ allowPositionals: true })
  const all = Object.keys(CALLS) as Target[]
  const named = all.filter((target) => positionals.length === 0 || positionals.includes(target))
  await failEvery(named, {
    main: fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)),
  })
}
