/** One change to mediasoup's source: the only place in `file` that reads `expects` becomes `replaceWith`. */
export type Edit = {
  /** Path below mediasoup's `worker` folder. */
  readonly file: string
  /** Text that must stand in the file exactly once; anything else means that mediasoup changed and a person has to look. */
  readonly expects: string
  readonly replaceWith: string
  /** What goes wrong without the edit, and how long it is needed. */
  readonly why: string
}

/** Every change that is made to a copy of mediasoup's worker before it is compiled. */
export const edits: readonly Edit[] = [
  {
    file: 'src/RTC/DtlsTransport.cpp',
    expects: '(operationType == BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
    replaceWith: '(operationType & BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
    why:
      'OpenSSL passes BIO_CB_RETURN as a bit beside the operation. With `==` the callback answers 1 to every question, also to "is kernel ' +
      'TLS on?", which an OpenSSL built with KTLS, as Debian’s is, then believes: SIGSEGV at the first handshake.',
  },
]
