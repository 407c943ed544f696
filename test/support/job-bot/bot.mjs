// Answers that it is well, and no more: what it is about are its jobs.
import { createServer } from 'node:http'

createServer((request, response) => response.writeHead(request.method === 'GET' ? 200 : 401).end()).listen(
  Number(process.env.PORT),
)
process.on('SIGTERM', () => process.exit())
