import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as renderTemplate } from '@evertdespiegeleer/go-template'
import { parseAllDocuments, parse as parseYaml } from 'yaml'
import { z } from 'zod'

export const chartFolder = join(import.meta.dirname, '../helm/neko-edge')
const read = (name: string): string => readFileSync(join(chartFolder, name), 'utf8')

export type Tree = { readonly [key: string]: unknown }
const Manifest = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }) })
/** One object of Kubernetes, as it would be applied. */
export type Manifest = z.infer<typeof Manifest>

/** The chart's values with some of them changed, as `helm install --values` has it: maps are merged, all else is replaced. */
export function valuesWith(changes: Tree): Tree {
  return merged(parseYaml(read('values.yaml')) as Tree, changes)
}

function merged(base: Tree, changes: Tree): Tree {
  const keys = new Set([...Object.keys(base), ...Object.keys(changes)])
  return Object.fromEntries(
    Array.from(keys, (key) => {
      const [before, after] = [base[key], changes[key]]
      return [key, isTree(before) && isTree(after) ? merged(before, after) : key in changes ? after : before]
    }),
  )
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * What `helm template r` gives for these values. The chart's templates take functions of Go's own alone, and this is Go's engine; a value that is
 * not there is an error here, where Helm would write nothing.
 */
export async function renderChart(values: Tree): Promise<Manifest[]> {
  const chart = parseYaml(read('Chart.yaml')) as Tree
  const data = {
    Values: values,
    Release: { Name: 'r', Namespace: 'default', Service: 'Helm' },
    Chart: { Name: chart['name'], Version: chart['version'], AppVersion: chart['appVersion'] },
  }
  const names = readdirSync(join(chartFolder, 'templates'))
  const parts = names.filter((name) => name.endsWith('.tpl')).map((name) => read(`templates/${name}`))
  const manifests: Manifest[] = []
  for (const name of names.filter((one) => !one.endsWith('.tpl'))) {
    const text = await renderTemplate([...parts, read(`templates/${name}`)].join('\n'), data)
    if (name.endsWith('.yaml')) {
      manifests.push(...manifestsIn(text))
    }
  }
  return manifests
}

/** The YAML documents of a text; one that is none, or has a key twice, is an error. */
function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) {
      throw new Error(`${document.errors[0]?.message}\n${text}`)
    }
    const content: unknown = document.toJS()
    return content === null ? [] : [Manifest.parse(content)]
  })
}
