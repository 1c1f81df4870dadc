import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isInside, parseAddress, parseCidr } from '../../../key/address.ts'

const v4 = fc.ipV4()
const v6 = fc.ipV6()
const familyOf = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4')

/** node:net as oracle. */
function nodeSaysInside(address: string, network: string, bits: number): boolean {
  const list = new BlockList()
  list.addSubnet(network, bits, familyOf(network))
  return list.check(address, familyOf(address))
}

/** Addresses that differ from a network's in few bits, so that both answers are frequent. */
const near = fc.tuple(v4, fc.nat(32), fc.nat(31)).map(([network, bits, bit]) => {
  const number = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const flipped = (number ^ (1 << bit)) >>> 0
  const address = [24, 16, 8, 0].map((shift) => (flipped >>> shift) & 255).join('.')
  return { network, bits, address }
})

describe('isInside', () => {
  test('agrees with node:net on v4 neighbours', () => {
    let inside = 0
    fc.assert(
      fc.property(near, ({ network, bits, address }) => {
        const expected = nodeSaysInside(address, network, bits)
        inside += Number(expected)
        expect(isInside(address, `${network}/${bits}`)).toBe(expected)
      }),
      { numRuns: 500 },
    )
    expect(inside).toBeGreaterThan(50)
  })

  test('agrees with node:net on any two addresses of either family', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.oneof(v4, v6), fc.nat(128), (address, network, wide) => {
        const bits = familyOf(network) === 'ipv4' ? wide % 33 : wide
        expect(isInside(address, `${network}/${bits}`)).toBe(nodeSaysInside(address, network, bits))
      }),
      { numRuns: 1000 },
    )
  })

  test('agrees with node:net on v6 prefixes of the address itself', () => {
    fc.assert(
      fc.property(v6, fc.nat(128), (address, bits) => {
        expect(isInside(address, `${address}/${bits}`)).toBe(true)
      }),
    )
  })

  test.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['::ffff:a01:203', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['2001:db8::1', '2001:DB8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['192.0.2.1', '0.0.0.0/0', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['', '0.0.0.0/0', false],
    ['', '::/0', false],
    ['fe80::1%eth0', 'fe80::/10', false],
    ['10.1.2.3', 'nonsense', false],
  ])('%s inside %s: %s', (address, network, expected) => {
    expect(isInside(address, network)).toBe(expected)
  })
})

describe('parsing', () => {
  test('reads every address that fast-check writes, to 16 bytes', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (address) => {
        expect(parseAddress(address)).toHaveLength(16)
      }),
    )
  })

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '1.2.3.-4',
    ':',
    ':::',
    '1',
    '1:2',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '1:2.3.4.5::',
    '::1.2.3.4:5',
    '::1%eth0',
    '::1.2.3',
    '[::1]',
  ])('refuses the address %j', (address) => {
    expect(parseAddress(address)).toBeUndefined()
  })

  test.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8 ',
    ' 10.0.0.0/8',
    '10.0.0.0/8/8',
    '::/129',
    '::/1e1',
    '/8',
    'example.com/8',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/+8',
  ])('refuses the network %j', (network) => {
    expect(parseCidr(network)).toBeUndefined()
  })
})
