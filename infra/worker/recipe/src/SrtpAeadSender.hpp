#pragma once
#include "AesGcm.hpp"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

/**
 * The sending side of SRTP with AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714): RTP only, one session key, any number of SSRCs.
 *
 * It takes the place of libsrtp's srtp_protect(), whose AES-GCM costs several times as much, and gives the very same bytes. SRTCP, received
 * packets and the AES-CM suites stay with libsrtp: they are rare or not the hot path, and SRTCP has keys and indices of its own (RFC 3711
 * §3.2), so that the two do not touch.
 */
class SrtpAeadSender
{
public:
	static constexpr size_t SaltLength{ 12 };
	/** How far a packet may be behind the newest of its SSRC: what SrtpSession asks of libsrtp. */
	static constexpr int64_t WindowSize{ 1024 };

public:
	/** From the master key (16 or 32 bytes) and the master salt that DTLS negotiated. */
	SrtpAeadSender(
	  const uint8_t* masterKey, size_t keyLength, const uint8_t* masterSalt, AesGcm::Provider provider = AesGcm::Best());

public:
	/**
	 * Writes the SRTP packet for an RTP packet to `out`, which must not overlap and have room for 16 bytes more; `outLength` gets its length.
	 * False for what is no RTP packet, is older than the window, or comes after the last index of the key (2^48, RFC 3711 §9.2).
	 *
	 * A packet may be sent again, as libsrtp is told to allow (`allow_repeat_tx`): a retransmission without RTX has the same index, hence the
	 * same nonce, and must have the same payload.
	 */
	bool Protect(const uint8_t* in, size_t length, uint8_t* out, size_t* outLength);
	/** The next packet of this SSRC (host byte order) starts with a roll-over counter of zero. */
	void RemoveStream(uint32_t ssrc);

private:
	std::unique_ptr<AesGcm> gcm;
	uint8_t salt[SaltLength]{};
	// The highest packet index sent, by SSRC: 32 bits of roll-over counter and the sequence number.
	std::unordered_map<uint32_t, uint64_t> highestIndex;
};
