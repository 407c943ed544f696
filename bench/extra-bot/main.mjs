// A bot that costs a host little: it says that it is well, and takes what it is sent.
import { createServer } from 'node:http'

createServer((_, response) => response.end()).listen(8080)
process.once('SIGTERM', () => process.exit())
