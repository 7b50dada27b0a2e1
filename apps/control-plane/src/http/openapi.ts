import { z } from 'zod'
import type { Guard, Operation } from './operation.ts'

/* The documentation of the API, made from the operations themselves: what is checked is what is said. */

interface Document {
  readonly openapi: '3.1.0'
  readonly info: { title: string; version: string; description: string }
  readonly servers: readonly { url: string }[]
  readonly paths: Record<string, Record<string, object>>
  readonly components: object
}

const guardTexts: Readonly<Record<Exclude<Guard, 'session' | 'fleet'>, string>> = {
  admin: 'is an admin',
  host: 'is at the controls',
  'host-or-admin': 'is at the controls or an admin',
  'can-watch': 'may watch',
  'can-host': 'may host, and is not shut out by private mode',
  'can-access-clipboard': 'may access the clipboard',
  'may-upload': 'is at the controls, or may host under implicit hosting',
}

/** Whom an operation is for, in words; empty where it is for everybody. */
export function whoMay({ guards }: Operation): string {
  if (guards.includes('fleet')) {
    return 'For the machine that holds the fleet token.'
  }
  const extra = guards.filter((guard) => guard !== 'session' && guard !== 'fleet')
  return guards.length === 0
    ? ''
    : `For a session that ${extra.length === 0 ? 'is logged in' : extra.map((guard) => guardTexts[guard]).join(' and ')}.`
}

/** The OpenAPI document of these operations below a path. */
export function openApi(operations: readonly Operation[], { prefix }: { prefix: string }): Document {
  const paths: Document['paths'] = {}
  for (const definition of operations) {
    paths[definition.path] = { ...paths[definition.path], [definition.method.toLowerCase()]: describe(definition) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'neko',
      version: '3',
      description:
        'The HTTP interface of a room: the room default at /, each room below /room/<id>/. Its events come over the WebSocket /api/ws. /api/rooms and /api/nodes are at the root only.',
    },
    servers: [{ url: prefix }],
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: {
        fleet: { type: 'http', scheme: 'bearer', description: 'the token rooms.api_token, or no rooms API where that is empty' },
        bearer: { type: 'http', scheme: 'bearer' },
        token: { type: 'apiKey', in: 'query', name: 'token' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'NEKO_SESSION' },
      },
    },
  }
}

const errorSchema = {
  type: 'object',
  properties: { code: { type: 'integer' }, message: { type: 'string' } },
  required: ['code', 'message'],
}

function describe(definition: Operation): object {
  const { summary, guards, reply, fails = {} } = definition
  const error = (description: string) => ({
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  })
  const common = {
    ...(definition.body && { 400: 'the body is not as it is to be' }),
    ...(guards.length > 0 && { 401: 'nobody is logged in', 403: 'not allowed' }),
  }
  const failures = Object.entries({ ...common, ...fails }).map(([status, text]) => [status, error(text)])
  const body = bodyOf(definition)
  return {
    summary,
    ...(whoMay(definition) && { description: whoMay(definition) }),
    security: guards.includes('fleet') ? [{ fleet: [] }] : guards.length > 0 ? [{ bearer: [] }, { token: [] }, { cookie: [] }] : [],
    parameters: parametersOf(definition),
    ...(body && { requestBody: { required: !definition.body?.isOptional, content: body } }),
    responses: {
      ...(reply ? { [definition.status ?? 200]: { description: 'done', ...contentOf(reply) } } : { 204: { description: 'done' } }),
      ...Object.fromEntries(failures),
    },
  }
}

function parametersOf({ path, query = {} }: Operation): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  return [
    ...inPath,
    ...Object.entries(query).map(([name, description]) => ({ name, in: 'query', description, schema: { type: 'string' } })),
  ]
}

function bodyOf({ body, upload }: Operation): object | undefined {
  if (body) {
    return { 'application/json': { schema: jsonSchema(body.schema) } }
  }
  const parts = Object.entries(upload?.parts ?? {}).map(([name, description]) => [
    name,
    name === 'files' ? { type: 'array', items: { type: 'string', format: 'binary' }, description } : { type: 'string', description },
  ])
  return upload && { [upload.type]: { schema: { type: 'object', properties: Object.fromEntries(parts) } } }
}

function contentOf(reply: NonNullable<Operation['reply']>): object {
  if (reply instanceof z.ZodType) {
    return { content: { 'application/json': { schema: jsonSchema(reply) } } }
  }
  return reply.type === 'nothing' ? {} : { content: { [reply.type]: { schema: { type: 'string', format: 'binary' } } } }
}

/** A schema as JSON Schema: of what is lenient, the plain form. */
export function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(plain(schema), { io: 'input', unrepresentable: 'any' })
  return rest
}

/** Takes transformations out of a schema: before them (a default in place of `null`) and behind them (keys in any case) lies what is meant. */
function plain(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) {
    const { in: before, out: after } = schema.def
    return plain(before instanceof z.ZodTransform || before instanceof z.ZodUnknown ? after : before)
  }
  if (schema instanceof z.ZodObject) {
    return z.object(Object.fromEntries(Object.entries(schema.shape).map(([key, value]) => [key, plain(value)])))
  }
  if (schema instanceof z.ZodOptional) {
    return plain(schema.def.innerType).optional()
  }
  if (schema instanceof z.ZodNullable) {
    return plain(schema.def.innerType).nullable()
  }
  if (schema instanceof z.ZodArray) {
    return z.array(plain(schema.def.element))
  }
  // Everything else has no schema inside that is lenient.
  return schema as z.ZodType
}
