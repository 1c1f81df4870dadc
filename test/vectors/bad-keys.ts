/** Keys that must be refused, each with the code that verifying it gives. */
import {
  base64url,
  EXAMPLE,
  hmac,
  joined,
  NOW,
  SECOND,
  type SigningKey,
  signatureOf,
  signed,
} from './chain.ts'
import { first } from './good-keys.ts'

interface BadKey {
  readonly name: string
  readonly code: 'key_malformed' | 'signature_invalid'
  readonly key: string
}

type Claims = Readonly<Record<string, unknown>>

const malformed = (name: string, key: string): BadKey => ({ name, code: 'key_malformed', key })
const invalid = (name: string, key: string): BadKey => ({ name, code: 'signature_invalid', key })

const FIRST = JSON.stringify(first())
const BLOCK = base64url(FIRST)
const GOOD = signed(EXAMPLE, FIRST)
const SIGNATURE = GOOD.slice(GOOD.lastIndexOf('.') + 1)

export const badKeys = (): readonly BadKey[] => [
  ...texts(),
  ...encodings(),
  ...signatures(),
  ...notObjects(),
  ...misplaced(),
  ...unknown(),
  ...wrongTypes(),
]

/** The text does not have the shape of a key. */
const texts = (): readonly BadKey[] => [
  malformed('nothing', ''),
  malformed('only the version', 'vk1'),
  malformed('only the version and a dot', 'vk1.'),
  malformed('no block', `vk1.${SIGNATURE}`),
  malformed('no signature', `vk1.${BLOCK}`),
  malformed('an empty signature', `vk1.${BLOCK}.`),
  malformed('an empty block', `vk1..${SIGNATURE}`),
  malformed('an empty block at the end', `vk1.${BLOCK}..${SIGNATURE}`),
  malformed('another version', GOOD.replace('vk1.', 'vk2.')),
  malformed('the version in capitals', GOOD.replace('vk1.', 'VK1.')),
  malformed('no version', GOOD.slice('vk1.'.length)),
  malformed('a signing key', `vk1sk.example.${base64url(EXAMPLE.secret)}`),
  malformed('a JSON Web Token', `${base64url('{"alg":"none"}')}.${BLOCK}.`),
  malformed('a space before', ` ${GOOD}`),
  malformed('a line break behind', `${GOOD}\n`),
  malformed('a dot behind', `${GOOD}.`),
  // 4097 is no length that base64url can give
  malformed('4098 characters', signed(EXAMPLE, FIRST.padEnd(3037))),
  malformed('nine blocks', signed(EXAMPLE, FIRST, ...Array.from({ length: 8 }, () => '{}'))),
]

/** Parts that are not base64url in its one canonical form. */
const encodings = (): readonly BadKey[] => [
  malformed('a padded block', signedText('eyJhIjoxfQ==')),
  malformed('a block with + and /', signedText('ab+/')),
  malformed('a block with a space', signedText('ab cd')),
  malformed('a block with a percent sign', signedText('ab%3D')),
  malformed('a block of five characters', signedText('abcde')),
  malformed('a block beyond ASCII', signedText('abcé')),
  malformed('a block with stray bits', signedText('eyJ9fR')),
  malformed('a padded signature', `${GOOD}=`),
  malformed('a signature with stray bits', GOOD.slice(0, -1) + nextCharacter(GOOD.slice(-1))),
  malformed('a signature of 31 bytes', joined([BLOCK], Buffer.alloc(31, 7))),
  malformed('a signature of 33 bytes', joined([BLOCK], Buffer.alloc(33, 7))),
  malformed(
    'a signature in hex',
    `vk1.${BLOCK}.${Buffer.from(SIGNATURE, 'base64url').toString('hex')}`,
  ),
]

const signedText = (...texts: readonly string[]): string =>
  joined(texts, signatureOf(EXAMPLE.secret, texts))

