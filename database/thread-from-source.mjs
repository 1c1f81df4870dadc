// Where a thread starts in a checkout: tsx, as loaded by `--import`, serves the main thread only, so
// each thread asks for it before it loads TypeScript. Not part of the build.
import { register } from 'tsx/esm/api'

register()
await import(process.argv[2])
