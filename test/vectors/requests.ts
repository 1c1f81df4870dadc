/** Attempts under the keys of `good-keys.ts`, each with the code that it gets; null: allowed. */
import { NOW } from './chain.ts'

interface RequestVector {
  readonly name: string
  readonly key: string
  readonly attempt: Attempt
  readonly code: string | null
}

interface Attempt {
  readonly now: number
  readonly method: string
  readonly path: string
  readonly address: string
  readonly tls: boolean
  readonly origin?: string
  readonly headers: Readonly<Record<string, string>>
  readonly upload?: { readonly size?: number; readonly type: string }
}

const attempt = (method: string, path: string, more: Partial<Attempt> = {}): Attempt => ({
  now: NOW,
  method,
  path,
  address: '203.0.113.9',
  tls: false,
  headers: {},
  ...(method === 'PUT' && { upload: { size: 200, type: 'image/png' } }),
  ...more,
})

/** Attempts under one key: a name, what is attempted, and the code. */
const under = (
  key: string,
  ...asked: readonly (readonly [name: string, attempt: Attempt, code: string | null])[]
): readonly RequestVector[] =>
  asked.map(([name, what, code]) => ({ name, key, attempt: what, code }))

const get = (path: string, more?: Partial<Attempt>) => attempt('GET', path, more)
const put = (path: string, upload: Attempt['upload'] & {}) => attempt('PUT', path, { upload })

export const requests = (): readonly RequestVector[] => [
  ...scopes(),
  ...moments(),
  ...circumstances(),
  ...uploads(),
  ...narrowed(),
]

const scopes = () => [
  ...under(
    'a folder to read',
    ['beneath the folder', get('reports/q3.pdf'), null],
    ['deeper', get('reports/2026/01/q3.pdf'), null],
    ['a neighbour whose name begins alike', get('reports-secret/q3.pdf'), 'path_not_granted'],
    ['another bucket', get('images/logo.png'), 'path_not_granted'],
    ['in other case', get('reports/Q3.pdf'), null],
    ['a method that it does not grant', attempt('DELETE', 'reports/q3.pdf'), 'method_not_granted'],
    ['listing', attempt('LIST', 'reports/'), 'method_not_granted'],
    ['neither method nor path', attempt('PUT', 'images/x.png'), 'method_not_granted'],
  ),
  ...under(
    'one object to read',
    ['the object', get('reports/q3.pdf'), null],
    ['a longer name', get('reports/q3.pdf.bak'), 'path_not_granted'],
    ['a shorter name', get('reports/q3.pd'), 'path_not_granted'],
    ['beneath it', get('reports/q3.pdf/x'), 'path_not_granted'],
    ['its name in other case', get('reports/Q3.PDF'), 'path_not_granted'],
  ),
  ...under(
    'everything, every method',
    ['any object', get('images/a/b'), null],
    ['listing the root', attempt('LIST', ''), null],
    ['deleting', attempt('DELETE', 'images/a'), null],
  ),
  ...under(
    'two scopes',
    ['the first', get('reports/2026/q3.pdf'), null],
    ['the second', get('images/logo.png'), null],
    ['beside the second', get('images/logo.svg'), 'path_not_granted'],
    ['listing the first', attempt('LIST', 'reports/2026/'), null],
    ['listing above the first', attempt('LIST', 'reports/'), 'path_not_granted'],
    ['listing around the second', attempt('LIST', 'images/'), 'path_not_granted'],
  ),
  ...under(
    'list only',
    ['listing', attempt('LIST', 'reports/'), null],
    ['listing the root', attempt('LIST', ''), 'path_not_granted'],
  ),
  ...under(
    'an object named beyond ASCII',
    ['the object', get('reports/Übersicht 2026/日本語 🗝.pdf'), null],
    [
      'the same in another normal form',
      get('reports/U\u0308bersicht 2026/日本語 🗝.pdf'),
      'path_not_granted',
    ],
  ),
  ...under(
    'names that match',
    ['a name that matches', get('reports/2026/01/q3.pdf'), null],
    ['another type', get('reports/2026/01/q3.txt'), 'path_not_granted'],
    ['one folder too few', get('reports/2026/q3.pdf'), 'path_not_granted'],
  ),
]

const moments = () => [
  ...under(
    'valid later',
    ['too early', get('reports/a'), 'key_not_yet_valid'],
    ['in time', get('reports/a', { now: NOW + 600 }), null],
  ),
  ...under(
    'valid within the leeway',
    ['the leeway is a minute', get('reports/a'), null],
    ['and not more', get('reports/a', { now: NOW - 1 }), 'key_not_yet_valid'],
  ),
  ...under(
    'expired',
    ['at the very second', get('reports/a'), 'key_expired'],
    ['the second before', get('reports/a', { now: NOW - 1 }), null],
  ),
  ...under(
    'a second left',
    ['now', get('reports/a'), null],
    ['a second later', get('reports/a', { now: NOW + 1 }), 'key_expired'],
  ),
]

