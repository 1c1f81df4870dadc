/** The header Upload-Checksum of tus 1.0.0, its "Checksum" extension. */
import { createHash } from 'node:crypto'
import { Refusal } from '../../../key/refusal.ts'
import type { StatedChecksum } from '../../verbs/append.ts'

/** By what the protocol calls them: "The Server MUST support at least the SHA1 checksum algorithm". */
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64, md5: 16 } as const

export const ALGORITHMS = Object.keys(DIGEST_BYTES).join(',')

/**
 * "This MUST be 460 Checksum Mismatch": a status of this protocol only, so it is in no table.
 * @see https://tus.io/protocols/resumable-upload#checksum
 */
class ChecksumMismatch extends Refusal {
  override get status(): number {
    return 460
  }
}

/**
 * "The Upload-Checksum header MUST consist of the name of the used checksum algorithm and the Base64
 * encoded checksum separated by a space."
 * @throws Refusal request_malformed, also for an algorithm that we don't compute
 */
export function statedChecksum(header: string | undefined): StatedChecksum | undefined {
  if (header === undefined) return undefined
  const [name = '', base64 = '', ...others] = header.split(' ')
  const value = Buffer.from(base64, 'base64')
  const isRead =
    others.length === 0 &&
    isAlgorithm(name) &&
    value.length === DIGEST_BYTES[name] &&
    value.toString('base64') === base64
  if (!isRead) {
    throw new Refusal(
      'request_malformed',
      `the header Upload-Checksum is one of ${ALGORITHMS}, a space, and the digest in base64`,
    )
  }
  const hash = createHash(name)
  return {
    update: (chunk) => void hash.update(chunk),
    check: () => {
      if (hash.digest().equals(value)) return
      throw new ChecksumMismatch(
        'digest_mismatch',
        `what arrived does not have the ${name} that Upload-Checksum states; send it again`,
      )
    },
  }
}

const isAlgorithm = (name: string): name is keyof typeof DIGEST_BYTES =>
  Object.hasOwn(DIGEST_BYTES, name)