/** The next one in the alphabet has the same leading bits and one stray bit more. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) + 1)
}

const NARROW = JSON.stringify({ path: 'reports/2026/' })
const LATER = JSON.stringify({ methods: ['GET'] })
const link = (...blocks: readonly string[]): Buffer =>
  signatureOf(EXAMPLE.secret, blocks.map(base64url))
const withLink = (blocks: readonly string[], signature: Buffer): string =>
  joined(blocks.map(base64url), signature)

/** The shape is right, the bytes are not ours. What else is wrong with them is not said. */
const signatures = (): readonly BadKey[] => [
  invalid('an unknown signing key', signed({ ...EXAMPLE, kid: 'x' }, json({ kid: 'unknown' }))),
  invalid('a kid of Object.prototype', signed(EXAMPLE, json({ kid: '__proto__' }))),
  invalid('a kid in other case', signed(EXAMPLE, json({ kid: 'Example' }))),
  invalid('signed by another signing key', signed(SECOND, FIRST)),
  invalid('the kid of another signing key', signed(EXAMPLE, json({ kid: 'second' }))),
  invalid('a signature of zeros', withLink([FIRST], Buffer.alloc(32))),
  invalid('a flipped bit at the start of the signature', flipped(0x80, 0)),
  invalid('a flipped bit in the middle of the signature', flipped(0x01, 16)),
  invalid('a flipped bit at the end of the signature', flipped(0x01, 31)),
  invalid('block 0 altered', withLink([json({ path: '/' })], link(FIRST))),
  invalid(
    'block 0 written anew, meaning the same',
    withLink([FIRST.replace('{', '{ ')], link(FIRST)),
  ),
  invalid('a later block altered', withLink([FIRST, '{"path":"/"}'], link(FIRST, NARROW))),
  invalid('the last block cut off', withLink([FIRST], link(FIRST, NARROW))),
  invalid('a middle block cut off', withLink([FIRST, LATER], link(FIRST, NARROW, LATER))),
  invalid('two blocks swapped', withLink([FIRST, LATER, NARROW], link(FIRST, NARROW, LATER))),
  invalid('a block added without signing', withLink([FIRST, NARROW], link(FIRST))),
  invalid(
    'a block added twice, signed once',
    withLink([FIRST, NARROW, NARROW], link(FIRST, NARROW)),
  ),
  invalid('the link of an earlier block', withLink([FIRST, NARROW, LATER], link(FIRST, NARROW))),
  invalid(
    'a block added with the wrong link',
    withLink([FIRST, NARROW], hmac(link(NARROW), base64url(FIRST))),
  ),
  invalid('signed with the secret itself', withLink([FIRST], hmac(EXAMPLE.secret, BLOCK))),
  invalid('signed over the JSON text', withLink([FIRST], hmac(hmac(EXAMPLE.secret, 'vk1'), FIRST))),
  invalid(
    'signed over the whole text',
    withLink([FIRST], hmac(hmac(EXAMPLE.secret, 'vk1'), `vk1.${BLOCK}`)),
  ),
  invalid(
    'signed with the name of another version',
    withLink([FIRST], hmac(hmac(EXAMPLE.secret, 'vk2'), BLOCK)),
  ),
  invalid(
    'signed with the hex of the secret',
    withLink([FIRST], signatureOf(Buffer.from(EXAMPLE.secret.toString('hex')), [BLOCK])),
  ),
  invalid('expired, and the signature is wrong', withLink([json({ exp: 1 })], Buffer.alloc(32, 1))),
  invalid(
    'an unknown claim, and the signature is wrong',
    withLink([json({ zzz: 1 })], Buffer.alloc(32, 1)),
  ),
  invalid(
    'a later block that is no JSON, and the signature is wrong',
    withLink([FIRST, 'no'], Buffer.alloc(32, 1)),
  ),
]

const json = (more: Claims): string => JSON.stringify(first(more))

function flipped(bit: number, index: number): string {
  const signature = link(FIRST)
  signature[index] = (signature[index] ?? 0) ^ bit
  return withLink([FIRST], signature)
}

