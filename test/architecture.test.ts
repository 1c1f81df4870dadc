import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  loadedWith,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  ROOM_NAMES,
  type Source,
  violationsOf,
} from './architecture-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

const sources: readonly Source[] = ROOM_NAMES.filter((room) =>
  existsSync(`${root}${room}`),
).flatMap((room) =>
  readdirSync(`${root}${room}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${room}/${file.replaceAll('\\', '/')}`)
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') })),
)

test('the house is built as the architecture says', () => {
  expect(sources.map(({ path }) => path)).toContain('key/sign.ts')
  expect(new Set(sources.map(({ path }) => path.split('/')[0]))).toEqual(new Set(ROOM_NAMES))
  expect(violationsOf(sources)).toEqual([])
})

/** Every module that is loaded is held for months by a program that serves for months. */
describe('nothing is loaded for what does not run', () => {
  const serve = ['cli/main.ts', 'cli/commands/serve.ts']

  test('a command without the others', () => {
    const loaded = [...loadedWith(sources, ['cli/main.ts'])]
    const commands = loaded.filter((path) => path.startsWith('cli/commands/'))
    expect(commands).toEqual(['cli/commands/index.ts'])
    expect(loaded).toContain('commander')
  })

  test('serve without gateway and issuer, before it knows which', () => {
    const loaded = loadedWith(sources, serve)
    for (const part of ['gateway/main.ts', 'issuer/main.ts', 'events/open.ts', 'hono']) {
      expect(loaded).not.toContain(part)
    }
    expect(loaded).toContain('ledger/sqlite/ledger.ts')
  })

  test('a gateway without the issuer, and without what only some settings or requests ask for', () => {
    const loaded = loadedWith(sources, [...serve, 'gateway/main.ts'])
    const unused = ['issuer/app.ts', '@hono/zod-openapi', 'prom-client', 'nodemailer', 'undici']
    const configured = ['jose', 'gateway/store/folder/store.ts', 'mime']
    const onDemand = ['file-type', 'hash-wasm', 'saxes', '@fastify/busboy', 'esbuild']
    expect([...unused, ...configured, ...onDemand].filter((name) => loaded.has(name))).toEqual([])
    expect(loaded).toContain('hono')
  })
})

const file = (path: string, text: string): Source => ({ path, text })
const importing = (path: string, target: string): Source =>
  file(path, `import { x } from '${target}'\nexport const y = x\n`)
const others = [
  'key/a.ts',
  'database/a.ts',
  'ledger/a.ts',
  'ledger/sqlite/a.ts',
  'ledger/memory/a.ts',
  'gateway/a.ts',
  'issuer/a.ts',
  'cli/a.ts',
  'web/a.ts',
  'web/client/a.ts',
  'key/node-a.ts',
  'key/dialects/a.ts',
  'gateway/store/store.ts',
  'gateway/store/disk/a.ts',
  'gateway/store/memory/a.ts',
  'gateway/app.ts',
].map((path) => file(path, 'export const x = 1\n'))

const violations = (...more: readonly Source[]) =>
  violationsOf([...others.filter(({ path }) => more.every((own) => own.path !== path)), ...more])

const functionOf = (lines: number) => `function f() {\n${'  g()\n'.repeat(lines - 2)}}\nf()\n`

describe('the checker lets pass', () => {
  test.each([
    ['key/b.ts', './a.ts'],
    ['key/node-b.ts', 'node:crypto'],
    ['database/b.ts', 'better-sqlite3'],
    ['ledger/sqlite/b.ts', '../../database/a.ts'],
    ['ledger/sqlite/b.ts', './a.ts'],
    ['gateway/verbs/b.ts', '../../ledger/a.ts'],
    ['gateway/verbs/b.ts', '../store/store.ts'],
    ['gateway/store/disk/b.ts', './a.ts'],
    ['gateway/main.ts', './store/disk/a.ts'],
    ['gateway/index.ts', '../ledger/sqlite/a.ts'],
    ['issuer/main.ts', '../ledger/memory/a.ts'],
    ['cli/commands/b.ts', '../../gateway/store/disk/a.ts'],
    ['cli/b.ts', '../issuer/a.ts'],
    ['web/b.ts', 'esbuild'],
    ['web/client/share/b.ts', '../a.ts'],
    ['web/client/share/b.ts', '../../../key/a.ts'],
    ['gateway/b.ts', '../web/a.ts'],
    ['issuer/b.ts', '../web/a.ts'],
  ])('%s importing %s', (path, target) => {
    expect(violations(importing(path, target))).toEqual([])
  })

  test('functions and files that are just short enough', () => {
    expect(violations(file('key/b.ts', functionOf(MAX_FUNCTION_LINES)))).toEqual([])
    expect(violations(file('key/b.ts', 'f()\n'.repeat(MAX_FILE_LINES)))).toEqual([])
  })

  test('words in comments and strings, and a console on the command line', () => {
    const words =
      "// console.log(1); export default 1; import '../gateway/a.ts'\nf('console.log')\n"
    expect(violations(file('key/b.ts', words))).toEqual([])
    expect(violations(file('cli/b.ts', 'console.log(1)\n'))).toEqual([])
  })
})

