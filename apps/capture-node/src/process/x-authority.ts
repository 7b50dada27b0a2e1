/** An MIT-MAGIC-COOKIE-1 of 128 random bits. */
export function newCookie(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(16))
}

/** `FamilyWild`: the entry holds for whatever address and display a client connects to (Xau, `Xauth.h`). */
const familyWild = 0xffff

/** The content of an Xauthority file with one entry for `cookie`: family, then address, display, protocol and data, each with a 16-bit length. */
export function xAuthority(cookie: Uint8Array): Buffer {
  const field = (data: Uint8Array): Buffer => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(data.length)
    return Buffer.concat([length, data])
  }
  const family = Buffer.alloc(2)
  family.writeUInt16BE(familyWild)
  return Buffer.concat([family, field(Buffer.of()), field(Buffer.of()), field(Buffer.from('MIT-MAGIC-COOKIE-1')), field(cookie)])
}
