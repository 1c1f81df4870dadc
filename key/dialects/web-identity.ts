/** From the claims of an OpenID Connect token to the path that its holder may use. */
import { parseScope } from '../object-path.ts'
import { Refusal } from '../refusal.ts'
import { uriEncode } from './sigv4.ts'

const VARIABLE = /\$\{([A-Za-z0-9_]+)\}/g

/**
 * `users/${sub}/` with the claims filled in, each as one segment of a path: whatever could leave it
 * is percent-encoded, so that two different values never become one.
 * @throws Refusal request_malformed where a claim is missing or not text
 */
export function pathFromTemplate(
  template: string,
  claims: Readonly<Record<string, unknown>>,
): string {
  const path = template.replace(VARIABLE, (_, name: string) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (typeof value === 'string' && value !== '' && value.isWellFormed()) return segmentOf(value)
    throw new Refusal(
      'request_malformed',
      `the token has no claim "${name}" with a text, which its path here needs`,
    )
  })
  try {
    return parseScope(path)
  } catch {
    throw new Refusal('request_malformed', 'the claims of the token make no path that can be used')
  }
}

/** Whether a template is one: the same check, at the time when settings are read. */
export function isPathTemplate(template: string): boolean {
  try {
    const names = [...template.matchAll(VARIABLE)].map(([, name = '']) => name)
    return pathFromTemplate(template, Object.fromEntries(names.map((name) => [name, 'abc']))) !== ''
  } catch {
    return false
  }
}

/** Letters, digits and what is harmless stay as they are; "." and ".." do not. */
function segmentOf(value: string): string {
  if (/^\.{1,2}$/.test(value)) return value.replaceAll('.', '%2E')
  return value.replace(/[^A-Za-z0-9._~@+:|=-]/gu, (character) => uriEncode(character))
}
