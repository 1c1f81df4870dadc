/** A process that is an instance until it is killed: `node instance-process.ts FOLDER`. */
import { Instance } from '../../database/instance.ts'

const instance = Instance.start(process.argv[2] ?? '')
process.send?.(instance.id)
// stays while its parent does
process.on('disconnect', () => instance.close())
