import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '@neko-edge/config'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chartFolder, type Manifest, renderChart, type Tree, valuesWith } from './chart.ts'
import { schemaProblems } from './kubernetes.ts'

const secrets = {
  userPassword: 'user-secret',
  adminPassword: 'admin-"secret',
  apiToken: 'api-token-of-the-fleet',
  redisPassword: 'redissecret',
}
const least = { secrets }
const all = {
  secrets,
  image: { tag: '7' },
  env: { NEKO_DESKTOP_SCREEN: '1920x1080@30', NEKO_LEGACY: false, NEKO_SESSION_LISTED_MAX: 50 },
  controlPlane: {
    ingress: { host: 'room.example.org', className: 'nginx', tlsSecret: 'room-tls', annotations: { 'example.org/timeout': 3600 } },
    nodeSelector: { pool: 'web' },
  },
  captureNode: {
    replicas: 3,
    ports: [59_000, 59_001],
    publicAddress: '203.0.113.7',
    tunResource: 'example.org/net-tun',
    storage: '10Gi',
    storageClass: 'fast',
    tolerations: [{ key: 'desktop', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
  },
  relay: { replicas: 2, maxViewers: 500 },
}
const ownRedis = { existingSecret: 'mine', redis: { enabled: false, address: 'redis.example.org:6380/0', scheme: 'rediss' } }
const cases: readonly (readonly [string, Tree])[] = [
  ['the least', least],
  ['all of it', all],
  ['a Redis and a Secret of one’s own, and no cage', { ...ownRedis, captureNode: { uncaged: true } }],
]

const Env = z.array(z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.looseObject({}).optional() }))
const Container = z.looseObject({
  name: z.string(),
  args: z.array(z.string()).optional(),
  env: Env.default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number(), hostPort: z.number().optional() })).default([]),
  securityContext: z.looseObject({}),
})
const Workload = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        hostUsers: z.boolean().optional(),
        securityContext: z.looseObject({}),
        containers: z.tuple([Container]),
      }),
    }),
  }),
})
const Service = z.object({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.looseObject({ targetPort: z.string() })).default([]),
  }),
})

const workloads = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet').map((manifest) => Workload.parse(manifest))
function workload(manifests: readonly Manifest[], name: string) {
  const found = workloads(manifests).find(({ metadata }) => metadata.name === `r-${name}`)
  if (!found) {
    throw new Error(`no ${name} in ${manifests.map(({ metadata }) => metadata.name)}`)
  }
  const pod = found.spec.template.spec
  const [container] = pod.containers
  return { ...found, pod, container, env: new Map(container.env.map(({ name: key, value }) => [key, value])) }
}

describe.each(cases)('the Helm chart with %s', (_name, changes) => {
  it('[DEP-1980] renders objects that Kubernetes knows, in every field', async () => {
    expect(await schemaProblems(await renderChart(valuesWith(changes)))).toEqual([])
  })

  it('[DEP-1981] sets options that there are, to values that they take, and no secret in the open', async () => {
    const manifests = await renderChart(valuesWith(changes))
    for (const { spec } of workloads(manifests).filter(({ metadata }) => metadata.name !== 'r-redis')) {
      const [{ env: variables }] = spec.template.spec.containers
      // What the cluster fills in, as it would.
      const filled = variables.map(({ name, value, valueFrom }) => [
        name,
        valueFrom ? filledBy(valueFrom) : (value ?? '').replace('$(REDIS_PASSWORD)', 'x'),
      ])
      const { problems } = loadConfig({ argv: [], env: Object.fromEntries(filled), cwd: '/' })
      // That it is a risk is said, and was asked for.
      expect(problems.filter(({ option }) => option !== 'desktop.uncaged')).toEqual([])
    }
    const open = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'))
    expect(Object.values(secrets).filter((secret) => open.includes(secret))).toEqual([])
  })

  it('[DEP-1982] selects its own pods, and asks for secrets and ports that there are', async () => {
    const manifests = await renderChart(valuesWith(changes))
    const pods = workloads(manifests)
    for (const { spec } of pods) {
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels)
    }
    // Each selects one kind of pod: the component is part of it.
    expect(new Set(pods.map(({ spec }) => JSON.stringify(spec.selector))).size).toBe(pods.length)
    for (const { spec } of manifests.filter(({ kind }) => kind === 'Service').map((service) => Service.parse(service))) {
      const [pod, ...others] = pods.filter(({ spec: { template } }) =>
        Object.entries(spec.selector).every(([key, value]) => template.metadata.labels[key] === value),
      )
      expect(others).toEqual([])
      const ports = pod?.spec.template.spec.containers[0].ports.map(({ name }) => name)
      expect(ports).toEqual(expect.arrayContaining(spec.ports.map(({ targetPort }) => targetPort)))
    }
    const secret = manifests.find(({ kind }) => kind === 'Secret')
    const asked = pods.flatMap(({ spec }) =>
      spec.template.spec.containers[0].env.flatMap(({ valueFrom }) => secretIn(valueFrom ?? {}) ?? []),
    )
    expect(new Set(asked.map(({ name }) => name))).toEqual(new Set([secret?.metadata.name ?? 'mine']))
    expect(Object.keys((secret?.['stringData'] as Tree | undefined) ?? {})).toEqual(
      secret ? expect.arrayContaining([...new Set(asked.map(({ key }) => key))]) : [],
    )
  })

  it('[DEP-1983] runs nothing as root, on a system that it can not write, without capabilities', async () => {
    for (const { spec } of workloads(await renderChart(valuesWith(changes)))) {
      const { securityContext, containers } = spec.template.spec
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      expect(containers[0].securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5)
    }
  })
})

