/** What Linux tells of a process; elsewhere nobody knows, and what is asked of it holds. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** How many descriptors it has open; undefined where that can't be seen. */
export function openFilesOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
  }
}

/** How many of them are sockets, its connections among them; undefined where that can't be seen. */
export function socketsOf(pid: number): number | undefined {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).filter((name) => isSocket(`${folder}/${name}`)).length
  } catch {
    return undefined
  }
}

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(descriptor).startsWith('socket:')
  } catch {
    // closed meanwhile
    return false
  }
}

/** Resident memory in bytes; undefined where that can't be seen. */
export function residentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  } catch {
    return undefined
  }
}
