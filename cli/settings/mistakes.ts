/** What zod found wrong with a source, in words: where, what is there, what was expected. */
import type { z } from 'zod'
import { printable } from '../format.ts'
import { nearest } from '../near.ts'
import { SETTINGS } from './schema.ts'
import type { Source } from './sources.ts'

type Issue = z.core.$ZodIssue

/** One line for each thing that is wrong. */
export function mistakesOf(issue: Issue, source: Source): readonly string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownSetting([...path, key], source))
  }
  const there = valueAt(source.values, path)
  return [`${source.locate(path)} is ${shown(there)}: ${expectation(issue, there)}`]
}

function unknownSetting(path: readonly string[], source: Source): string {
  const meant = nearestSetting(path)
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`
  return `${source.locate(path)}: there is no such setting${advice}`
}

/** By the whole name, else by its last word alone: `listen` at the top means `gateway.listen`. */
function nearestSetting(path: readonly string[]): string | undefined {
  const names = SETTINGS.map(({ name }) => name)
  const sections = [
    ...new Set(SETTINGS.flatMap((s) => (s.path.length > 1 ? s.path.slice(0, 1) : []))),
  ]
  const whole = nearest(path.join('.'), [...names, ...sections])
  if (whole !== undefined) return whole
  const last = nearest(
    path.at(-1) ?? '',
    SETTINGS.map((setting) => setting.path.at(-1) ?? ''),
  )
  return SETTINGS.find((setting) => setting.path.at(-1) === last)?.name
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section',
  record: 'a section',
}

function expectation(issue: Issue, there: unknown): string {
  switch (issue.code) {
    case 'custom':
      return issue.message
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'too_small':
      return `expected at least ${issue.minimum}${issue.origin === 'array' ? ' entry' : ''}`
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'array' ? ' entries' : ''}`
    case 'invalid_union':
      return unionExpectation(issue.errors, there)
    default:
      return issue.message
  }
}

/** Of the alternatives, those that at least have the right type speak; else all say theirs. */
function unionExpectation(alternatives: readonly (readonly Issue[])[], there: unknown): string {
  const firsts = alternatives.flatMap(([first]) => first ?? [])
  const fitting = firsts.filter(({ code, path }) => code !== 'invalid_type' || path.length > 0)
  const said = (fitting.length > 0 ? fitting : firsts).map((issue) => expectation(issue, there))
  return `expected ${[...new Set(said)].map((text) => text.replace(/^expected /, '')).join(' or ')}`
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    values,
  )
}

function shown(value: unknown): string {
  if (value === undefined) return 'not there'
  const text = typeof value === 'object' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'odd')
  return printable(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}
