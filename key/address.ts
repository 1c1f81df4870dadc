/** IP addresses and networks (CIDR, RFC 4632 and RFC 4291), as 16 bytes: v4 is mapped into v6. */

const V4_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

interface Network {
  readonly bytes: readonly number[]
  readonly bits: number
}

/** The 16 bytes of an address, v4 as ::ffff:a.b.c.d; undefined for anything else. */
export function parseAddress(text: string): readonly number[] | undefined {
  const v4 = parseV4(text)
  return v4 === undefined ? parseV6(text) : [...V4_PREFIX, ...v4]
}

/** A network such as `10.0.0.0/8` or `2001:db8::/32`; undefined for anything else. */
export function parseCidr(text: string): Network | undefined {
  const match = /^([0-9a-fA-F.:]{2,45})\/(\d{1,3})$/.exec(text)
  if (match?.[1] === undefined) return undefined
  const isV4 = !match[1].includes(':')
  const bytes = parseAddress(match[1])
  const bits = Number(match[2])
  if (bytes === undefined || bits > (isV4 ? 32 : 128) || match[2] !== String(bits)) return undefined
  return { bytes, bits: isV4 ? bits + 96 : bits }
}

/** Whether the address lies inside the network; false where either can't be read. */
export function isInside(address: string, cidr: string): boolean {
  const network = parseCidr(cidr)
  const bytes = parseAddress(address)
  if (network === undefined || bytes === undefined) return false
  return bytes.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, network.bits - index * 8))
    const mask = (0xff << (8 - kept)) & 0xff
    return (byte & mask) === ((network.bytes[index] ?? 0) & mask)
  })
}

function parseV4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256))
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function parseV6(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || !text.includes(':')) return undefined
  const [head, tail] = halves.map((half, index) => groupsOf(half, index === halves.length - 1))
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  if (tail === undefined) return head.length === 16 ? head : undefined
  const missing = 16 - head.length - tail.length
  return missing < 2 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail]
}

/** The bytes of colon-separated groups; the last of an address may be a dotted v4 address. */
function groupsOf(text: string, endsAddress: boolean): readonly number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const v4 = endsAddress && index === groups.length - 1 ? parseV4(group) : undefined
    if (v4 !== undefined) bytes.push(...v4)
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    } else return undefined
  }
  return bytes
}
