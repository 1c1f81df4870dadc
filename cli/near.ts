/** "Did you mean": the known name that a mistyped one comes nearest to. */

/** Undefined where none is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const byDistance = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = byDistance
  const allowed = Math.max(1, Math.floor(wanted.length / 4))
  return best !== undefined && best.distance <= allowed ? best.candidate : undefined
}

/** `trusted_proxies`, `trusted-proxies` and `trustedProxies` are one word. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '').slice(0, 100)

/** Insertions, deletions and replacements (Levenshtein), in one row of memory. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
