#!/usr/bin/env node
import { run } from './program.ts'
import { processShell } from './shell.ts'

// A reader that went away (`valetkey ls | head`) is met where we write, not as an uncaught error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await run(process.argv.slice(2), processShell())
