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

/** What every worker needs that is built against Debian's libraries. */
const stock: readonly Edit[] = [
  {
    file: 'src/RTC/DtlsTransport.cpp',
    expects: '(operationType == BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
    replaceWith: '(operationType & BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
    why:
      'OpenSSL passes BIO_CB_RETURN as a bit beside the operation. With `==` the callback answers 1 to every question, also to "is kernel ' +
      'TLS on?", which an OpenSSL built with KTLS, as Debian’s is, then believes: SIGSEGV at the first handshake.',
  },
]

const include = '#include "Logger.hpp"\n'

/** Where the worker calls what `recipe/src` holds. The code is there; these only reach it. */
const sendQueue: readonly Edit[] = [
  {
    file: 'src/lib.cpp',
    expects: '#include "Worker.hpp"\n',
    replaceWith: '#include "Worker.hpp"\n#include "AesGcm.hpp"\n#include "UdpSendQueue.hpp"\n',
    why: 'Headers, for the two edits below.',
  },
  {
    file: 'src/lib.cpp',
    expects: '\t\tRTC::SrtpSession::ClassInit();\n',
    replaceWith: `\t\tRTC::SrtpSession::ClassInit();
\t\tCounters::Get().aeadProvider = static_cast<uint64_t>(AesGcm::Best());
\t\tUdpSendQueue::ClassInit(DepLibUV::GetLoop());
`,
    why: 'The send queue begins with the worker,',
  },
  {
    file: 'src/lib.cpp',
    expects: '\t\tRTC::DtlsTransport::ClassDestroy();\n',
    replaceWith: '\t\tRTC::DtlsTransport::ClassDestroy();\n\t\tUdpSendQueue::ClassDestroy();\n',
    why: '… and ends with it, while its loop is still there.',
  },
  {
    file: 'src/handles/UdpSocketHandle.cpp',
    expects: include,
    replaceWith: `${include}#include "UdpSendQueue.hpp"\n`,
    why: 'The send queue’s header, for the two edits below.',
  },
  {
    file: 'src/handles/UdpSocketHandle.cpp',
    expects: '\t// First try uv_udp_try_send(). In case it can not directly send the datagram\n',
    replaceWith: `\tif (auto* queue = UdpSendQueue::Get())
\t{
\t\tqueue->Enqueue(this->uvHandle, data, len, addr);

\t\tthis->sentBytes += len;

\t\tif (cb)
\t\t{
\t\t\t(*cb)(true);
\t\t\tdelete cb;
\t\t}

\t\treturn;
\t}

\t// First try uv_udp_try_send(). In case it can not directly send the datagram
`,
    why: 'All that goes out by UDP goes through the send queue: media, retransmissions, RTCP, DTLS, STUN. What follows is then not reached.',
  },
  {
    file: 'src/handles/UdpSocketHandle.cpp',
    expects: '\t// Tell the UV handle that the UdpSocketHandle has been closed.\n',
    replaceWith: `\tif (auto* queue = UdpSendQueue::Get())
\t{
\t\tqueue->SocketClosing(this->uvHandle);
\t}

\t// Tell the UV handle that the UdpSocketHandle has been closed.
`,
    why: 'What is stored for a socket is sent before the socket goes away.',
  },
]

