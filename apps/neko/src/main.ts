import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Sources run as they are: Node takes their types off and compiles them. Kept from one start to the next, that work costs a
// quarter of a second and 30 MB a process less; so everything but these lines is imported behind it.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'neko-edge', 'node'))
await import('./cli.ts')
