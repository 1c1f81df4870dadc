/**
 * HMAC-SHA256 in plain script, for a browser: its own (`crypto.subtle`) answers later, not at once,
 * and is not there at all on a page that came over plain HTTP. Only narrowing uses it, over a few
 * hundred characters, with the signature of a key that its holder already has: nothing that timing
 * could give away.
 */
import type { Mac } from './signer.ts'

const BLOCK_BYTES = 64
const WORD = 2 ** 32

/** The first 32 bits of the fractional parts of the roots of the first primes, FIPS 180-4 §4.2.2, §5.3.3. */
const fraction = (value: number): number => Math.floor((value % 1) * WORD)
const PRIMES = primes(64)
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)))

function primes(count: number): readonly number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n += 1) {
    if (found.every((prime) => n % prime !== 0)) found.push(n)
  }
  return found
}

const rotated = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

/** SHA-256, FIPS 180-4. */
export function sha256(message: Uint8Array): Uint8Array {
  const data = padded(message)
  const view = new DataView(data.buffer)
  const state = Uint32Array.from(START)
  const words = new Uint32Array(64)
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    for (let t = 0; t < 16; t += 1) words[t] = view.getUint32(at + t * 4)
    schedule(words)
    compress(state, words)
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (const [index, word] of state.entries()) digest.setUint32(index * 4, word)
  return new Uint8Array(digest.buffer)
}

/** §5.1.1: a one, zeros, and the length in bits as 64 bits, to a whole number of blocks. */
function padded(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES)
  data.set(message)
  data[message.length] = 0x80
  const length = new DataView(data.buffer, data.length - 8)
  length.setUint32(0, Math.floor(message.length / 2 ** 29))
  length.setUint32(4, (message.length * 8) % WORD)
  return data
}

/** §6.2.2, step 1. */
function schedule(w: Uint32Array): void {
  const at = (t: number): number => w[t] as number
  for (let t = 16; t < 64; t += 1) {
    const [before15, before2] = [at(t - 15), at(t - 2)]
    const s0 = rotated(before15, 7) ^ rotated(before15, 18) ^ (before15 >>> 3)
    const s1 = rotated(before2, 17) ^ rotated(before2, 19) ^ (before2 >>> 10)
    w[t] = at(t - 16) + s0 + at(t - 7) + s1
  }
}

/** §6.2.2, steps 2 to 4. */
function compress(state: Uint32Array, w: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t += 1) {
    const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    const choice = (e & f) ^ (~e & g)
    const t1 = (h + s1 + choice + (ROUNDS[t] as number) + (w[t] as number)) | 0
    const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + s0 + majority) | 0]
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) {
    state[index] = (state[index] as number) + word
  }
}

/** HMAC, RFC 2104, over the message's UTF-8. */
export const pureMac: Mac = (key, message) => {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key)
  const inner = sha256(joined(mixed(block, 0x36), new TextEncoder().encode(message)))
  return sha256(joined(mixed(block, 0x5c), inner))
}

const mixed = (block: Uint8Array, pad: number): Uint8Array => block.map((byte) => byte ^ pad)

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
