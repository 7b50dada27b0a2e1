/** What one option says about another. Each check looks at the finished values and gives problems; none changes anything. */
import { type Draft, isDefault } from './derive.ts'
import type { Problem } from './problem.ts'
import type { Config } from './schema/config.ts'
import { envName } from './schema/options.ts'
import { isLoopback } from './value/network.ts'

interface Finding {
  readonly severity?: 'error' | 'warning'
  readonly option: string
  readonly reason: string
  readonly remedy: string
}

type Check = (config: Config, draft: Draft) => readonly (Finding | false)[]

const passwords: Check = ({ member, server }, draft) => {
  if (member.provider !== 'multiuser' || isLoopback(server.bind)) {
    return []
  }
  const one = (option: string, value: string, known: string): Finding | false => {
    if (value !== known) {
      return false
    }
    const remedy = `Set ${envName(option)} to a password of your own, or bind to 127.0.0.1.`
    return isDefault(draft, option)
      ? { option, reason: `is not set, and the default "${known}" is accepted on loopback only`, remedy }
      : { severity: 'warning', option, reason: `is "${known}", which everybody knows`, remedy }
  }
  return [
    one('member.multiuser.user_password', member.multiuser.userPassword, 'neko'),
    one('member.multiuser.admin_password', member.multiuser.adminPassword, 'admin'),
  ]
}

const members: Check = ({ member, server }) => {
  const { provider, multiuser } = member
  return [
    provider === 'multiuser' &&
      multiuser.userPassword === multiuser.adminPassword && {
        severity: 'warning',
        option: 'member.multiuser.user_password',
        reason: 'is the same as the password of admins, so that everybody is an admin',
        remedy: 'Set two different passwords.',
      },
    provider === 'multiuser' &&
      multiuser.adminPassword === '' && {
        option: 'member.multiuser.admin_password',
        reason: 'is empty, so that anybody is an admin without a password',
        remedy: 'Set a password, or choose member.provider noauth if that is meant.',
      },
    provider === 'file' &&
      member.file.path === '' && {
        option: 'member.file.path',
        reason: 'is empty, and member.provider is file',
        remedy: 'Name the JSON file with the members.',
      },
    provider === 'object' &&
      member.object.users.length === 0 && {
        severity: 'warning',
        option: 'member.object.users',
        reason: 'is empty, so that nobody can log in',
        remedy: 'List the members, or choose another member.provider.',
      },
    provider === 'noauth' &&
      !isLoopback(server.bind) && {
        severity: 'warning',
        option: 'member.provider',
        reason: 'is noauth: whoever reaches the server is an admin',
        remedy: 'Choose another provider unless something in front of the server asks for a password.',
      },
  ]
}

const http: Check = ({ server, session }) => {
  const hasTls = server.cert !== '' && server.key !== ''
  return [
    server.cert !== '' &&
      server.key === '' && {
        option: 'server.cert',
        reason: 'is set and server.key is not',
        remedy: `Set ${envName('server.key')} to the certificate's private key, or remove the certificate.`,
      },
    server.key !== '' &&
      server.cert === '' && {
        option: 'server.key',
        reason: 'is set and server.cert is not',
        remedy: `Set ${envName('server.cert')} to the key's certificate, or remove the key.`,
      },
    server.cors.includes('*') && {
      severity: 'warning',
      option: 'server.cors',
      reason: 'lets every site call the API',
      remedy: 'List the origins that may.',
    },
    session.cookie.enabled &&
      session.cookie.secure &&
      !hasTls &&
      !server.proxy &&
      !isLoopback(server.bind) && {
        severity: 'warning',
        option: 'session.cookie.secure',
        reason: 'keeps browsers from sending the cookie over plain HTTP',
        remedy: 'Set server.cert and server.key, or server.proxy behind a proxy with TLS, or switch session.cookie.secure off.',
      },
  ]
}

