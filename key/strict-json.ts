/**
 * JSON in which no object has two members of one name. `JSON.parse` keeps the last of them, other
 * parsers the first: a text with two readings is refused here.
 */

/** @throws SyntaxError for text that is not JSON, or has a duplicate member */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  refuseDuplicates(text)
  return value
}

/** Walks text that is known to be JSON, keeping the names seen in each open object. */
function refuseDuplicates(text: string): void {
  const open: (Set<string> | undefined)[] = []
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) remember(open.at(-1), JSON.parse(token.slice(0, -1)) as string)
  }
}

function remember(names: Set<string> | undefined, name: string): void {
  if (names?.has(name)) throw new SyntaxError(`the member "${name}" is there twice`)
  names?.add(name)
}
