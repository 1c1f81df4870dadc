/** Files, however they come: dropped, pasted, chosen, photographed; folders with all beneath them. */

export interface Picked {
  readonly file: File
  /** its name, with the folders that came with it */
  readonly relative: string
  /** by which the page may read the file again after a reload, where the browser has such */
  readonly handle?: FileHandle | undefined
}

/** What is used of the File System Access API, which not every browser has. */
export interface FileHandle {
  readonly kind: string
  getFile(): Promise<File>
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>
}

type HandedItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileHandle | null> }
type Picker = (options: { multiple: boolean }) => Promise<readonly FileHandle[]>

/**
 * What was dropped or pasted. What there is must be asked for before anything is waited for: the
 * browser takes it away when the event is over.
 */
export async function fromTransfer({ items, files }: DataTransfer): Promise<readonly Picked[]> {
  const handed = [...items].filter(({ kind }) => kind === 'file') as HandedItem[]
  const all = handed.map((item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
    handle: item.getAsFileSystemHandle?.().catch(() => null),
  }))
  if (all.length === 0) return fromList(files)
  const found = await Promise.all(
    all.map(async ({ entry, file, handle }): Promise<readonly Picked[]> => {
      if (entry?.isDirectory) return beneath(entry as FileSystemDirectoryEntry)
      if (file === null) return []
      const known = (await handle) ?? undefined
      return [{ file, relative: file.name, handle: known?.kind === 'file' ? known : undefined }]
    }),
  )
  return found.flat()
}

/** Of an input; where a folder was chosen, each name has the way to it. */
export const fromList = (files: Iterable<File>): readonly Picked[] =>
  [...files].map((file) => ({ file, relative: file.webkitRelativePath || file.name }))

/** Undefined where the browser has no such picker; empty where the person chose nothing. */
export async function fromPicker(multiple: boolean): Promise<readonly Picked[] | undefined> {
  const { showOpenFilePicker } = window as unknown as { showOpenFilePicker?: Picker }
  if (showOpenFilePicker === undefined) return undefined
  try {
    const handles = await showOpenFilePicker({ multiple })
    const files = await Promise.all(handles.map((handle) => handle.getFile()))
    return files.map((file, index) => ({ file, relative: file.name, handle: handles[index] }))
  } catch (error) {
    if ((error as Error).name === 'AbortError') return []
    return undefined
  }
}

/** Without recursion: a folder may be deeper than a stack. */
async function beneath(top: FileSystemDirectoryEntry): Promise<readonly Picked[]> {
  const found: Picked[] = []
  const folders = [top]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await entriesOf(folder)) {
      if (entry.isDirectory) folders.push(entry as FileSystemDirectoryEntry)
      else found.push({ file: await fileOf(entry as FileSystemFileEntry), relative: wayTo(entry) })
    }
  }
  return found.sort((a, b) => (a.relative < b.relative ? -1 : 1))
}

const wayTo = ({ fullPath }: FileSystemEntry): string => fullPath.replace(/^\/+/, '')

/** A reader gives a hundred at a time, and nothing at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  for (;;) {
    const more = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject)
    })
    if (more.length === 0) return entries
    entries.push(...more)
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))
