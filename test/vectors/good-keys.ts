/** Good keys. The JSON of each block is kept as text: what is signed is the text as sent. */
import { EXAMPLE, NOW, SECOND, type SigningKey } from './chain.ts'

export interface GoodKey {
  readonly name: string
  readonly signingKey: SigningKey
  readonly blocks: readonly string[]
}

type Claims = Readonly<Record<string, unknown>>

/** Block 0 with what is required, and more. */
export const first = (more: Claims = {}): Claims => ({
  kid: 'example',
  jti: 'k-1',
  exp: NOW + 900,
  path: 'reports/',
  methods: ['GET'],
  ...more,
})

const key = (name: string, ...blocks: readonly (Claims | string)[]): GoodKey => ({
  name,
  signingKey: EXAMPLE,
  blocks: blocks.map((block) => (typeof block === 'string' ? block : JSON.stringify(block))),
})

const upload = (more: Claims = {}): Claims => first({ path: 'inbox/', methods: ['PUT'], ...more })

export const goodKeys = (): readonly GoodKey[] => [
  ...plain(),
  ...restricted(),
  ...narrowed(),
  ...asText(),
]

const plain = (): readonly GoodKey[] => [
  key('a folder to read', first()),
  key('one object to read', first({ path: 'reports/q3.pdf' })),
  key('everything, every method', first({ path: '/', methods: ['GET', 'PUT', 'DELETE', 'LIST'] })),
  key(
    'two scopes',
    first({ path: ['reports/2026/', 'images/logo.png'], methods: ['GET', 'LIST'] }),
  ),
  key('delete only', first({ path: 'inbox/', methods: ['DELETE'] })),
  key('list only', first({ methods: ['LIST'] })),
  { ...key('another signing key', first({ kid: 'second' })), signingKey: SECOND },
  key('minted at, for somebody', first({ iat: NOW - 60, sub: 'alice@example.com' })),
  key('an object named beyond ASCII', first({ path: 'reports/Übersicht 2026/日本語 🗝.pdf' })),
]

const restricted = (): readonly GoodKey[] => [
  key('valid later', first({ nbf: NOW + 600 })),
  key('valid within the leeway', first({ nbf: NOW + 60 })),
  key('expired', first({ exp: NOW })),
  key('a second left', first({ exp: NOW + 1 })),
  key('names that match', first({ match: '2026/**/*.pdf' })),
  key('an upload of limited size', upload({ size: [100, 10_485_760] })),
  key('uploads of images', upload({ types: ['image/*', 'application/pdf'] })),
  key(
    'one content',
    upload({ sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }),
  ),
  key('create only, for a day', upload({ create: true, ttl: 86_400 })),
  key('once', first({ uses: 1 })),
  key('with a PIN', first({ pin: true })),
  key('a gigabyte, ten files, a mebibyte a second', {
    ...upload({ bytes: 1_073_741_824, files: 10, rate: 1_048_576 }),
  }),
  key('by a policy, on a plan', first({ policy: 'partners', plan: 'free' })),
  key('from these networks', first({ ip: ['192.0.2.0/24', '2001:db8::/32'] })),
  key(
    'from pages of this origin',
    first({ origins: ['https://app.example.com', 'http://localhost:5173'] }),
  ),
  key('with a header', first({ headers: { 'X-Team': 'blue' } })),
  key('over TLS', first({ tls: true })),
  key(
    'answered differently',
    first({
      respond: {
        'content-disposition': 'attachment; filename="q3.pdf"',
        'content-type': 'application/pdf',
        'content-language': 'en',
        'content-encoding': 'identity',
        'cache-control': 'private, max-age=60',
        expires: 'Fri, 15 Jan 2027 09:00:00 GMT',
      },
    }),
  ),
]

const narrowed = (): readonly GoodKey[] => [
  key('narrowed to a folder', first({ methods: ['GET', 'LIST'] }), { path: 'reports/2026/' }),
  key('narrowed to a method and a minute', first({ methods: ['GET', 'PUT'] }), {
    methods: ['GET'],
    exp: NOW + 60,
  }),
  key('narrowed to nothing', first(), { path: 'images/' }),
  key(
    'narrowed once, then once more',
    first({ sub: 'app' }),
    { jti: 'k-1-a', uses: 1 },
    { sub: 'bob', ip: ['198.51.100.7/32'] },
  ),
  key('a block cannot widen', first(), {
    path: '/',
    methods: ['GET', 'PUT', 'DELETE', 'LIST'],
    exp: NOW + 86_400,
  }),
  key('match under the scope of an earlier block', first(), { match: '*.pdf' }),
  key(
    'match under the longest scope',
    first({ path: ['reports/', 'reports/2026/'], match: '*.pdf' }),
  ),
  key('sizes of two blocks', upload({ size: [10, 1000] }), {
    size: [0, 500],
    types: ['image/png'],
  }),
  key('a block that says nothing', first(), {}),
  key('eight blocks', first(), {}, {}, {}, {}, {}, {}, { path: 'reports/q3.pdf' }),
]

/** What is signed is the text: spaces, order, escapes and all. */
const asText = (): readonly GoodKey[] => [
  key(
    'JSON with spaces, in another order',
    `{ "methods" : [ "GET" ] ,\n\t"path":"reports/","exp":${NOW + 900},"jti":"k-1","kid":"example" }`,
  ),
  key(
    'JSON with escapes',
    `{"k\\u0069d":"example","jti":"k-1","exp":${NOW + 900},"path":"reports\\/\\u00dc.pdf","methods":["\\u0047ET"]}`,
  ),
  key(
    'whole numbers in other spellings',
    `{"kid":"example","jti":"k-1","nbf":1.8e9,"exp":${NOW + 900}.0,"path":"reports/","methods":["GET"]}`,
  ),
  key('4096 characters', JSON.stringify(first()).padEnd(3036)),
  key(
    'names of Object members',
    first({ headers: { constructor: 'a', toString: 'b' }, sub: '__proto__' }),
  ),
]