const secretIn = (source: Tree) => z.object({ name: z.string(), key: z.string() }).optional().parse(source['secretKeyRef'])

function filledBy(source: Tree): string {
  const { key } = secretIn(source) ?? {}
  const { fieldPath } = (source['fieldRef'] as Tree | undefined) ?? {}
  return fieldPath === 'metadata.name' ? 'r-node-0' : fieldPath === undefined ? `the-${key}-of-the-room` : '10.0.0.7'
}

describe('the Helm chart', () => {
  it('[DEP-1984] gives each media worker of a node a port of its machine, and lets applications have their cage in a pod with users of its own', async () => {
    const manifests = await renderChart(valuesWith(all))
    const { pod, container, env } = workload(manifests, 'capture-node')
    expect(container.ports.map(({ hostPort, protocol }) => `${hostPort} ${protocol}`)).toEqual([
      '59000 UDP',
      '59000 TCP',
      '59001 UDP',
      '59001 TCP',
    ])
    expect(['NEKO_WEBRTC_UDPMUX', 'NEKO_WEBRTC_TCPMUX', 'NEKO_SFU_WORKERS', 'NEKO_WEBRTC_NAT1TO1'].map((name) => env.get(name))).toEqual([
      ...['59000', '59000', '2', '203.0.113.7'],
    ])
    expect([pod.hostUsers, container.securityContext]).toMatchObject([
      false,
      { procMount: 'Unmasked', seccompProfile: { type: 'Unconfined' } },
    ])
    const uncaged = workload(await renderChart(valuesWith({ ...ownRedis, captureNode: { uncaged: true } })), 'capture-node')
    expect([uncaged.pod.hostUsers, uncaged.container.securityContext['procMount'], uncaged.env.get('NEKO_DESKTOP_UNCAGED')]).toEqual([
      undefined,
      undefined,
      'true',
    ])
    const relay = workload(manifests, 'relay')
    expect([
      relay.env.get('NEKO_NODE_ROLES'),
      relay.env.get('NEKO_NODE_MAX_VIEWERS'),
      relay.container.securityContext['procMount'],
    ]).toEqual(['relay', '500', undefined])
    expect(relay.env.get('NEKO_REDIS_URL')).toBe('redis://:$(REDIS_PASSWORD)@r-redis:6379/0')
    expect(uncaged.env.get('NEKO_REDIS_URL')).toBe('rediss://:$(REDIS_PASSWORD)@redis.example.org:6380/0')
  })

  it('[DEP-1985] refuses values that are wrong, by name', () => {
    // A JSON Schema, which Helm asks before it renders.
    const schema = new Ajv().compile(JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')))
    for (const [, changes] of cases) {
      expect([schema(valuesWith(changes)), schema.errors]).toEqual([true, null])
    }
    const wrong: readonly Tree[] = [
      ...[
        {},
        { secrets: { ...secrets, userPassword: '' } },
        { secrets: { ...secrets, redisPassword: 'a/b' } },
        { secrets: { ...secrets, apiToken: 'short' } },
      ],
      ...[
        { secrets, captureNode: { ports: [] } },
        { secrets, captureNode: { ports: [80] } },
        { secrets, captureNode: { onStop: 'stay' } },
      ],
      ...[
        { secrets, controlPlane: { replica: 3 } },
        { secrets, env: { PATH: '/' } },
        { secrets, redis: { enabled: false } },
        { secrets, relay: { replicas: -1 } },
      ],
    ]
    expect(wrong.filter((changes) => schema(valuesWith(changes)))).toEqual([])
  })

  it('[DEP-1986] what is wrong with an object is found: a value of the wrong kind, a field that nobody knows', async () => {
    const manifests = await renderChart(valuesWith(least))
    const spoilt = manifests.map((manifest) => structuredClone(manifest))
    Object.assign(spoilt.find(({ kind }) => kind === 'Deployment')?.['spec'] as object, { replicas: 'two' })
    Object.assign(spoilt.find(({ kind }) => kind === 'PodDisruptionBudget')?.['spec'] as object, { maxUnavailble: 1 })
    const [kind = '', field = '', ...others] = await schemaProblems(spoilt)
    expect([kind, field, others]).toEqual([
      expect.stringMatching(/Deployment.*replicas must be integer/),
      expect.stringContaining('"maxUnavailble"\' does not exist'),
      [],
    ])
  })
})