describe('the checker catches', () => {
  test.each([
    ['key/b.ts', '../ledger/a.ts'],
    ['key/b.ts', '../database/a.ts'],
    ['key/b.ts', 'node:crypto'],
    ['key/b.ts', 'node:fs'],
    ['key/b.ts', 'hono'],
    ['key/node-b.ts', 'node:fs'],
    ['key/dialects/node.ts', 'node:crypto'],
    ['database/b.ts', '../key/a.ts'],
    ['database/b.ts', '../ledger/a.ts'],
    ['ledger/b.ts', '../gateway/a.ts'],
    ['ledger/b.ts', '../issuer/a.ts'],
    ['ledger/b.ts', './sqlite/a.ts'],
    ['ledger/memory/b.ts', '../sqlite/a.ts'],
    ['gateway/b.ts', '../issuer/a.ts'],
    ['gateway/b.ts', '../cli/a.ts'],
    ['gateway/app.ts', './store/disk/a.ts'],
    ['gateway/verbs/main.ts', '../store/disk/a.ts'],
    ['gateway/store/disk/b.ts', '../memory/a.ts'],
    ['gateway/b.ts', '../ledger/sqlite/a.ts'],
    ['issuer/b.ts', '../gateway/a.ts'],
    ['issuer/b.ts', '../gateway/store/store.ts'],
    ['issuer/main.ts', '../gateway/store/disk/a.ts'],
    ['issuer/b.ts', '../ledger/memory/a.ts'],
    ['web/b.ts', './client/a.ts'],
    ['web/b.ts', '../gateway/a.ts'],
    ['web/client/b.ts', '../a.ts'],
    ['web/client/b.ts', '../../key/node-a.ts'],
    ['web/client/b.ts', '../../key/dialects/a.ts'],
    ['web/client/b.ts', 'zod/mini'],
    ['key/b.ts', 'zod/mini'],
    ['web/client/b.ts', 'node:fs'],
    ['gateway/b.ts', '../web/client/a.ts'],
    ['ledger/b.ts', '../web/a.ts'],
    ['cli/b.ts', '../web/a.ts'],
    ['gateway/b.ts', './missing.ts'],
    ['gateway/b.ts', '../index.ts'],
    ['gateway/b.ts', '../../elsewhere/a.ts'],
  ])('%s importing %s', (path, target) => {
    expect(violations(importing(path, target))).toEqual([
      expect.stringContaining(`${path} imports`),
    ])
  })

  test.each([
    "import type { x } from '../gateway/a.ts'",
    "import '../gateway/a.ts'",
    "export * from '../gateway/a.ts'",
    "export { x } from '../gateway/a.ts'",
    "const x = await import('../gateway/a.ts')",
    "type X = import('../gateway/a.ts').X",
    "type X = typeof import('../gateway/a.ts')",
  ])('however it is written: %s', (text) => {
    expect(violations(file('key/b.ts', `${text}\n`))).toHaveLength(1)
  })

  test.each([
    ['a function', functionOf(MAX_FUNCTION_LINES + 1)],
    ['an arrow function', `const f = () => {\n${'  g()\n'.repeat(MAX_FUNCTION_LINES - 1)}}\n`],
    ['a method', `class A {\n  m() {\n${'    g()\n'.repeat(MAX_FUNCTION_LINES - 1)}  }\n}\n`],
  ])('%s that is a line too long', (_, text) => {
    expect(violations(file('key/b.ts', text))).toEqual([expect.stringContaining('61 lines')])
  })

  test('a file that is a line too long', () => {
    const text = 'f()\n'.repeat(MAX_FILE_LINES + 1)
    expect(violations(file('key/b.ts', text))).toEqual(['key/b.ts has 401 lines, at most 400'])
  })

  test.each([
    'export default 1\n',
    'const x = 1\nexport { x as default }\n',
    "export { default } from './a.ts'\n",
  ])('a default export: %j', (text) => {
    expect(violations(file('key/b.ts', text))).toEqual(['key/b.ts has a default export'])
  })

  test.each(['console.log(1)\n', "console['error'](1)\n", 'f(console.warn)\n'])(
    'a console: %j',
    (text) => {
      expect(violations(file('gateway/b.ts', text))).toEqual(['gateway/b.ts writes to the console'])
    },
  )

  test('cycles, of types as well, and only those', () => {
    const found = violations(
      importing('key/b.ts', './c.ts'),
      file('key/c.ts', "import type { x } from './d.ts'\n"),
      file('key/d.ts', "export * from './b.ts'\nimport './a.ts'\n"),
      importing('key/e.ts', './b.ts'),
      importing('key/f.ts', './f.ts'),
    )
    expect(found).toEqual([
      'key/b.ts is in a cycle: key/b.ts -> key/c.ts -> key/d.ts -> key/b.ts',
      'key/f.ts is in a cycle: key/f.ts -> key/f.ts',
    ])
  })

  test('what it can not read', () => {
    expect(() => violations(file('key/b.ts', 'import from {'))).toThrow(/can not be parsed/)
  })
})

test('what is loaded: neither types nor what is asked for later', () => {
  const found = loadedWith(
    [
      file('key/b.ts', "import './c.ts'\nimport type { x } from './d.ts'\nexport * from 'one'\n"),
      file(
        'key/c.ts',
        "import { type x } from './b.ts'\nexport const y = () => import('./e.ts')\n",
      ),
      file('key/f.ts', "export { z } from './g.ts'\nexport type { w } from 'two'\n"),
    ],
    ['key/b.ts', 'key/f.ts'],
  )
  expect([...found].sort()).toEqual(['key/b.ts', 'key/c.ts', 'key/f.ts', 'key/g.ts', 'one'])
})
