/**
 * Writes `test/SPEC.md`: every behaviour that a test asks for, by the id that its title begins with, and below them the quirks of upstream that
 * are fixed (`test/quirks.md`). Run it after adding a test: `node test/spec.ts`. It fails where one id stands for two behaviours of different files.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const patterns = ['{apps,libs}/*/{src,test}/**/*.{test,suite}.{ts,tsx}', 'infra/**/*.test.ts', 'test/**/*.{test,suite}.ts']

/** The sections, in the order of the document. */
const sections: Readonly<Record<string, string>> = {
  HTTP: 'HTTP interface',
  WS: 'WebSocket',
  V2: 'V2 clients',
  MEM: 'Members',
  PLG: 'Plugins',
  SES: 'Sessions in the store',
  CTL: 'Who may control',
  RED: 'Redis that goes away',
  FLEET: 'Rooms and nodes',
  SFU: 'Fan-out',
  STR: 'The thin line',
  SDP: 'Session descriptions',
  CAP: 'Capture',
  DSK: 'Desktop',
  PRC: 'Processes and the cage',
  CFG: 'Configuration',
  RUN: 'Setting up and running',
  INF: 'Infrastructure',
  WEB: 'Web client',
  PRO: 'Benchmarks',
  E2E: 'The whole product',
  TST: 'Test tools',
}

interface Rule {
  readonly id: string
  readonly text: string
  readonly file: string
}

function rulesIn(file: string): Rule[] {
  const source = readFileSync(`${root}${file}`, 'utf8')
  const isTopic = ([, , title = '']: RegExpExecArray) => !title.startsWith('[')
  const topics = [...source.matchAll(/describe(?:\.each\([^\n]*\))?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].filter(isTopic)
  return [...source.matchAll(/(['"`])\[([A-Z][A-Z\d]*-\d+[a-z]?)\]\s*((?:\\.|(?!\1)[^\\])*)\1/g)].map(
    ({ index, 2: id = '', 3: text = '' }) => {
      const topic = topics.findLast((one) => one.index < index)?.[2]
      return { id, file, text: plain(topic === undefined ? text : `${topic}: ${text}`) }
    },
  )
}

/** A title as text: escapes are gone, and what differs from case to case is left out. */
function plain(title: string): string {
  return title
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll(/%[sdi]|\$\{[^}]*\}/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const prefixOf = (id: string) => id.slice(0, id.lastIndexOf('-'))
const numberOf = (id: string) => Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 10)

/** One rule for each id; several titles of one file under one id are one behaviour in several parts. */
function merged(rules: readonly Rule[]): Rule[] {
  const byId = new Map<string, Rule>()
  for (const rule of rules) {
    const known = byId.get(rule.id)
    if (known && known.file !== rule.file && known.text !== rule.text) {
      throw new Error(`${rule.id} stands for two behaviours: ${known.file} and ${rule.file}`)
    }
    byId.set(rule.id, known && known.text !== rule.text ? { ...known, text: `${known.text}; ${rule.text}` } : rule)
  }
  return [...byId.values()].toSorted((a, b) => numberOf(a.id) - numberOf(b.id))
}

const files = [
  ...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (name) => name.includes('node_modules') }))),
].toSorted()
const rules = merged(files.flatMap(rulesIn))
const prefixes = [...new Set([...Object.keys(sections), ...rules.map(({ id }) => prefixOf(id)).toSorted()])]
const text = prefixes.flatMap((prefix) => {
  const mine = rules.filter(({ id }) => prefixOf(id) === prefix)
  const lines = mine.map((rule) => `- **${rule.id}** ${rule.text}`)
  return mine.length === 0 ? [] : [`## ${sections[prefix] ?? prefix} (${prefix})`, '', ...lines, '']
})
const head = [
  '# What neko-edge does',
  '',
  'One line for each behaviour that a test asks for. Written from the titles of the tests by `node test/spec.ts`: change them there.',
  '',
]
writeFileSync(`${root}test/SPEC.md`, `${[...head, ...text, readFileSync(`${root}test/quirks.md`, 'utf8').trim()].join('\n')}\n`)
process.stdout.write(`${rules.length} behaviours\n`)
