/**
 * The architecture as rules over sources: who may import whom, how long things may be, and what no
 * file may hold. Reads syntax trees, not text, so that comments and strings do not count.
 */
import { dirname, join } from 'node:path/posix'
import { parseSync, Visitor } from 'oxc-parser'

export interface Source {
  /** from the root of the repository, with forward slashes */
  readonly path: string
  readonly text: string
}

export const MAX_FUNCTION_LINES = 60
export const MAX_FILE_LINES = 400

/** Which rooms the files of a room may import. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  key: ['key'],
  database: ['database'],
  ledger: ['ledger', 'key', 'database'],
  audit: ['audit', 'key', 'database'],
  metrics: ['metrics', 'key', 'database'],
  events: ['events', 'audit', 'key', 'database'],
  web: ['web', 'key'],
  listener: ['listener'],
  gateway: ['gateway', 'web', 'listener', 'ledger', 'audit', 'metrics', 'key', 'database'],
  issuer: ['issuer', 'web', 'listener', 'ledger', 'audit', 'metrics', 'events', 'key', 'database'],
  cli: [
    'cli',
    'gateway',
    'issuer',
    'listener',
    'ledger',
    'audit',
    'metrics',
    'events',
    'key',
    'database',
  ],
}
export const ROOM_NAMES = Object.keys(ROOMS)

const CONCRETE =
  /^(?:gateway\/store\/(?:disk|memory|folder|s3)|ledger\/(?:sqlite|memory|postgres))\//
const MAY_NAME_CONCRETE = /^(?:gateway\/(?:main|index)\.ts|issuer\/main\.ts|cli\/.*)$/

interface Importing {
  readonly type: string
  readonly source: { readonly value?: unknown } | null
  readonly importKind?: string | null
  readonly exportKind?: string | null
}

interface Facts {
  readonly imports: readonly string[]
  /** of those, what runs before the file itself does: neither types nor what `import()` asks for */
  readonly loads: readonly string[]
  /** [name of the syntax, line, number of lines] */
  readonly functions: readonly { readonly line: number; readonly lines: number }[]
  readonly defaultExports: number
  readonly consoles: number
}

/** Every violation, one sentence each that begins with the file; empty where all is well. */
export function violationsOf(sources: readonly Source[]): readonly string[] {
  const facts = new Map(sources.map(({ path, text }) => [path, factsOf(path, text)]))
  const imports = new Map([...facts].map(([path, { imports }]) => [path, imports]))
  return [
    ...sources.flatMap(({ path, text }) => shapeOf(path, text, facts.get(path) as Facts)),
    ...[...imports].flatMap(([path, targets]) =>
      targets.flatMap((target) => wrongImport(path, target, facts) ?? []),
    ),
    ...cyclesOf(imports),
  ]
}

/** All that is loaded before the entries run, with them, packages by their names. */
export function loadedWith(
  sources: readonly Source[],
  entries: readonly string[],
): ReadonlySet<string> {
  const texts = new Map(sources.map(({ path, text }) => [path, text]))
  const loaded = new Set(entries)
  for (const path of loaded) {
    const text = texts.get(path)
    if (text !== undefined) for (const target of factsOf(path, text).loads) loaded.add(target)
  }
  return loaded
}

/** Paths of the room's own files from the root; anything else as it is written. */
const resolved = (path: string, specifier: string): string =>
  specifier.startsWith('.') ? join(dirname(path), specifier) : specifier

