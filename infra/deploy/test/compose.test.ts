import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@neko-edge/config'
import { DCLinter } from 'dclint'
import { validate } from 'dockerfile-utils'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { interpolate } from '../../../libs/config/src/migrate/interpolate.ts'

const folder = join(import.meta.dirname, '..')
const text = readFileSync(join(folder, 'compose.yaml'), 'utf8')
/** What env.example leaves to whoever fills it in. */
const filledIn = {
  NEKO_REDIS_PASSWORD: 'redissecret',
  NEKO_USER_PASSWORD: 'user-secret',
  NEKO_ADMIN_PASSWORD: 'admin-secret',
  NEKO_ROOMS_API_TOKEN: 'api-token-of-the-fleet',
}

const Findings = z.array(z.object({ messages: z.array(z.object({ rule: z.string(), message: z.string() })) }))
const Compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      environment: z.record(z.string(), z.string()),
      command: z.array(z.string()),
      read_only: z.literal(true),
      cap_drop: z.tuple([z.literal('ALL')]),
      security_opt: z.array(z.string()),
      network_mode: z.string().optional(),
      stop_grace_period: z.string().optional(),
    }),
  ),
})

/** The file as Compose reads it: YAML first, then variables in its texts. */
function filled(variables: Readonly<Record<string, string>>): { file: unknown; unknown: readonly string[] } {
  const unknown: string[] = []
  const known = new Map(Object.entries(variables))
  const fill = (node: unknown): unknown => {
    if (typeof node === 'string') {
      const part = interpolate(node, known)
      unknown.push(...part.unknown)
      return part.text
    }
    if (Array.isArray(node)) {
      return node.map(fill)
    }
    return node !== null && typeof node === 'object'
      ? Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fill(value)]))
      : node
  }
  return { file: fill(parse(text, { merge: true })), unknown }
}
const servicesOf = () => Compose.parse(filled(filledIn).file).services

describe('the Compose file', () => {
  it('[DEP-1987] is one by the Compose specification, and a linter finds nothing in it', () => {
    const place = mkdtempSync(join(tmpdir(), 'neko-compose-'))
    try {
      const rules = {
        // Matters of taste: order, quotes, a name for what is built.
        ...{ 'service-keys-order': 0, 'services-alphabetical-order': 0, 'top-level-properties-order': 0 },
        ...{ 'require-quotes-in-ports': 0, 'no-quotes-in-volumes': 0, 'no-build-and-image': 0 },
        'service-image-require-explicit-tag': 2,
      } as const
      const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] })
      const lint = (content: string) => {
        const path = join(place, 'compose.yaml')
        writeFileSync(path, content)
        return Findings.parse(linter.lintFiles([path], false)).flatMap(({ messages }) =>
          messages.map(({ rule, message }) => `${rule}: ${message}`),
        )
      }
      const ours = stringify(filled(filledIn).file, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })
      expect(lint(ours)).toEqual([])
      expect(lint(ours.replace('shm_size', 'shm-size'))).toEqual([expect.stringMatching(/^invalid-schema: .*capture-node/)])
    } finally {
      rmSync(place, { recursive: true })
    }
  })

  it('[DEP-1988] asks for every password, and for nothing else', () => {
    const { NEKO_ROOMS_API_TOKEN: _optional, ...needed } = filledIn
    expect(new Set(filled({}).unknown)).toEqual(new Set(Object.keys(needed)))
    const example = readFileSync(join(folder, 'env.example'), 'utf8')
    expect(Object.keys(filledIn).filter((name) => !new RegExp(`^${name}=$`, 'm').test(example))).toEqual([])
  })

  it('[DEP-1989] sets options that there are, to values that they take', () => {
    const { redis: _not, ...ours } = servicesOf()
    expect(Object.keys(ours)).toEqual(['control-plane', 'capture-node', 'relay'])
    for (const { environment } of Object.values(ours)) {
      expect(loadConfig({ argv: [], env: environment, cwd: '/' }).problems).toEqual([])
    }
  })

  it('[DEP-1990] runs everything on a system that it can not write, without capabilities, and lets the application’s cage alone have more', () => {
    const services = servicesOf()
    for (const [name, { security_opt: options }] of Object.entries(services)) {
      expect(options).toContain('no-new-privileges:true')
      expect([name, options.some((option) => option.includes('unconfined'))]).toEqual([name, name === 'capture-node'])
    }
    const [capture, relay] = [services['capture-node'], services['relay']]
    // Both are on the machine's own network.
    expect([capture?.network_mode, relay?.network_mode]).toEqual(['host', 'host'])
    const { config: one } = loadConfig({ argv: [], env: capture?.environment ?? {}, cwd: '/' })
    const { config: other } = loadConfig({ argv: [], env: relay?.environment ?? {}, cwd: '/' })
    expect(new Set([one.webrtc.udpmux, other.webrtc.udpmux, one.node.pipePorts.min, other.node.pipePorts.min]).size).toBe(4)
    expect(one.node.pipePorts.max).toBeLessThan(other.node.pipePorts.min)
    expect(one.node.id === other.node.id).toBe(false)
  })
})

describe('the Dockerfile', () => {
  it('[DEP-1991] is one, and ends as a user who is not root', () => {
    const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8')
    expect(validate(dockerfile).map(({ message }) => message)).toEqual([])
    expect(dockerfile.match(/^USER .*/gm)).toEqual(['USER 1000:1000'])
    expect(validate(dockerfile.replace('WORKDIR', 'WORKDIRECTORY')).map(({ message }) => message)).not.toEqual([])
  })
})
