/** A link as curl command lines, ready to paste. */
import { type FirstBlock, type Method, scopesOf } from '../key/claims.ts'
import { fileNameOf, type ObjectPath } from '../key/object-path.ts'
import { shellQuoted } from './format.ts'

type Claims = Pick<FirstBlock, 'path' | 'methods'> & Partial<FirstBlock>

/** One line for each method that the key grants. */
export const curlLines = (url: string, claims: Claims): readonly string[] =>
  claims.methods.map((method) =>
    ['curl --fail-with-body', ...headersOf(method, claims), ...LINES[method](url, claims)].join(
      ' ',
    ),
  )

const LINES: { readonly [M in Method]: (url: string, claims: Claims) => readonly string[] } = {
  GET: (url, { path }) => {
    const [scope = '/'] = scopesOf(path)
    if (scope.endsWith('/')) return ['-o', 'FILE', shellQuoted(named(url))]
    return ['-o', shellQuoted(fileNameOf(scope as ObjectPath)), shellQuoted(url)]
  },
  PUT: (url) => ['-T', 'FILE', shellQuoted(named(url))],
  DELETE: (url) => ['-X', 'DELETE', shellQuoted(named(url))],
  LIST: (url) => [shellQuoted(url)],
}

/** The link to a prefix, with a name to fill in. */
const named = (url: string): string => url.replace(/\/(?=\?|$)/, '/FILE')

function headersOf(method: Method, { headers = {}, types = [] }: Claims): readonly string[] {
  const required = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const [type] = types
  const declared =
    method === 'PUT' && types.length === 1 && type !== undefined && !type.includes('*')
      ? [`Content-Type: ${type}`]
      : []
  return [...required, ...declared].flatMap((line) => ['-H', shellQuoted(line)])
}
