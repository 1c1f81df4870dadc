/** Prints how many microseconds of CPU a SHA-256 of so many bytes takes, in pieces of 1 MiB. */
import { createHash, randomBytes } from 'node:crypto'

const PIECE = randomBytes(1024 * 1024)

function hashed(size: number): number {
  const before = process.cpuUsage()
  const hash = createHash('sha256')
  for (let left = size; left > 0; left -= PIECE.length) hash.update(PIECE)
  hash.digest()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const size = Number(process.argv[2])
hashed(size)
process.stdout.write(String(hashed(size)))
