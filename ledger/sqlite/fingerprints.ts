/**
 * A set of texts that only knows "certainly not" and "perhaps": 32 bits are kept of each, so that a
 * million take some 8 MiB, and of a million others a few hundred are taken for one of them.
 */
export class Fingerprints {
  /** open addressing; 0 is an empty slot */
  #slots = new Uint32Array(1024)
  #count = 0

  add(text: string): void {
    if (this.#count * 2 >= this.#slots.length) this.#grow()
    if (put(this.#slots, fingerprintOf(text))) this.#count += 1
  }

  mayHold(text: string): boolean {
    const fingerprint = fingerprintOf(text)
    return this.#slots[slotOf(this.#slots, fingerprint)] === fingerprint
  }

  #grow(): void {
    const larger = new Uint32Array(this.#slots.length * 2)
    for (const fingerprint of this.#slots) if (fingerprint !== 0) put(larger, fingerprint)
    this.#slots = larger
  }
}

/** Whether it was not there yet. */
function put(slots: Uint32Array, fingerprint: number): boolean {
  const slot = slotOf(slots, fingerprint)
  const isNew = slots[slot] === 0
  slots[slot] = fingerprint
  return isNew
}

/** Where it is, or would be; there is always an empty slot. */
function slotOf(slots: Uint32Array, fingerprint: number): number {
  const last = slots.length - 1
  let slot = fingerprint & last
  while (slots[slot] !== 0 && slots[slot] !== fingerprint) slot = (slot + 1) & last
  return slot
}

/** FNV-1a, then MurmurHash3's finalizer, which spreads what differs in the last characters only. */
function fingerprintOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}