/** Properly signed, but a block is no JSON object that has one reading. */
const notObjects = (): readonly BadKey[] => [
  ...both('no JSON', 'no'),
  ...both('JSON cut short', '{"kid":"example"'),
  ...both('two JSON values', '{}{}'),
  ...both('JSON with a comment', '{/* */}'),
  ...both('JSON with a comma too many', '{"sub":"a",}'),
  ...both('JSON in single quotes', "{'sub':'a'}"),
  ...both('JSON after a byte order mark', '\ufeff{}'),
  ...both('null', 'null'),
  ...both('a list', '[{}]'),
  ...both('text', '"vk1"'),
  ...both('a number', '1'),
  ...both('bytes that are not UTF-8', Buffer.from('{"sub":"\xff"}', 'latin1')),
  ...both('overlong UTF-8', Buffer.from('{"sub":"\xc0\xaf"}', 'latin1')),
  ...both('a surrogate in UTF-8', Buffer.from('{"sub":"\xed\xa0\x80"}', 'latin1')),
  malformed('a claim twice, in block 0', signed(EXAMPLE, FIRST.replace('{', '{"path":"/",'))),
  malformed('the kid twice, in block 0', signed(EXAMPLE, FIRST.replace('{', '{"kid":"second",'))),
  malformed(
    'a claim twice, in a later block',
    signed(EXAMPLE, FIRST, '{"path":"reports/a/","path":"/"}'),
  ),
  malformed(
    'a claim twice, once with an escape',
    signed(EXAMPLE, FIRST, '{"tls":true,"t\\u006cs":true}'),
  ),
  malformed('a member twice, deeper', signed(EXAMPLE, FIRST, '{"headers":{"a":"1","a":"2"}}')),
  malformed(
    'lists nested a thousand times',
    signed(EXAMPLE, FIRST, `{"types":${'['.repeat(1000)}${']'.repeat(1000)}}`),
  ),
]

/** The same block as block 0 and as a later one. */
const both = (name: string, block: string | Buffer): readonly BadKey[] => [
  malformed(`block 0: ${name}`, signed(EXAMPLE, block)),
  malformed(`a later block: ${name}`, signed(EXAMPLE, FIRST, block)),
]

const REQUIRED = ['kid', 'jti', 'exp', 'path', 'methods'] as const

/** Claims in a block where they do not belong, or missing where they do. */
const misplaced = (): readonly BadKey[] => [
  ...REQUIRED.map((claim) =>
    malformed(`no ${claim}`, signed(EXAMPLE, json({ [claim]: undefined }))),
  ),
  malformed('a kid that is a number', signed(EXAMPLE, json({ kid: 7 }))),
  malformed('a kid with a slash', signed(EXAMPLE, json({ kid: '../example' }))),
  malformed('a kid in a later block', signed(EXAMPLE, FIRST, '{"kid":"example"}')),
  malformed('an iat in a later block', signed(EXAMPLE, FIRST, `{"iat":${NOW}}`)),
  malformed('pin without jti', signed(EXAMPLE, FIRST, '{"pin":true}')),
  ...['uses', 'bytes', 'files'].map((claim) =>
    malformed(`${claim} without jti`, signed(EXAMPLE, FIRST, `{"${claim}":1}`)),
  ),
  ...['bytes', 'files', 'rate'].flatMap((claim) => [
    malformed(`${claim} of zero`, signed(EXAMPLE, json({ [claim]: 0 }))),
    malformed(`${claim} as text`, signed(EXAMPLE, json({ [claim]: '1' }))),
  ]),
]

const UNKNOWN: Claims = {
  cnf: { jkt: 'A'.repeat(43) },
  admin: true,
  Path: 'reports/',
  alg: 'none',
  '': 1,
  constructor: 1,
}

/** Claims that are not honoured: reserved ones, and any other. */
const unknown = (): readonly BadKey[] => [
  ...Object.entries(UNKNOWN).flatMap(([claim, value]) => [
    malformed(`block 0: unknown claim "${claim}"`, signed(EXAMPLE, json({ [claim]: value }))),
    malformed(
      `a later block: unknown claim "${claim}"`,
      signed(EXAMPLE, FIRST, JSON.stringify({ [claim]: value })),
    ),
  ]),
  malformed('a session token, shown as a key', signed(EXAMPLE, json({ aud: 'sigv4' }))),
  malformed('block 0: claim "aud" of something else', signed(EXAMPLE, json({ aud: 's3' }))),
  malformed('a later block: claim "aud"', signed(EXAMPLE, FIRST, '{"aud":"sigv4"}')),
  malformed(
    'block 0: unknown claim "__proto__"',
    signed(EXAMPLE, FIRST.replace('{', '{"__proto__":{},')),
  ),
  malformed(
    'a later block: unknown claim "__proto__"',
    signed(EXAMPLE, FIRST, '{"__proto__":{"path":"/"}}'),
  ),
  malformed(
    'an unknown claim in block 7',
    signed(EXAMPLE, FIRST, ...Array.from({ length: 6 }, () => '{}'), '{"x":1}'),
  ),
]

