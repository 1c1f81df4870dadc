/** What Linux tells of a process; elsewhere nobody knows, and what is asked of it holds. */
import { readdirSync, readFileSync } from 'node:fs'

/** How many descriptors it has open; undefined where that can't be seen. */
export function openFilesOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
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
