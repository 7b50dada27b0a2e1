import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from './chart.ts'

const models = fileURLToPath(new URL('../../../node_modules/kubernetes-models/', import.meta.url))
const tsc = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))

/** What is wrong with manifests by the OpenAPI schemas of Kubernetes: of each by its name, an empty list where all is well. */
export async function schemaProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const problems = await Promise.all(manifests.map(schemaProblem))
  return [...problems.flatMap((problem) => problem ?? []), ...(await unknownFields(manifests))]
}

async function schemaProblem(manifest: Manifest): Promise<string | undefined> {
  const { apiVersion, kind, metadata } = manifest
  // Each kind's module exports its class under its name, and the class can check itself.
  const module = (await import(`${models}${apiVersion}/${kind}.js`)) as Record<string, new (data: object) => { validate: () => void }>
  try {
    const model = module[kind]
    ;new (model ?? Object)(manifest)
    model && new model(manifest).validate()
    return undefined
  } catch (error) {
    return `${kind} ${metadata.name}: ${(error as Error).message}`
  }
}

/** Fields that Kubernetes does not know are allowed by its schemas, and would be dropped in silence: the compiler knows them by the types. */
async function unknownFields(manifests: readonly Manifest[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'neko-manifests-'))
  try {
    const lines = manifests.flatMap((manifest, index) => [
      `import type { I${manifest.kind} as Kind${index} } from '${models}${manifest.apiVersion}/${manifest.kind}.js'`,
      `export const ${manifest.kind}${index}: Kind${index} = ${JSON.stringify(manifest)}`,
    ])
    await writeFile(join(folder, 'manifests.ts'), lines.join('\n'))
    const args = [
      '--noEmit',
      '--ignoreConfig',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--types',
      '',
      join(folder, 'manifests.ts'),
    ]
    return await new Promise((resolve) => {
      execFile(tsc, args, (error, stdout) => resolve(error ? [stdout.trim() || error.message] : []))
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}
