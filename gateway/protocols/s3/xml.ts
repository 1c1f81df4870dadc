/** XML as S3 speaks it: small documents, written whole and read strictly. */
import { onDemand } from '../../on-demand.ts'
import { S3Refusal } from './errors.ts'

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** An element: its name, and text or elements; undefined ones are left out. */
export type Xml = readonly [name: string, content: XmlContent]
type XmlContent = string | number | boolean | readonly (Xml | undefined)[]

/** A document, with the namespace on its root where it has one. */
export function xmlDocument([name, content]: Xml, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${attribute}>${inner(content)}</${name}>`
}

const inner = (content: XmlContent): string =>
  Array.isArray(content)
    ? content
        .map((child: Xml | undefined) => (child === undefined ? '' : elementOf(child)))
        .join('')
    : escaped(String(content))

const elementOf = ([name, content]: Xml): string => `<${name}>${inner(content)}</${name}>`

/**
 * Control characters become references: XML 1.0 has none for most of them, but S3 writes them so,
 * and its clients read them. Whoever has such names asks for `encoding-type=url`.
 */
const escaped = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  text.replace(/[&<>"'\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, (character) => {
    const named = NAMED[character]
    return named ?? `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`
  })

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

interface OpenElement {
  readonly name: string
  text: string
  readonly children: XmlElement[]
}

const MAX_DEPTH = 8

/** Most requests have no document. */
const saxes = onDemand<typeof import('saxes')>('saxes')

const malformed = (why: string): S3Refusal =>
  new S3Refusal('MalformedXML', `the body is not the XML that this operation takes: ${why}`)

/**
 * The root of a document. No document type, no processing instructions, no entities but XML's own.
 * @throws S3Refusal MalformedXML
 */
export function parseXml(text: string, root: string): XmlElement {
  const { SaxesParser } = saxes()
  const open: OpenElement[] = []
  let found: XmlElement | undefined
  const parser = new SaxesParser()
  const refuse = (why: string) => (): void => {
    throw malformed(why)
  }
  parser.on('doctype', refuse('it has a document type'))
  parser.on('processinginstruction', refuse('it has a processing instruction'))
  parser.on('error', ({ message }) => {
    throw malformed(message.slice(0, 200))
  })
  parser.on('opentag', ({ name }) => {
    if (open.length === MAX_DEPTH) throw malformed('it is nested too deeply')
    open.push({ name: name.replace(/^.*:/, ''), text: '', children: [] })
  })
  const addText = (part: string): void => {
    const top = open.at(-1)
    if (top !== undefined) top.text += part
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const closed = open.pop()
    if (closed === undefined) return
    const parent = open.at(-1)
    if (parent === undefined) found = closed
    else parent.children.push(closed)
  })
  parser.write(text).close()
  if (found?.name === root) return found
  throw malformed(`its root is not ${root}`)
}

/** The text of a child that may be there once. @throws S3Refusal MalformedXML */
export function childText({ children }: XmlElement, name: string): string | undefined {
  const named = children.filter((child) => child.name === name)
  if (named.length > 1) throw malformed(`${name} is there more than once`)
  return named[0]?.text
}

/** @throws S3Refusal MalformedXML */
export function requiredText(element: XmlElement, name: string): string {
  const text = childText(element, name)
  if (text !== undefined) return text
  throw malformed(`${element.name} has no ${name}`)
}

export const childrenOf = ({ children }: XmlElement, name: string): readonly XmlElement[] =>
  children.filter((child) => child.name === name)
