/** What the gateway is held to; the bench prints every line of it, measured or not. */
export interface Goal {
  readonly work: string
  /** whether small figures are good */
  readonly better: 'less' | 'more'
  readonly unit: string
  readonly must: number
  readonly goal: number
  /** the rows that measure it */
  readonly row: string
}

const less = (row: string, work: string, unit: string, must: number, goal: number): Goal => ({
  work,
  better: 'less',
  unit,
  must,
  goal,
  row,
})

export const GOALS = {
  get1k: less('get-1k', 'signed GET 1 KiB, CPU vs best nginx', '×', 1.8, 1.35),
  get64k: less('get-64k', 'signed GET 64 KiB, CPU vs best nginx', '×', 1.8, 1.3),
  get1m: less('get-1m', 'signed GET 1 MiB, every block checked, CPU vs best nginx', '×', 2.7, 2),
  get100m: less(
    'get-100m',
    'signed GET 100 MiB, every block checked, CPU vs best nginx',
    '×',
    2.7,
    2,
  ),
  accel: less('get-accel', 'GET with X-Accel-Redirect, 1 MiB, CPU vs best nginx', '×', 1.5, 1.2),
  put1k: {
    work: 'durable PUT 1 KiB, 32 at once, acknowledged/s vs nginx dav (no hash, no fsync)',
    better: 'more',
    unit: '×',
    must: 3,
    goal: 8,
    row: 'put-1k',
  },
  put100m: less(
    'put-100m',
    'PUT 100 MiB with SHA-256 and fsync, CPU vs nginx dav plus a bare SHA-256',
    '×',
    1.1,
    0.85,
  ),
  engines: {
    work: 'GET and PUT of four sizes vs the S3 engines found, CPU and rate: ahead in',
    better: 'more',
    unit: '%',
    must: 50,
    goal: 100,
    row: 'engines',
  },
  verify: less('verify', 'verifying a key (parse, HMAC, clear)', 'µs', 10, 5),
  verifyMillion: less(
    'million',
    'the same, with the ledger asked, with 10⁶ revocations, issued keys and objects',
    '% more',
    15,
    5,
  ),
  listing: less('million', 'listing 1,000 of 10⁶', 'ms', 10, 3),
  idle: less('memory', 'resident memory, idle', 'MiB', 120, 80),
  slow: less('memory', 'resident memory, 1,000 slow downloads', 'MiB', 512, 256),
  large: less('memory', 'resident memory, 5 GiB in and out', 'MiB', 160, 120),
  start: less('million', 'ready after start with 10⁶ objects', 's', 5, 1),
  restart: less('million', 'ready after kill -9 with 10⁶ objects', 's', 5, 1),
  mixed: less('mixed', 'p99 of a 1 KiB GET while 8 large uploads run vs idle', '×', 5, 2),
  weightShare: less('weight', 'share page, everything, compressed', 'KiB', 40, 30),
  weightDrop: less('weight', 'drop page, everything, compressed', 'KiB', 40, 30),
} as const satisfies Record<string, Goal>

export type GoalName = keyof typeof GOALS

/** How a goal was met, or not. */
export interface Finding {
  readonly goal: GoalName
  readonly value: number
  /** over the rounds */
  readonly least?: number
  readonly most?: number
  /** programs beside which this was measured, where most lines have nothing to do with them */
  readonly beside?: readonly string[]
}

export type Verdict = 'goal' | 'must' | 'missed'

export function verdictOf({ goal: name, value }: Finding): Verdict {
  const { better, must, goal }: Goal = GOALS[name]
  const meets = (limit: number): boolean => (better === 'less' ? value <= limit : value >= limit)
  return meets(goal) ? 'goal' : meets(must) ? 'must' : 'missed'
}