const circumstances = () => [
  ...under(
    'from these networks',
    ['inside, v4', get('reports/a', { address: '192.0.2.77' }), null],
    ['inside, v4 written as v6', get('reports/a', { address: '::ffff:192.0.2.77' }), null],
    ['inside, v6', get('reports/a', { address: '2001:db8:1::7' }), null],
    ['outside, v4', get('reports/a', { address: '192.0.3.1' }), 'address_not_granted'],
    ['outside, v6', get('reports/a', { address: '2001:db9::1' }), 'address_not_granted'],
    ['no address', get('reports/a', { address: '' }), 'address_not_granted'],
  ),
  ...under(
    'from pages of this origin',
    ['its page', get('reports/a', { origin: 'https://app.example.com' }), null],
    ['no origin sent', get('reports/a'), null],
    ['another page', get('reports/a', { origin: 'https://evil.example' }), 'origin_not_granted'],
    [
      'another scheme',
      get('reports/a', { origin: 'http://app.example.com' }),
      'origin_not_granted',
    ],
    ['another port', get('reports/a', { origin: 'http://localhost:5174' }), 'origin_not_granted'],
    ['the origin null', get('reports/a', { origin: 'null' }), 'origin_not_granted'],
  ),
  ...under(
    'with a header',
    ['the header', get('reports/a', { headers: { 'x-team': 'blue' } }), null],
    ['no header', get('reports/a'), 'header_not_granted'],
    ['another value', get('reports/a', { headers: { 'x-team': 'Blue' } }), 'header_not_granted'],
    [
      'the value twice',
      get('reports/a', { headers: { 'x-team': 'blue, blue' } }),
      'header_not_granted',
    ],
  ),
  ...under(
    'over TLS',
    ['over TLS', get('reports/a', { tls: true }), null],
    ['without', get('reports/a'), 'tls_required'],
  ),
]

const uploads = () => [
  ...under(
    'an upload of limited size',
    ['within', put('inbox/a', { size: 100, type: 'text/plain' }), null],
    ['the most', put('inbox/a', { size: 10_485_760, type: 'text/plain' }), null],
    ['more', put('inbox/a', { size: 10_485_761, type: 'text/plain' }), 'too_large'],
    ['less', put('inbox/a', { size: 99, type: 'text/plain' }), 'too_small'],
    ['no size declared, so it is counted', put('inbox/a', { type: 'text/plain' }), null],
    ['elsewhere', put('outbox/a', { size: 100, type: 'text/plain' }), 'path_not_granted'],
  ),
  ...under(
    'uploads of images',
    ['an image', put('inbox/a', { type: 'image/webp' }), null],
    [
      'with a parameter, in capitals',
      put('inbox/a', { type: 'Application/PDF; version=1.7' }),
      null,
    ],
    ['another type', put('inbox/a', { type: 'text/html' }), 'type_not_granted'],
    ['a type that begins alike', put('inbox/a', { type: 'imagex/png' }), 'type_not_granted'],
    ['no type', put('inbox/a', { type: '' }), 'type_not_granted'],
  ),
  ...under(
    'sizes of two blocks',
    ['within both', put('inbox/a', { size: 500, type: 'image/png' }), null],
    ['within the first only', put('inbox/a', { size: 501, type: 'image/png' }), 'too_large'],
    ['within the second only', put('inbox/a', { size: 9, type: 'image/png' }), 'too_small'],
    ['of another type', put('inbox/a', { size: 100, type: 'image/jpeg' }), 'type_not_granted'],
  ),
]

const narrowed = () => [
  ...under(
    'narrowed to a folder',
    ['inside', get('reports/2026/q3.pdf'), null],
    ['what only the first block covers', get('reports/2025/q3.pdf'), 'path_not_granted'],
    ['listing above', attempt('LIST', 'reports/'), 'path_not_granted'],
  ),
  ...under(
    'narrowed to a method and a minute',
    ['in time', get('reports/a'), null],
    ['what only the first block grants', attempt('PUT', 'reports/a'), 'method_not_granted'],
    ['a minute later', get('reports/a', { now: NOW + 60 }), 'key_expired'],
  ),
  ...under(
    'narrowed to nothing',
    ['the first', get('reports/a'), 'path_not_granted'],
    ['the second', get('images/a'), 'path_not_granted'],
  ),
  ...under(
    'a block cannot widen',
    ['what the first block covers', get('reports/a'), null],
    ['elsewhere', get('images/a'), 'path_not_granted'],
    ['another method', attempt('PUT', 'reports/a'), 'method_not_granted'],
    ['after the first expiry', get('reports/a', { now: NOW + 900 }), 'key_expired'],
  ),
  ...under(
    'match under the scope of an earlier block',
    ['directly beneath', get('reports/q3.pdf'), null],
    ['deeper', get('reports/2026/q3.pdf'), 'path_not_granted'],
  ),
  ...under(
    'match under the longest scope',
    ['beneath the shorter', get('reports/q3.pdf'), null],
    ['beneath the longer', get('reports/2026/q3.pdf'), null],
    ['beneath neither directly', get('reports/2025/q3.pdf'), 'path_not_granted'],
  ),
  ...under(
    'narrowed once, then once more',
    ['from there', get('reports/a', { address: '198.51.100.7' }), null],
    ['from elsewhere', get('reports/a', { address: '198.51.100.8' }), 'address_not_granted'],
  ),
  ...under(
    'eight blocks',
    ['the object', get('reports/q3.pdf'), null],
    ['another', get('reports/q4.pdf'), 'path_not_granted'],
  ),
]
