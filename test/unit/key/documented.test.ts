import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  CLAIM_NAMES,
  parseFirstBlock,
  parseLaterBlock,
  RESERVED_CLAIMS,
} from '../../../key/claims.ts'
import { REFUSALS, type RefusalCode } from '../../../key/refusal.ts'
import { codeOf } from './refusals.ts'

const doc = readFileSync(new URL('../../../docs/key-format.md', import.meta.url), 'utf8')

/** The cells of every table row whose first cell is one word in code. */
const rows = doc
  .split('\n')
  .filter((line) => /^\| `\w+` \|/.test(line))
  .map((line) => line.split(/ ?\| ?/).slice(1, -1))

const named = (cell = ''): string => cell.replaceAll('`', '')
const claimRows = rows.filter((cells) => cells.length === 5)

describe('docs/key-format.md', () => {
  test('lists every claim once, and no other', () => {
    expect(claimRows.map(([name]) => named(name)).sort()).toEqual([...CLAIM_NAMES].sort())
  })

  test.each(claimRows)(
    'the example of %s is a good one, in the block where it says',
    (...cells) => {
      const [name, , , where = '', example] = cells
      const claims = JSON.parse(named(example)) as Record<string, unknown>
      expect(Object.keys(claims)).toContain(named(name))
      const whole = { kid: 'a', jti: 'b', exp: 1, path: '/', methods: ['GET'], ...claims }
      expect(parseFirstBlock(whole)).toEqual(whole)
      const code = codeOf(() => parseLaterBlock(claims, 'block 1'))
      expect(code === undefined).toBe(where.includes('any'))
      const { [named(name)]: _, ...without } = whole as Record<string, unknown>
      const isRequired =
        codeOf(() =>
          parseFirstBlock({ ...without, uses: undefined, bytes: undefined, files: undefined }),
        ) !== undefined
      expect(isRequired).toBe(where.includes('required'))
    },
  )

  test('lists the reserved claims', () => {
    const reserved = rows.filter((cells) => cells.length === 2).map(([name]) => named(name))
    expect(reserved).toEqual(RESERVED_CLAIMS)
  })

  test('gives every refusal its status', () => {
    const refusals = rows.filter((cells) => cells.length === 3 && /^\d{3}$/.test(cells[1] ?? ''))
    expect(refusals.length).toBeGreaterThan(15)
    for (const [code, status] of refusals) {
      expect(String(REFUSALS[named(code) as RefusalCode]?.status), code).toBe(status)
    }
  })
})
