// Writes inventory/schema.json, the JSON Schema of inventories that editors go by: `npm run schema`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { editorSchema } from '../lib/inventory/editor-schema.ts'
import { allRoles } from '../roles/index.ts'

const file = join(import.meta.dirname, '../inventory/schema.json')
writeFileSync(file, `${JSON.stringify(editorSchema(allRoles), null, 2)}\n`)
