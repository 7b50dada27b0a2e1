import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { type Clock, type Log, messageOf, NekoError } from '@neko-edge/kit'

/** The files of the options `server.cert` and `server.key`. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/** How often the files are looked at, in milliseconds. Their times are asked for, since a renewal may swap links far above them, which no watch would tell. */
const lookMs = 2_000

/** Reads certificate and key. Errors: `invalid`, naming the option whose file can not be read, or both where they do not belong together. */
export function readCertificate({ cert, key }: CertificateFiles): Certificate {
  const certificate = { cert: readPem('server.cert', cert), key: readPem('server.key', key) }
  try {
    createSecureContext(certificate)
  } catch (error) {
    throw new NekoError('invalid', `server.cert ${cert} and server.key ${key} are no certificate and its key: ${messageOf(error)}`)
  }
  return certificate
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new NekoError('invalid', `${option}: ${path} can not be read: ${messageOf(error)}`)
  }
}

/**
 * Gives a server the new certificate whenever the files change: connections from then on get it, those that are open stay. Until both files
 * fit together again the old one is used; that is said once, at the second look, since a renewal writes them one after the other.
 */
export function followCertificate(
  files: CertificateFiles,
  { server, clock, log }: { server: { setSecureContext(certificate: Certificate): void }; clock: Clock; log: Log },
): () => void {
  let used = stateOf(files)
  let failed: { state: string; looks: number } | undefined
  return clock.every(lookMs, () => {
    const state = stateOf(files)
    if (state === used) {
      return
    }
    try {
      server.setSecureContext(readCertificate(files))
      used = state
      failed = undefined
      log.info({ cert: files.cert }, 'new certificate in use')
    } catch (error) {
      failed = { state, looks: failed?.state === state ? failed.looks + 1 : 1 }
      if (failed.looks === 2) {
        log.error({ error: messageOf(error) }, 'new certificate not usable: the old one stays in use')
      }
    }
  })
}

/** Something that differs when either file is another one or has another content. */
function stateOf({ cert, key }: CertificateFiles): string {
  return [cert, key]
    .map((path) => {
      const facts = statSync(path, { throwIfNoEntry: false })
      return facts === undefined ? '' : `${facts.dev}:${facts.ino}:${facts.size}:${facts.mtimeMs}`
    })
    .join(' ')
}
