import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChecksumAlgorithm, Checksummer } from '../../../../gateway/body/checksums.ts'
import { combinedCrc, isCombinable } from '../../../../gateway/body/crc-combine.ts'

const CRCS = ['crc32', 'crc32c', 'crc64nvme'] as const

async function checksum(algorithm: ChecksumAlgorithm, data: Uint8Array): Promise<string> {
  const checksummer = await Checksummer.start({ values: new Map([[algorithm, undefined]]) })
  checksummer.update(data)
  return checksummer.finish()[algorithm] ?? ''
}

describe.each(CRCS)('%s', (algorithm) => {
  test('of parts is that of all their bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 }),
        async (parts) => {
          const known = await Promise.all(
            parts.map(async (part) => ({
              value: await checksum(algorithm, part),
              size: part.length,
            })),
          )
          expect(combinedCrc(algorithm, known)).toBe(
            await checksum(algorithm, Buffer.concat(parts)),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  test('of 10,000 parts of 5 MiB is known at once', () => {
    const parts = Array.from({ length: 10_000 }, () => ({ value: 'AQIDBAUGBwg=', size: 5 << 20 }))
    const narrow = parts.map(({ size }) => ({ value: 'AQIDBA==', size }))
    const value = combinedCrc(algorithm, algorithm === 'crc64nvme' ? parts : narrow)
    expect(Buffer.from(value, 'base64').length).toBe(algorithm === 'crc64nvme' ? 8 : 4)
  })
})

test('hashes are not combined', () => {
  expect([...CRCS, 'sha1', 'sha256', 'toString'].filter(isCombinable)).toEqual([...CRCS])
})
