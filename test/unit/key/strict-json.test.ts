import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStrictJson } from '../../../key/strict-json.ts'

type Tree = null | boolean | number | string | Tree[] | { members: [string, Tree][] }

const name = fc.constantFrom('a', 'b', 'a"', '\\', '{', ':', 'é', '', 'a":', '__proto__')
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Tree>(null, true, 0, -1.5e3, 'text', '{"a":1,"a":2}', '\\"', ':'),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.record({ members: fc.array(fc.tuple(name, tie('tree')), { maxLength: 3 }) }),
  ),
}))

/** Some characters as escapes, and spaces where JSON has room for them. */
const written = (text: string): string =>
  JSON.stringify(text).replaceAll(/[ab]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)

const isObject = (value: Tree): value is { members: [string, Tree][] } =>
  typeof value === 'object' && value !== null && 'members' in value

function textOf(value: Tree, spaced: boolean): string {
  const gap = spaced ? ' \n\t' : ''
  if (Array.isArray(value)) {
    return `[${gap}${value.map((item) => textOf(item, spaced)).join(`${gap},`)}]`
  }
  if (!isObject(value)) return JSON.stringify(value)
  const members = value.members.map(
    ([key, item], index) =>
      `${(index % 2 === 0 ? JSON.stringify : written)(key)}${gap}:${gap}${textOf(item, spaced)}`,
  )
  return `{${members.join(`${gap},${gap}`)}}`
}

function hasDuplicates(value: Tree): boolean {
  if (Array.isArray(value)) return value.some(hasDuplicates)
  if (!isObject(value)) return false
  const names = value.members.map(([key]) => key)
  return new Set(names).size < names.length || value.members.some(([, item]) => hasDuplicates(item))
}

test('refuses exactly the texts with duplicate members, and else agrees with JSON.parse', () => {
  let refused = 0
  fc.assert(
    fc.property(tree, fc.boolean(), (value, spaced) => {
      const text = textOf(value, spaced)
      if (hasDuplicates(value)) {
        refused += 1
        expect(() => parseStrictJson(text)).toThrow(SyntaxError)
      } else {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }
    }),
    { numRuns: 3000 },
  )
  expect(refused).toBeGreaterThan(100)
})

test('agrees with JSON.parse on what is no JSON', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 12, unit: fc.constantFrom(...'{}[]":,\\a1 u0') }),
      (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) expect(() => parseStrictJson(text)).toThrow(SyntaxError)
      },
    ),
    { numRuns: 3000 },
  )
})

test('a member named __proto__ is data', () => {
  const value = parseStrictJson('{"__proto__":{"polluted":true}}') as object
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(() => parseStrictJson('{"__proto__":1,"__proto__":2}')).toThrow(SyntaxError)
})

test('deep nesting and long text do not exhaust the stack', () => {
  const deep = `${'[{"a":'.repeat(5000)}1${'}]'.repeat(5000)}`
  expect(parseStrictJson(deep)).toBeDefined()
  expect(parseStrictJson(JSON.stringify('\\"'.repeat(200_000)))).toBe('\\"'.repeat(200_000))
})
