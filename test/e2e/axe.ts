import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** WCAG 2.2 A and AA, and what axe's makers hold for good practice. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

let source: Promise<string> | undefined

/** What axe finds wrong with the page as it is now, a line for each element; `only` names rules in place of all. */
export async function axe(page: Page, { only }: { only?: readonly string[] } = {}): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  if (!(await page.evaluate('typeof axe === "object"'))) {
    await page.evaluate(await source)
  }
  const options = { runOnly: only === undefined ? tags : { type: 'rule', values: only }, resultTypes: ['violations'] }
  // The answer of axe.run has this shape; its types would bring the package into every check.
  const { violations } = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as { violations: Violation[] }
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html.slice(0, 150)} ${failureSummary.split('\n')[1]?.trim() ?? ''}`),
  )
}
