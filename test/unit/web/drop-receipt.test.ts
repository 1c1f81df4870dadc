import { describe, expect, it } from 'vitest'
import { asCsv, asText } from '../../../web/client/drop/receipt.ts'

const SHA256 = 'ab'.repeat(32)
const line = (name: string, size: number) => ({ name, path: `inbox/${name}`, size, sha256: SHA256 })

describe('the receipt', () => {
  it('as a table: quoted where needed, and nothing in it is a formula', () => {
    expect(asCsv([line('a, "b".txt', 1), { ...line('=1+1', 2), sha256: undefined }])).toBe(
      `name,size,sha256\r\n"a, ""b"".txt",1,${SHA256}\r\n'=1+1,2,\r\n`,
    )
  })

  it('as text: what `sha256sum --check` reads, and what it can not check as a comment', () => {
    const lines = [line('album/a b.txt', 5), { ...line('lost', 1), sha256: undefined }]
    expect(asText(lines, 'Sent on Tuesday')).toBe(
      `# Sent on Tuesday\n${SHA256}  album/a b.txt\n# lost (1)\n`,
    )
  })
})
