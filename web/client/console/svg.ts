/** Pictures as SVG, made of shapes alone: no style that the page's policy would refuse. */
import { encode } from 'uqr'

const SVG = 'http://www.w3.org/2000/svg'

export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElement {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

/** How wide a picture is drawn, so that its texts are as large as those around it. */
export const pictureWidth = (): number => {
  const main = document.querySelector('main')?.clientWidth ?? 720
  return Math.max(260, main - (main > 600 ? 96 : 56))
}

/** Light modules around a code, as ISO/IEC 18004 wants them. */
const QUIET = 4

/** @returns undefined where the text is longer than a code can be, or than a phone could read */
export function qrOf(content: string, label: string): SVGElement | undefined {
  if (content.length > 1200) return undefined
  const { data, size } = encode(content, { ecc: 'L', border: QUIET })
  const dark = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  )
  return svg(
    'svg',
    {
      class: 'qr',
      viewBox: `0 0 ${size} ${size}`,
      role: 'img',
      'aria-label': label,
      'shape-rendering': 'crispEdges',
    },
    svg('rect', { width: size, height: size, fill: '#fff' }),
    svg('path', { d: dark.join(''), fill: '#000' }),
  )
}
