/** What a request brings: its body as JSON, its query, checked against a schema. */
import type { IncomingMessage } from 'node:http'
import type { z } from '@hono/zod-openapi'
import { Refusal } from '../../key/refusal.ts'
import { parseStrictJson } from '../../key/strict-json.ts'
import { Chunks } from '../../listener/chunks.ts'
import { type Mistake, OptionsError } from '../options.ts'

const MAX_BODY_BYTES = 2 ** 20

/**
 * The JSON of a body; undefined where there is none. Its media type is not asked for: nothing here
 * is authorised by a cookie alone, so no web page can send one in somebody's name.
 * @throws Refusal too_large, incomplete_body or request_malformed
 */
export async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const text = decode(await readBytes(incoming))
  if (text.trim() === '') return undefined
  try {
    return parseStrictJson(text)
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it is nested too deeply'
    throw new Refusal('request_malformed', `the body is not JSON: ${why}`, { cause })
  }
}

async function readBytes(incoming: IncomingMessage): Promise<Buffer> {
  const chunks = new Chunks()
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      chunks.add(chunk as Buffer)
      if (chunks.size > MAX_BODY_BYTES) break
    }
  } catch (cause) {
    throw new Refusal('incomplete_body', 'the body ended before it was whole', { cause })
  }
  if (chunks.size <= MAX_BODY_BYTES) return Buffer.concat(chunks.take())
  throw new Refusal('too_large', `a body is at most ${MAX_BODY_BYTES} bytes long here: send less`)
}

function decode(data: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch (cause) {
    throw new Refusal('request_malformed', 'the body is JSON in UTF-8, and this is not UTF-8', {
      cause,
    })
  }
}

/** @throws OptionsError with every mistake */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new OptionsError(result.error.issues.flatMap(mistakesOf))
}

const mistakesOf = (issue: z.core.$ZodIssue): readonly Mistake[] => {
  const option = issue.path.join('.')
  if (issue.code === 'invalid_union') return [{ option, message: expectedBy(issue) }]
  if (issue.code !== 'unrecognized_keys') return [{ option, message: issue.message }]
  return issue.keys.map((key) => ({
    option: [...issue.path, key].join('.'),
    message: 'is not known here',
  }))
}

/** Of several shapes that something may have, what each of them expects. */
function expectedBy({ errors, message }: z.core.$ZodIssueInvalidUnion): string {
  const expected = errors.flatMap(([first]) =>
    first?.code === 'invalid_type' ? [first.expected] : (first?.message ?? []),
  )
  return expected.length === 0 ? message : `${message}: expected ${expected.join(' or ')}`
}

/**
 * The query of a raw request target.
 * @throws OptionsError where a parameter is stated twice
 */
export function readQuery(target: string): Record<string, string> {
  const parameters = new URLSearchParams(target.split('?').slice(1).join('?'))
  const twice = [...new Set(parameters.keys())].filter((name) => parameters.getAll(name).length > 1)
  if (twice.length > 0) {
    throw new OptionsError(twice.map((option) => ({ option, message: 'is stated more than once' })))
  }
  return Object.fromEntries(parameters)
}
