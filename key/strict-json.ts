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

const QUOTE = '"'.charCodeAt(0)
const BACKSLASH = '\\'.charCodeAt(0)
const COLON = ':'.charCodeAt(0)
const OPENING = { object: '{'.charCodeAt(0), list: '['.charCodeAt(0) }
const CLOSING = { object: '}'.charCodeAt(0), list: ']'.charCodeAt(0) }

/** Walks text that is known to be JSON, keeping the names seen in each open object. */
function refuseDuplicates(text: string): void {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      const end = endOfString(text, at)
      if (isName(text, end)) remember(open.at(-1), text.slice(at, end))
      at = end - 1
    } else if (character === OPENING.object) open.push(new Set())
    else if (character === OPENING.list) open.push(undefined)
    else if (character === CLOSING.object || character === CLOSING.list) open.pop()
  }
}

/** @param start of its opening quote; returns what comes after the closing one */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote + 1
}

/** By an odd number of backslashes: each pair of them is one that is meant. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote
  while (text.charCodeAt(at - 1) === BACKSLASH) at -= 1
  return (quote - at) % 2 === 1
}

/** Whether a string that ends here is the name of a member: a colon follows, after white space. */
function isName(text: string, end: number): boolean {
  let at = end
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}

/** @param quoted as it is written: the same name can be written in several ways */
function remember(names: Set<string> | undefined, quoted: string): void {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (names?.has(name)) throw new SyntaxError(`the member "${name}" is there twice`)
  names?.add(name)
}