function factsOf(path: string, text: string): Facts {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} can not be parsed: ${errors[0]?.message}`)
  const [imports, loads] = [new Set<string>(), new Set<string>()]
  const functions: { line: number; lines: number }[] = []
  let [defaultExports, consoles] = [0, 0]

  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  const requested = (from: Importing) => {
    if (typeof from.source?.value !== 'string') return
    const target = resolved(path, from.source.value)
    imports.add(target)
    const isOfTypes = from.importKind === 'type' || from.exportKind === 'type'
    if (/^(?:Im|Ex)port.*Declaration$/.test(from.type) && !isOfTypes) loads.add(target)
  }
  const measured = ({ start, end }: { start: number; end: number }) => {
    const line = lineOf(start)
    functions.push({ line, lines: lineOf(end) - line + 1 })
  }
  new Visitor({
    ImportDeclaration: requested,
    ImportExpression: requested as never,
    ExportAllDeclaration: requested,
    ExportNamedDeclaration: requested,
    TSImportType: requested,
    FunctionDeclaration: measured,
    FunctionExpression: measured,
    ArrowFunctionExpression: measured,
    ExportDefaultDeclaration: () => {
      defaultExports += 1
    },
    ExportSpecifier: ({ exported }) => {
      const name = exported.type === 'Literal' ? exported.value : exported.name
      defaultExports += Number(name === 'default')
    },
    MemberExpression: ({ object }) => {
      consoles += Number(object.type === 'Identifier' && object.name === 'console')
    },
  }).visit(program)
  return { imports: [...imports], loads: [...loads], functions, defaultExports, consoles }
}

function shapeOf(path: string, text: string, facts: Facts): readonly string[] {
  const lines = text.split('\n').length - Number(text.endsWith('\n'))
  const room = path.split('/')[0]
  return [
    ...(lines > MAX_FILE_LINES ? [`${path} has ${lines} lines, at most ${MAX_FILE_LINES}`] : []),
    ...facts.functions
      .filter((found) => found.lines > MAX_FUNCTION_LINES)
      .map((found) => `${path}:${found.line} has a function of ${found.lines} lines`),
    ...(facts.defaultExports > 0 ? [`${path} has a default export`] : []),
    ...(facts.consoles > 0 && room !== 'cli' ? [`${path} writes to the console`] : []),
  ]
}

function wrongImport(
  path: string,
  target: string,
  known: ReadonlyMap<string, unknown>,
): string | undefined {
  const [room = ''] = path.split('/')
  const [theirs = ''] = target.split('/')
  const isOurs = ROOM_NAMES.includes(theirs) || target.startsWith('..') || target.endsWith('.ts')
  if (!isOurs) return wrongPackage(path, target)
  if (!known.has(target)) return `${path} imports ${target}, which is in no room`
  if (!ROOMS[room]?.includes(theirs))
    return `${path} imports ${target}: ${room} may not know ${theirs}`
  if (wrongForBrowser(path, target)) return `${path} imports ${target}: it runs elsewhere`
  const concrete = CONCRETE.exec(target)?.[0]
  if (concrete && !path.startsWith(concrete) && !MAY_NAME_CONCRETE.test(path)) {
    return `${path} imports ${target}: only a main.ts and the command line name it`
  }
  return undefined
}

/** Small, without dependencies, and asked for by nobody but who shows it. */
const FOR_BROWSERS: readonly string[] = ['uqr']

const runsInBrowser = (path: string): boolean => path.startsWith('web/client/')

/** What runs in a browser knows the pure part of key/, and nobody knows it: it is bundled. */
function wrongForBrowser(path: string, target: string): boolean {
  if (!runsInBrowser(path)) return runsInBrowser(target)
  return !runsInBrowser(target) && !/^key\/(?!node-)[^/]+$/.test(target)
}

function wrongPackage(path: string, target: string): string | undefined {
  if (runsInBrowser(path)) {
    if (FOR_BROWSERS.includes(target)) return undefined
    return `${path} imports ${target}: a page is made of our own code`
  }
  return path.startsWith('key/') ? wrongForKey(path, target) : undefined
}

/** key/ imports nothing but itself; files for Node alone, named node-*.ts, import node:crypto as well. */
function wrongForKey(path: string, target: string): string | undefined {
  const isForNode = /\/node-[^/]+\.ts$/.test(path)
  if (isForNode && target === 'node:crypto') return undefined
  return `${path} imports ${target}: key may not know it`
}

/** Each cycle once, from the file of it that is met first. Imports of types count. */
function cyclesOf(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path)
    if (start >= 0)
      found.push(`${path} is in a cycle: ${[...above.slice(start), path].join(' -> ')}`)
    if (start >= 0 || done.has(path)) return
    for (const target of imports.get(path) ?? []) visit(target, [...above, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  return found
}
