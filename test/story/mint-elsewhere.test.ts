import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mint } from '../../index.ts'
import { keyOf } from '../../key/link.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { beginWith, type Grant, readKey, verifyKey } from '../../key/sign.ts'
import { formatSigningKey } from '../../key/signer.ts'

/**
 * A backend mints keys in its own language, with a few lines copied out of docs/key-format.md, and
 * the gateway honours them. The lines are the files in examples/mint, run here as they stand.
 */
const SIGNING_KEY = {
  kid: 'backend_1',
  // its text holds both - and _, which plain base64 writes differently
  secret: Uint8Array.from({ length: 32 }, (_, index) => 251 - index * 3 + (index % 5)),
}
const MINTERS = [
  { file: 'mint.mjs', fence: 'js', command: [process.execPath], probe: ['--version'] },
  {
    file: 'mint.sh',
    fence: 'sh',
    command: ['sh', '-eu'],
    probe: ['-c', 'openssl version && od /dev/null'],
  },
  { file: 'mint.py', fence: 'python', command: ['python3'], probe: ['--version'] },
  { file: 'mint.php', fence: 'php', command: ['php'], probe: ['--version'] },
  { file: 'mint.go', fence: 'go', command: ['go', 'run'], probe: ['version'] },
] as const
const NARROWER = { file: 'narrow.py', fence: 'python' } as const

/** Compiling Go for the first time takes a while. */
const PATIENCE_MS = 240_000

const folder = fileURLToPath(new URL('../../examples/mint/', import.meta.url))
const doc = readFileSync(new URL('../../docs/key-format.md', import.meta.url), 'utf8')

function run(command: readonly string[], ...more: readonly string[]): string | undefined {
  const [program = '', ...rest] = command
  const { status, stdout } = spawnSync(program, [...rest, ...more], {
    cwd: folder,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    env: { ...process.env, VALETKEY_SIGNING_KEY: formatSigningKey(SIGNING_KEY) },
  })
  return status === 0 ? stdout : undefined
}

const runnable = MINTERS.filter(({ command, probe }) => run([command[0]], ...probe) !== undefined)

function verified(output: string | undefined): Grant {
  expect(output).toMatch(/^vk1\.[A-Za-z0-9_.-]+\n$/)
  const signer = {
    kid: SIGNING_KEY.kid,
    status: 'active' as const,
    begin: beginWith(SIGNING_KEY.secret, nodeMac),
  }
  return verifyKey(readKey(output?.trim() ?? ''), signer, nodeMac)
}

/** Seconds from now until a time, as far as a test may look at the clock: some, and no more than asked. */
const expectAhead = (time: number, atMost: number) => {
  const ahead = time - Math.floor(Date.now() / 1000)
  expect(ahead).toBeGreaterThan(atMost - PATIENCE_MS / 1000)
  expect(ahead).toBeLessThanOrEqual(atMost)
}

test('JavaScript runs here, whatever else does', () => {
  expect(runnable.map(({ file }) => file)).toContain('mint.mjs')
  expect(formatSigningKey(SIGNING_KEY)).toMatch(/\.(?=.*-)(?=.*_)[A-Za-z0-9_-]{43}$/)
})

describe.each(runnable)('$file', ({ file, command }) => {
  test(
    'mints keys that verify, each with an id of its own',
    () => {
      const grants = [1, 2].map(() => verified(run(command, file)))
      for (const { blocks, expires } of grants) {
        expect(blocks).toEqual([
          {
            kid: SIGNING_KEY.kid,
            jti: expect.stringMatching(/^[A-Za-z0-9_-]{20,}$/) as string,
            exp: expires,
            path: 'reports/q3.pdf',
            methods: ['GET'],
          },
        ])
        expectAhead(expires, 900)
      }
      expect(grants[0]?.id).not.toBe(grants[1]?.id)
    },
    PATIENCE_MS,
  )
})

// Where there is no Python, the narrowed key is not made; the one it starts from still is.
test('narrow.py narrows a key without the secret', () => {
  const minted = run([process.execPath], 'mint.mjs')
  expect(verified(minted).blocks).toHaveLength(1)
  if (!runnable.some(({ file }) => file === 'mint.py')) return
  const { blocks, expires } = verified(run(['python3'], 'narrow.py', minted?.trim() ?? ''))
  expect(blocks[1]).toEqual({ methods: ['GET'], exp: expires })
  expectAhead(expires, 60)
})

describe('docs/key-format.md', () => {
  test.each([...MINTERS, NARROWER])('shows $file as it is', ({ file, fence }) => {
    const text = readFileSync(`${folder}${file}`, 'utf8')
    expect(doc).toContain(`\`\`\`${fence}\n${text}\`\`\`\n`)
  })

  test('shows how the library mints', () => {
    const shown = /import \{ mint \} from 'valetkey'\n\nconst \{ url \} = mint\((\{[^}]*\})\)/.exec(
      doc,
    )
    const options = shown?.[1]?.replace(
      'process.env.VALETKEY_SIGNING_KEY',
      `'${formatSigningKey(SIGNING_KEY)}'`,
    )
    const { url } = mint(new Function(`return ${options}`)() as Parameters<typeof mint>[0])
    expect(url).toMatch(/^https:\/\/files\.example\.com\/reports\/q3\.pdf\?vk=/)
    expect(verified(`${keyOf(url).key}\n`).blocks[0]?.path).toBe('reports/q3.pdf')
  })
})
