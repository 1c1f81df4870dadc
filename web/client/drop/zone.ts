/** Where files come in: dropped anywhere on the page, pasted, chosen, or photographed. */
import { button, h, icon } from '../common/dom.ts'
import { drop } from '../common/texts.ts'
import { fromList, fromPicker, fromTransfer, type Picked } from './collect.ts'
import type { Limits } from './limits.ts'

export type OnPicked = (picked: readonly Picked[]) => void

const isTouched = matchMedia('(pointer: coarse)').matches

/** The way in for fingers and keys, and the picture of it for mice. */
export function zoneOf(limits: Limits, onPicked: OnPicked, signal: AbortSignal): HTMLElement {
  const isOne = limits.filesLeft === 1
  const words = isOne ? { ...drop, ...drop.one } : drop
  const files = inputOf({ multiple: !isOne, id: 'files' }, limits, onPicked)
  const folder = inputOf({ webkitdirectory: true, id: 'folder' }, limits, onPicked)
  const camera = inputOf({ capture: 'environment', id: 'camera' }, limits, onPicked)
  const choose = async (): Promise<void> => {
    const picked = limits.types.length === 0 ? await fromPicker(!isOne) : undefined
    if (picked === undefined) files.click()
    else onPicked(picked)
  }
  const zone = h(
    'section',
    { class: 'zone', 'aria-labelledby': 'zone-title' },
    h('span', { class: 'badge' }, icon('upload')),
    h('h2', { id: 'zone-title' }, isTouched ? drop.chooseTitle : words.dropTitle),
    !isTouched && h('p', { class: 'muted' }, words.dropHint),
    h(
      'div',
      { class: 'ways' },
      button(words.chooseFiles, () => void choose(), { kind: 'primary', image: 'file' }),
      !isTouched && !isOne && button(drop.chooseFolder, () => folder.click(), { image: 'folder' }),
      isTouched &&
        takesPictures(limits) &&
        button(drop.takePhoto, () => camera.click(), { image: 'camera' }),
    ),
    files,
    folder,
    camera,
  )
  watch(zone, onPicked, signal)
  return zone
}

const takesPictures = ({ types }: Limits): boolean =>
  types.length === 0 || types.some((type) => /^(?:image\/(?:\*|jpeg)|\*\/\*)$/.test(type))

function inputOf(
  attributes: Readonly<Record<string, string | boolean>>,
  { types }: Limits,
  onPicked: OnPicked,
): HTMLInputElement {
  const accept = attributes.capture === undefined ? types.join(',') : 'image/*'
  const input = h('input', {
    type: 'file',
    hidden: true,
    ...attributes,
    ...(accept !== '' && attributes.webkitdirectory === undefined && { accept }),
  })
  input.addEventListener('change', () => {
    onPicked(fromList(input.files ?? []))
    // or the same file could not be chosen again
    input.value = ''
  })
  return input
}

/** A drop that misses the zone would open the file in place of the page: all of the page takes it. */
function watch(zone: HTMLElement, onPicked: OnPicked, signal: AbortSignal): void {
  let depth = 0
  const lit = (by: number): void => {
    depth = Math.max(0, depth + by)
    zone.classList.toggle('lit', depth > 0)
  }
  const listen = <K extends keyof DocumentEventMap>(
    name: K,
    hear: (event: DocumentEventMap[K]) => void,
  ): void => document.addEventListener(name, hear, { signal })
  listen('dragenter', (event) => {
    if (hasFiles(event)) lit(1)
  })
  listen('dragleave', (event) => {
    if (hasFiles(event)) lit(-1)
  })
  listen('dragover', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy'
  })
  listen('drop', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    lit(-depth)
    if (event.dataTransfer !== null) void fromTransfer(event.dataTransfer).then(onPicked)
  })
  listen('paste', ({ clipboardData }) => {
    if (clipboardData?.files.length) void fromTransfer(clipboardData).then(onPicked)
  })
}

const hasFiles = ({ dataTransfer }: DragEvent): boolean =>
  dataTransfer?.types.includes('Files') === true
