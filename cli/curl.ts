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
  const declared =
    method === 'PUT' && types.length > 0 ? [`Content-Type: ${typeToSend(types) ?? 'TYPE'}`] : []
  return [...required, ...declared].flatMap((line) => ['-H', shellQuoted(line)])
}

/** The only media type that there can be; undefined where whoever uploads has to say which it is. */
const typeToSend = ([type, ...more]: readonly string[]): string | undefined =>
  more.length > 0 || type?.includes('*') ? undefined : type

/** What is to be filled in, for a person; undefined where nothing is. */
export function toFillIn(lines: readonly string[], { types = [] }: Claims): string | undefined {
  const isOfType = lines.some((line) => line.includes("-H 'Content-Type: TYPE'"))
  const isOfFile = lines.some((line) => /\bFILE\b/.test(line))
  const parts = [
    ...(isOfFile ? ['FILE'] : []),
    ...(isOfType ? [`TYPE, which is one of ${types.join(', ')}`] : []),
  ]
  return parts.length === 0 ? undefined : `To be filled in: ${parts.join(' and ')}.`
}