const fanOut: readonly Edit[] = [
  {
    file: 'include/RTC/Router.hpp',
    expects: '#include "RTC/DataProducer.hpp"\n',
    replaceWith: '#include "RTC/DataProducer.hpp"\n#include "FanOut.hpp"\n',
    why: 'The header of the forwarding, for the edits below.',
  },
  {
    file: 'include/RTC/Router.hpp',
    expects: '\t\t  mapProducerConsumers;\n',
    replaceWith: '\t\t  mapProducerConsumers;\n\t\tRTC::FanOut fanOut{ this->mapProducerConsumers };\n',
    why: 'Each router has a forwarding of its own, which looks up consumers in the map before it.',
  },
  {
    file: 'src/RTC/Router.cpp',
    expects: `\t\tif (!consumers.empty())
\t\t{
\t\t\t// Cloned ref-counted packet that will be filled for as long as needed
\t\t\t// avoiding multiple allocations unless absolutely necessary.
\t\t\t// Clone only happens if needed and only once.
\t\t\tRTC::RTP::SharedPacket sharedPacket;

\t\t\tfor (auto* consumer : consumers)
\t\t\t{
\t\t\t\t// Update MID RTP extension value.
\t\t\t\tconst auto& mid = consumer->GetRtpParameters().mid;

\t\t\t\tif (!mid.empty())
\t\t\t\t{
\t\t\t\t\tpacket->UpdateMid(mid);
\t\t\t\t}

\t\t\t\tconsumer->SendRtpPacket(packet, sharedPacket);

\t\t\t\t// Assert that, if this Consumer filled sharedPacket or it was already
\t\t\t\t// filled, both packet and sharedPacket are the very same RTP packet.
\t\t\t\tif (sharedPacket.HasPacket())
\t\t\t\t{
\t\t\t\t\tsharedPacket.AssertSamePacket(packet);
\t\t\t\t}
\t\t\t}
\t\t}
`,
    replaceWith: `\t\tif (!consumers.empty())
\t\t{
\t\t\tthis->fanOut.Take(producer, packet);
\t\t}
`,
    why: 'A packet is kept for the forwarding by viewer instead of being sent to each consumer at once. FanOut::Send() does what this loop did.',
  },
  {
    file: 'src/RTC/Router.cpp',
    expects: '\t\tauto mapProducerConsumersIt    = this->mapProducerConsumers.find(producer);\n',
    replaceWith: '\t\tthis->fanOut.Forget(producer);\n\n\t\tauto mapProducerConsumersIt    = this->mapProducerConsumers.find(producer);\n',
    why: 'What is kept of a producer must not outlive it.',
  },
  {
    file: 'include/DepLibUV.hpp',
    expects: '#include <uv.h>\n',
    replaceWith: '#include "FrozenClock.hpp"\n#include <uv.h>\n',
    why: 'The clock’s header, for the two edits below.',
  },
  {
    file: 'include/DepLibUV.hpp',
    expects: 'uv_hrtime() / 1000000)',
    replaceWith: 'FrozenClock::Now() / 1000000)',
    why: 'One reading of the clock serves the packets that go to one viewer together.',
  },
  {
    file: 'include/DepLibUV.hpp',
    expects: 'uv_hrtime() / 1000)',
    replaceWith: 'FrozenClock::Now() / 1000)',
    why: 'One reading of the clock serves the packets that go to one viewer together.',
  },
]

const aead: readonly Edit[] = [
  {
    file: 'include/RTC/SrtpSession.hpp',
    expects: '#include <srtp.h>\n',
    replaceWith: '#include "SrtpAeadSender.hpp"\n#include <memory>\n#include <srtp.h>\n',
    why: 'The header of the AEAD, for the edits below.',
  },
  {
    file: 'include/RTC/SrtpSession.hpp',
    expects: '\t\t\tsrtp_stream_remove(this->session, htonl(ssrc));\n',
    replaceWith: `\t\t\tsrtp_stream_remove(this->session, htonl(ssrc));

\t\t\tif (this->aeadSender)
\t\t\t{
\t\t\t\tthis->aeadSender->RemoveStream(ssrc);
\t\t\t}
`,
    why: 'An SSRC that is used anew starts with a roll-over counter of zero in both.',
  },
  {
    file: 'include/RTC/SrtpSession.hpp',
    expects: '\t\tsrtp_t session{ nullptr };\n',
    replaceWith: `\t\tsrtp_t session{ nullptr };
\t\t// Protects outgoing RTP in place of libsrtp where the suite is an AEAD.
\t\tstd::unique_ptr<SrtpAeadSender> aeadSender;
`,
    why: 'A session that sends has the AEAD beside libsrtp’s session, which keeps RTCP.',
  },
  {
    file: 'src/RTC/SrtpSession.cpp',
    expects: include,
    replaceWith: `${include}#include "UdpSendQueue.hpp"\n`,
    why: 'The send queue’s header, for the edit of EncryptRtp().',
  },
  {
    file: 'src/RTC/SrtpSession.cpp',
    expects: '\t\t// Required for sending RTP retransmission without RTX.\n',
    replaceWith: `\t\tif (
\t\t  type == Type::OUTBOUND &&
\t\t  (cryptoSuite == CryptoSuite::AEAD_AES_256_GCM || cryptoSuite == CryptoSuite::AEAD_AES_128_GCM))
\t\t{
\t\t\tthis->aeadSender = std::make_unique<SrtpAeadSender>(key, masterKeyLen, key + masterKeyLen);
\t\t}

\t\t// Required for sending RTP retransmission without RTX.
`,
    why: 'libsrtp’s AES-GCM, by NSS in Debian, takes 1.1 µs a packet; ours a fifth of it.',
  },
  {
    file: 'src/RTC/SrtpSession.cpp',
    expects: `\t\tuint8_t* encryptBuffer = EncryptBuffer;
\t\tsize_t encryptLen      = EncryptBufferSize;

\t\tconst srtp_err_status_t err = srtp_protect(
`,
    replaceWith: `\t\t// Right where the send queue will store it.
\t\tstatic_assert(EncryptBufferSize <= UdpSendQueue::MaxDatagramSize);
\t\tuint8_t* encryptBuffer = UdpSendQueue::Get() ? UdpSendQueue::Get()->Tail() : EncryptBuffer;
\t\tsize_t encryptLen      = EncryptBufferSize;

\t\tif (this->aeadSender)
\t\t{
\t\t\tif (!this->aeadSender->Protect(*data, *len, encryptBuffer, std::addressof(encryptLen)))
\t\t\t{
\t\t\t\tMS_WARN_TAG(srtp, "RTP packet not protected");

\t\t\t\treturn false;
\t\t\t}

\t\t\t*data = encryptBuffer;
\t\t\t*len  = encryptLen;

\t\t\treturn true;
\t\t}

\t\tconst srtp_err_status_t err = srtp_protect(
`,
    why: 'The packet is written once, encrypted, into the send queue.',
  },
]

