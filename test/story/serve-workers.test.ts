/** `serve --workers`: one port, several processes, one truth about keys and objects. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CommandLine, Sink } from '../unit/cli/command-line.ts'

const MAIN = join(import.meta.dirname, '../../cli/main.ts')
const ANYWHERE = ['--gateway-listen', '127.0.0.1:0', '--issuer-listen', '127.0.0.1:0']

let line: CommandLine
let serve: ChildProcess
let stdout: Sink
let stderr: Sink

function start(...listen: readonly string[]): void {
  const args = ['--data', join(line.folder, 'data'), ...listen, '--workers', '2', '--json']
  serve = spawn(process.execPath, ['--import', 'tsx', MAIN, 'serve', ...args])
  ;[stdout, stderr] = [new Sink(), new Sink()]
  serve.stdout?.pipe(stdout)
  serve.stderr?.pipe(stderr)
}

beforeEach(async () => {
  line = new CommandLine()
  start(...ANYWHERE)
  await stdout.matching(/^\}\n$/m)
})

afterEach(async () => {
  if (serve.exitCode === null && serve.signalCode === null) {
    const ended = once(serve, 'exit')
    serve.kill('SIGTERM')
    await ended
  }
  line.remove()
})

const started = () => JSON.parse(stdout.text) as { gateway: string }

const minted = async (...args: string[]): Promise<string> => {
  const env = { VALETKEY_PUBLIC_URL: started().gateway }
  return (await line.run(['mint', ...args], { env })).stdout.trim()
}

it('counts uses over all of them, and follows a revocation in each', async () => {
  await line.run(['put', '-', 'demo/a.txt'], { stdin: 'shared' })
  const once_ = await minted('demo/a.txt', '--once')
  const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(once_)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]))
  await Promise.all(answers.map((answer) => answer.text()))

  const link = await minted('demo/a.txt')
  await line.done('revoke', link)
  const refused = await Promise.all(Array.from({ length: 20 }, () => fetch(link)))
  for (const answer of refused) expect(await answer.json()).toMatchObject({ code: 'key_revoked' })
})

it('follows a new signing key in each, and nothing is started anew', async () => {
  await line.run(['put', '-', 'demo/a.txt'], { stdin: 'shared' })
  const asked = async (link: string) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(link)))
    const said = answers.map(async (answer) =>
      answer.ok ? answer.text() : ((await answer.json()) as { code: string }).code,
    )
    return new Set(await Promise.all(said))
  }
  const before = await minted('demo/a.txt')
  expect(await asked(before)).toEqual(new Set(['shared']))
  await line.done('keys', 'rotate', '--grace', '1h')
  const after = await minted('demo/a.txt')
  expect(await asked(after)).toEqual(new Set(['shared']))
  expect(await asked(before)).toEqual(new Set(['shared']))
  const { keys } = (await line.json('keys', 'list')) as { keys: { kid: string; status: string }[] }
  const former = keys.find(({ status }) => status === 'retiring')
  await line.done('keys', 'revoke', former?.kid ?? '', '--yes')
  expect(await asked(before)).toEqual(new Set(['key_revoked']))
  expect(await asked(after)).toEqual(new Set(['shared']))
})

it('replaces a worker that dies, and ends with all of them', async () => {
  await line.run(['put', '-', 'demo/a.txt'], { stdin: 'still here' })
  const link = await minted('demo/a.txt')
  process.kill(await workerPid(), 'SIGKILL')
  await stderr.matching(/a worker has ended/)
  expect(await (await fetch(link)).text()).toBe('still here')
  const ended = once(serve, 'exit')
  serve.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  await expect(fetch(link)).rejects.toThrow()
})

it('names nothing that awaits a restart on SIGHUP, where nothing was changed', async () => {
  serve.kill('SIGHUP')
  await stderr.matching(/(?:"reread"[\s\S]*?\n[\s\S]*?){3}/)
  expect(stderr.text).not.toContain('afterRestart')
})

it('ends, and says why, where the port is taken', async () => {
  const first = serve
  const taken = started().gateway.replace('http://', '')
  start('--gateway-listen', taken, '--issuer-listen', '127.0.0.1:0')
  expect(await once(serve, 'exit')).toEqual([1, null])
  expect(stderr.text).toContain(`${taken}: the address is in use: end the program`)
  expect(stderr.text).toMatch(/^valetkey: a worker could not start; it has said why$/m)
  expect(stderr.text).not.toContain('another one takes its place')
  serve = first
})

/** The process id of some worker, as it is logged. */
async function workerPid(): Promise<number> {
  await stderr.matching(/a worker listens/)
  return Number(/"pid":(\d+)[^\n]*a worker listens/.exec(stderr.text)?.[1])
}