const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** For each claim, JSON texts that it can not have. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  jti: ['7', '""', '"a b"', '"a/b"', `"${'a'.repeat(65)}"`, 'null'],
  sub: ['7', 'null', '["a"]', `"${'a'.repeat(257)}"`, '"\\ud800"'],
  nbf: ['"1800000000"', '1.5', '-1', 'true', 'null', '1e400', '9007199254740993'],
  exp: ['"1800000900"', '1800000900.5', '-1', 'null', '[1800000900]', '1e400'],
  path: [
    '""',
    '"reports"',
    '"/reports/"',
    '"reports//a"',
    '"reports/../x"',
    '"reports/./x"',
    '"re"',
    '"Reports/"',
    '"reports/a\\\\b"',
    '"reports/\\u0000"',
    '"reports/\\ud800"',
    '"//"',
    '7',
    'null',
    '[]',
    '[7]',
    '["/",""]',
    '{"0":"/"}',
    JSON.stringify(Array.from({ length: 17 }, (_, i) => `reports/${i}`)),
    `"reports/${'a'.repeat(1017)}"`,
  ],
  match: ['""', '7', '["*"]', 'null', `"${'*a'.repeat(129)}"`, '"\\udc00"'],
  methods: [
    '[]',
    '"GET"',
    '["HEAD"]',
    '["POST"]',
    '["get"]',
    '["GET",null]',
    '{"GET":true}',
    'null',
  ],
  size: [
    '10',
    '[10]',
    '[1,2,3]',
    '[2,1]',
    '[-1,2]',
    '[0.5,2]',
    '["1","2"]',
    '[null,2]',
    '{"max":2}',
    'null',
    '[0,1e400]',
  ],
  types: [
    '"image/*"',
    '[]',
    '["image"]',
    '["*/png"]',
    '["image/png;q=1"]',
    '["image/png, text/html"]',
    '[7]',
    'null',
  ],
  sha256: [
    '""',
    `"${SHA256.slice(1)}"`,
    `"${SHA256}0"`,
    `"${SHA256.replace('e', 'g')}"`,
    '7',
    `["${SHA256}"]`,
  ],
  create: ['false', '1', '"true"', 'null'],
  uses: ['0', '-1', '1.5', '"1"', 'true', 'null'],
  ip: [
    '"10.0.0.0/8"',
    '[]',
    '["10.0.0.1"]',
    '["10.0.0.0/33"]',
    '["10.0.0/8"]',
    '["010.0.0.0/8"]',
    '["10.0.0.0/08"]',
    '["2001:db8::/129"]',
    '["1::2::3/64"]',
    '["::1%eth0/128"]',
    '["1.2.3.4::/64"]',
    '["example.com/24"]',
    '[7]',
    'null',
  ],
  origins: [
    '"https://app.example.com"',
    '[]',
    '["*"]',
    '["null"]',
    '["app.example.com"]',
    '["https://app.example.com/"]',
    '["https://APP.example.com"]',
    '["https://*.example.com"]',
    '[7]',
    'null',
  ],
  headers: [
    '"X-Team: blue"',
    '[]',
    '{"X Team":"blue"}',
    '{"":"blue"}',
    '{"X-Team":7}',
    '{"X-Team":"a\\r\\nb"}',
    '{"X-Team":"\\u65e5"}',
    '{"X-Team":["blue"]}',
    '{"__proto__":"blue"}',
    'null',
  ],
  pin: ['false', '1', '"1234"', 'null'],
  tls: ['false', '1', '"true"', 'null'],
  respond: [
    '"inline"',
    '[]',
    '{"location":"https://example.com"}',
    '{"Content-Type":"text/plain"}',
    '{"content-type":7}',
    '{"content-type":"a\\r\\nb"}',
    '{"__proto__":{}}',
    'null',
  ],
  ttl: ['0', '-1', '1.5', '"60"', 'null'],
}

/** Wrong types in a later block, and in block 0 where a claim is known only there. */
const wrongTypes = (): readonly BadKey[] => [
  ...Object.entries(WRONG).flatMap(([claim, values]) =>
    values.map((value) =>
      malformed(
        `${claim} ${value.length > 40 ? `of ${value.length} characters` : value}`,
        signed(
          EXAMPLE,
          FIRST,
          claim === 'uses' || claim === 'pin' ? `{"jti":"a","${claim}":${value}}` : `{"${claim}":${value}}`,
        ),
      ),
    ),
  ),
  ...['"1800000000"', '1.5', '-1', 'null'].map((value) =>
    malformed(`iat ${value}`, signed(EXAMPLE, FIRST.replace('{', `{"iat":${value},`))),
  ),
]