const transportCc: readonly Edit[] = [
  {
    file: 'src/RTC/Transport.cpp',
    expects: `\t\t\t// When using WebRtcServer, the lifecycle of a RTC::UdpSocket maybe longer
\t\t\t// than WebRtcTransport so there is a chance for the send callback to be
\t\t\t// invoked *after* the WebRtcTransport has been closed (freed). To avoid
\t\t\t// invalid memory access we need to use weak_ptr. Same applies in other
\t\t\t// send callbacks.
\t\t\tconst std::weak_ptr<RTC::TransportCongestionControlClient> tccClientWeakPtr(this->tccClient);

\t\t\tauto* shared = this->shared;

\t\t\tconst auto* cb = new onSendCallback(
\t\t\t  [tccClientWeakPtr, shared, packetInfo](bool sent)
\t\t\t  {
\t\t\t\t  if (sent)
\t\t\t\t  {
\t\t\t\t\t  auto tccClient = tccClientWeakPtr.lock();

\t\t\t\t\t  if (tccClient)
\t\t\t\t\t  {
\t\t\t\t\t\t  tccClient->PacketSent(packetInfo, shared->GetTimeUs());
\t\t\t\t\t  }
\t\t\t\t  }
\t\t\t  });

\t\t\tSendRtpPacket(consumer, packet, cb);
`,
    replaceWith: `\t\t\tSendRtpPacket(consumer, packet);
\t\t\tthis->tccClient->PacketSent(packetInfo, this->shared->GetTimeUs());
`,
    why:
      'The send queue takes every packet at once, so the estimator is told at once, without a callback on the heap for each packet. ' +
      'Retransmissions and probes, which are rare, keep theirs.',
  },
]

const strangers: readonly Edit[] = [
  {
    file: 'src/RTC/PipeTransport.cpp',
    expects: '#include "Logger.hpp"\n',
    replaceWith: '#include "Logger.hpp"\n#include "Counters.hpp"\n',
    why: 'Header, for the edit below.',
  },
  {
    file: 'src/RTC/PipeTransport.cpp',
    expects: '\t\t// Increase receive transmission.\n\t\tRTC::Transport::DataReceived(len);\n',
    replaceWith: `\t\tif (this->tuple && !this->tuple->Compare(tuple))
\t\t{
\t\t\tCounters::Get().strangers++;

\t\t\treturn;
\t\t}

\t\t// Increase receive transmission.
\t\tRTC::Transport::DataReceived(len);
`,
    why:
      'What comes from another address than that of the other end costs a comparison, not a decryption, and is counted. Decrypted first, as mediasoup does, a copy of ' +
      'an authentic packet would also use up its number before the packet itself comes.',
  },
  {
    file: 'src/RTC/SrtpSession.cpp',
    expects: '\t\t\tMS_DEBUG_TAG(srtp, "srtp_unprotect() failed: %s", DepLibSRTP::GetErrorString(err).c_str());\n',
    replaceWith: `\t\t\tCounters::Get().forged += err == srtp_err_status_auth_fail;
\t\t\tMS_DEBUG_TAG(srtp, "srtp_unprotect() failed: %s", DepLibSRTP::GetErrorString(err).c_str());
`,
    why: 'RTP that does not bear the key of its sender, whoever pretends to be him, is counted. A packet that came twice is not.',
  },
  {
    file: 'src/RTC/SrtpSession.cpp',
    expects: '\t\t\tMS_DEBUG_TAG(srtp, "srtp_unprotect_rtcp() failed: %s", DepLibSRTP::GetErrorString(err).c_str());\n',
    replaceWith: `\t\t\tCounters::Get().forged += err == srtp_err_status_auth_fail;
\t\t\tMS_DEBUG_TAG(srtp, "srtp_unprotect_rtcp() failed: %s", DepLibSRTP::GetErrorString(err).c_str());
`,
    why: 'RTCP, too.',
  },
]

/**
 * The workers that can be built, and every change that each makes to a copy of mediasoup's source before it is compiled.
 * `fast` is what this project runs; `stock` is mediasoup as it is, for comparison and as a way out.
 */
export const editsOf = {
  fast: [...stock, ...sendQueue, ...fanOut, ...aead, ...transportCc, ...strangers],
  stock,
} as const satisfies Record<string, readonly Edit[]>
