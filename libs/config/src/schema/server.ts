import { BadValue } from '../value/bad-value.ts'
import { type Bind, isAddressRange, printBind, readBind } from '../value/network.ts'
import { cleanPrefix } from '../value/path-prefix.ts'
import { readText } from '../value/scalar.ts'
import { duration, flag, integer, list, parsed, text } from './option.ts'

const defaultBind: Bind = { kind: 'tcp', host: '127.0.0.1', port: 8080 }

/** An origin as browsers send it, or `*`; it stands in headers as it is, so that nothing else may be in it. */
const isOrigin = (word: string) =>
  word === '*' || /^[a-z][a-z0-9+.-]*:\/\/[^/\s;,]+$/i.test(word) ? undefined : `holds ${word}, which is not an origin`

/** The HTTP server. */
export const server = {
  'server.bind': parsed<Bind>({
    default: defaultBind,
    about: 'Address of the HTTP server: TCP, or a unix socket',
    form: 'an address such as 127.0.0.1:8080, :8080, [::1]:8080 or unix:/run/neko.sock',
    read: readBind,
    write: printBind,
  }),
  'server.cert': text({ default: '', about: 'TLS certificate (PEM); needs server.key', form: 'a path' }),
  'server.key': text({ default: '', about: 'TLS private key (PEM); needs server.cert', form: 'a path' }),
  'server.proxy': flag({
    default: false,
    about: 'Believe True-Client-IP, X-Real-IP and X-Forwarded-For of the proxies in server.proxy_trusted',
  }),
  'server.proxy_trusted': list({
    default: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
    since: 'edge',
    about: 'Addresses whose proxy headers are believed when server.proxy is on',
    form: 'IP addresses or ranges such as 10.0.0.0/8',
    check: (word) => (isAddressRange(word) ? undefined : `holds ${word}, which is not an address range`),
  }),
  'server.static': text({ default: '', about: 'Directory of a web client to serve; empty: the built-in one', form: 'a directory' }),
  'server.path_prefix': parsed<string>({
    default: '/',
    about: 'Path below which everything is served',
    form: 'a path such as /neko',
    read: (raw) => {
      const value = readText(raw)
      return value instanceof BadValue ? value : cleanPrefix(value)
    },
    write: (value) => value,
  }),
  'server.pprof': flag({ default: false, about: 'Serve CPU and heap profiles of the control plane below /debug/pprof/, to admins' }),
  'server.metrics': flag({ default: true, about: 'Serve /metrics (Prometheus)' }),
  'server.cors': list({
    default: [],
    about: 'Origins that may call the API from another site; * is all of them',
    form: 'origins such as https://example.org',
    check: isOrigin,
  }),
  'server.frame_ancestors': list({
    default: [],
    since: 'edge',
    about: 'Origins that may show the built-in page in a frame, beside its own and those of server.cors; * is all of them',
    form: 'origins such as https://example.org',
    check: isOrigin,
  }),
  'server.login_limit.per_address': integer({
    default: 30,
    min: 0,
    max: 1_000_000,
    unit: 'failed logins in a window',
    since: 'edge',
    about: 'Failed logins that one address may make; 0: no limit',
  }),
  'server.login_limit.per_account': integer({
    default: 10,
    min: 0,
    max: 1_000_000,
    unit: 'failed logins in a window',
    since: 'edge',
    about: 'Failed logins that one user name may get; 0: no limit',
  }),
  'server.login_limit.window': duration({
    default: 60_000,
    min: 1000,
    max: 86_400_000,
    since: 'edge',
    about: 'Window in which failed logins count',
  }),
} as const
