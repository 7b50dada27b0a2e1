import type { Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import type { HttpOptions } from './context.ts'
import { jsonSchema, openApi, whoMay } from './openapi.ts'
import { json, type Operation } from './operation.ts'
import { addGet } from './routes.ts'

/* The page needs nothing from anywhere: no script, no font, no other host. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2330; background: #fff }
h2 { margin: 2rem 0 0; font-size: 1rem; font-family: ui-monospace, monospace }
h2 b { display: inline-block; min-width: 4.5rem }
p { margin: .2rem 0 } ul { margin: .2rem 0; padding-left: 1.2rem } code, pre { font-family: ui-monospace, monospace; font-size: .85rem }
pre { background: #f3f4f7; padding: .6rem; overflow-x: auto; border-radius: 6px } summary { cursor: pointer; color: #3451b2 }
@media (prefers-color-scheme: dark) { body { color: #e3e6ee; background: #14171f } pre { background: #1f2430 } summary, a { color: #9db2ff } }
`

/** Serves the documentation: `/openapi.json` for machines, `/docs` for people. */
export function addDocs(app: Hono, operations: readonly Operation[], { pathPrefix }: HttpOptions): void {
  const document = openApi(operations, { prefix: pathPrefix })
  addGet(app, '/openapi.json', () => json(document))
  addGet(app, '/docs', (context) =>
    context.html(page(operations), 200, { 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }),
  )
}

const page = (operations: readonly Operation[]) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>neko HTTP interface</title>
<style>${style}</style></head><body>
<h1>neko HTTP interface</h1>
<p>For machines: <a href="openapi.json">openapi.json</a>. Failures are <code>{"code": status, "message": text}</code>.
A session is named by <code>Authorization: Bearer TOKEN</code>, <code>?token=TOKEN</code> or its cookie.</p>
${operations.map(section)}
</body></html>`

function section(definition: Operation) {
  const { method, path, summary, body, upload, query = {}, reply, fails = {} } = definition
  return html`<h2 id="${method.toLowerCase()}${path}"><b>${method}</b> ${path}</h2>
<p>${summary}. ${whoMay(definition)}</p>
${Object.entries(query).map(([name, text]) => html`<p><code>?${name}=</code> ${text}</p>`)}
${Object.entries(upload?.parts ?? {}).map(([name, text]) => html`<p>form part <code>${name}</code>: ${text}</p>`)}
${body ? shape('body', body.schema) : ''}
${answer(reply)}
<ul>${Object.entries(fails).map(([status, text]) => html`<li>${status}: ${text}</li>`)}</ul>`
}

function answer(reply: Operation['reply']) {
  if (reply instanceof z.ZodType) {
    return shape('answer', reply)
  }
  return html`<p>Answers ${reply === undefined ? '204' : reply.type}.</p>`
}

const shape = (title: string, schema: z.ZodType) =>
  html`<details><summary>${title}</summary><pre>${JSON.stringify(jsonSchema(schema), undefined, 2)}</pre></details>`