const video: Check = ({ capture }, draft) => {
  const { ids, pipelines, pipeline, codec, hwenc } = capture.video
  const names = Object.keys(pipelines)
  const unknown = names.length === 0 ? [] : ids.filter((id) => !names.includes(id))
  const hardware = { none: ['vp8', 'vp9', 'av1', 'h264', 'h265'], vaapi: ['vp8', 'h264', 'h265'], nvenc: ['h264', 'h265'] }[hwenc]
  const generated = names.length === 0 && pipeline === ''
  return [
    unknown.length > 0 && {
      option: 'capture.video.ids',
      reason: `names ${unknown.join(', ')}, which capture.video.pipelines lacks`,
      remedy: `It has ${names.join(', ')}.`,
    },
    new Set(ids).size < ids.length && {
      option: 'capture.video.ids',
      reason: 'names a pipeline twice',
      remedy: 'Name each once, best first.',
    },
    names.length > 0 &&
      pipeline !== '' && {
        severity: 'warning',
        option: 'capture.video.pipeline',
        reason: 'is ignored, since capture.video.pipelines is set',
        remedy: 'Remove one of the two.',
      },
    generated &&
      !hardware.includes(codec) && {
        severity: 'warning',
        option: 'capture.video.hwenc',
        reason: `is ${hwenc}, which has no encoder for ${codec}: the processor encodes`,
        remedy: `Choose capture.video.codec ${hardware.join(' or ')}.`,
      },
    !generated &&
      !isDefault(draft, 'capture.video.hwenc') && {
        severity: 'warning',
        option: 'capture.video.hwenc',
        reason: 'is ignored, since a pipeline of your own is set',
        remedy: 'Remove it, or the pipeline.',
      },
  ]
}

const broadcast: Check = ({ capture }) => {
  const { url, pipeline } = capture.broadcast
  const isRtmp = /^rtmps?:\/\//i.test(url)
  return [
    /['"\\\r\n]/.test(url) && {
      option: 'capture.broadcast.url',
      reason: 'has a quote, a backslash or a line break in it',
      remedy: 'Write such characters as %27, %22, %5C.',
    },
    url !== '' &&
      pipeline === '' &&
      !isRtmp && {
        option: 'capture.broadcast.url',
        reason: 'is not an RTMP address',
        remedy: 'Write rtmp://… or rtmps://…, or set capture.broadcast.pipeline for other protocols.',
      },
  ]
}

const ports: Check = ({ webrtc, server, sfu }, draft) => {
  const last = (base: number): number => base + Math.max(sfu.workers, 1) - 1
  const tcp = server.bind.kind === 'tcp' ? server.bind.port : 0
  const tooHigh = (option: string, port: number): Finding | false =>
    port > 0 &&
    last(port) > 65_535 && {
      option,
      reason: `and sfu.workers ${sfu.workers} need ports up to ${last(port)}, and ports end at 65535`,
      remedy: `Choose a port up to ${65_536 - sfu.workers}.`,
    }
  return [
    webrtc.udpmux > 0 &&
      !isDefault(draft, 'webrtc.epr') &&
      webrtc.epr !== undefined && {
        severity: 'warning',
        option: 'webrtc.epr',
        reason: 'is ignored, since webrtc.udpmux is set',
        remedy: 'Remove one of the two.',
      },
    webrtc.tcpmux > 0 &&
      tcp >= webrtc.tcpmux &&
      tcp <= last(webrtc.tcpmux) && {
        option: 'webrtc.tcpmux',
        reason: `takes port ${tcp}, on which the server listens`,
        remedy: 'Choose another port for one of the two.',
      },
    tooHigh('webrtc.udpmux', webrtc.udpmux),
    tooHigh('webrtc.tcpmux', webrtc.tcpmux),
  ]
}

const onThisMachine = /^\w+:\/\/(localhost|127\.[\d.]+|\[::1\])([:/]|$)/i
const webhooks: Check = ({ webhook }) => [
  webhook.url !== '' &&
    webhook.secret === '' && {
      option: 'webhook.secret',
      reason: 'is empty, and webhook.url is set',
      remedy: 'Set a secret: its receiver can not know otherwise who calls.',
    },
]

const cage: Check = ({ desktop }) => [
  desktop.appNetwork !== 'shared' &&
    onThisMachine.test(desktop.appUrl) && {
      severity: 'warning',
      option: 'desktop.app_url',
      reason: 'is on this machine, which the application does not reach from its own network',
      remedy: 'Set desktop.app_network to shared, or give the page an address that others reach.',
    },
  desktop.uncaged && {
    severity: 'warning',
    option: 'desktop.uncaged',
    reason: 'is on: whoever has the controls has the powers of the process that runs the node',
    remedy: 'Switch it off where user namespaces work.',
  },
]

const checks: readonly Check[] = [passwords, members, http, video, broadcast, ports, webhooks, cage]

/** All that the options say about each other. */
export function checkConfig(config: Config, draft: Draft): Problem[] {
  const problems: Problem[] = []
  for (const { severity = 'error', option, reason, remedy } of checks
    .flatMap((check) => check(config, draft))
    .filter((finding) => finding !== false)) {
    const source = draft.sources.get(option)
    problems.push({
      severity,
      source: source === undefined || source.kind === 'default' ? envName(option) : source.where,
      option,
      reason,
      remedy,
    })
  }
  return problems
}
