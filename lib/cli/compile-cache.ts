import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// What is imported after this module is compiled once, and read from this folder by later runs: it halves the time to start. A
// playbook imports this one alone, and the others with `await import`, since Node loads all static imports before it runs any.
if (process.env.NODE_V8_COVERAGE === undefined)
  enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/compile'))
