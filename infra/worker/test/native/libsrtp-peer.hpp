#pragma once
#include "SrtpAeadSender.hpp"
#include "cases.hpp"
#include <cstring>
#include <optional>
#include <srtp2/srtp.h>
#include <vector>

using Bytes = std::vector<uint8_t>;

/** A libsrtp session with one AEAD suite: what SrtpSession makes, and what a browser's peer has. */
class LibsrtpPeer
{
public:
	/** `keyAndSalt`: 16 or 32 bytes of master key and 12 of master salt. */
	LibsrtpPeer(const Bytes& keyAndSalt, srtp_ssrc_type_t direction)
	{
		static const srtp_err_status_t initialized = srtp_init();
		srtp_policy_t policy{};
		Bytes key = keyAndSalt;

		EXPECT_EQUAL(initialized, srtp_err_status_ok);

		const auto profile = keyAndSalt.size() == 44 ? srtp_profile_aead_aes_256_gcm : srtp_profile_aead_aes_128_gcm;

		srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
		srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
		policy.ssrc.type       = direction;
		policy.key             = key.data();
		policy.window_size     = SrtpAeadSender::WindowSize;
		policy.allow_repeat_tx = 1;
		EXPECT_EQUAL(srtp_create(&this->session, &policy), srtp_err_status_ok);
	}
	LibsrtpPeer(const LibsrtpPeer&)            = delete;
	LibsrtpPeer& operator=(const LibsrtpPeer&) = delete;
	~LibsrtpPeer()
	{
		srtp_dealloc(this->session);
	}

public:
	std::optional<Bytes> Protect(const Bytes& packet)
	{
		return Run(srtp_protect, packet);
	}
	std::optional<Bytes> Unprotect(const Bytes& packet)
	{
		return Run(srtp_unprotect, packet);
	}
	std::optional<Bytes> ProtectRtcp(const Bytes& packet)
	{
		return Run(srtp_protect_rtcp, packet);
	}
	std::optional<Bytes> UnprotectRtcp(const Bytes& packet)
	{
		return Run(srtp_unprotect_rtcp, packet);
	}
	void RemoveStream(uint32_t ssrc)
	{
		srtp_remove_stream(this->session, __builtin_bswap32(ssrc));
	}

private:
	std::optional<Bytes> Run(srtp_err_status_t (*operation)(srtp_t, void*, int*), const Bytes& packet)
	{
		Bytes buffer = packet;
		int length   = static_cast<int>(packet.size());

		buffer.resize(packet.size() + SRTP_MAX_TRAILER_LEN);

		if (operation(this->session, buffer.data(), &length) != srtp_err_status_ok)
		{
			return std::nullopt;
		}

		buffer.resize(static_cast<size_t>(length));

		return buffer;
	}

private:
	srtp_t session{ nullptr };
};

inline std::optional<Bytes> protect(SrtpAeadSender& sender, const Bytes& packet)
{
	// Exactly as long as may be written, for the address sanitizer.
	Bytes out(packet.size() + AesGcm::TagLength);
	size_t length{ 0 };

	if (!sender.Protect(packet.data(), packet.size(), out.data(), &length))
	{
		return std::nullopt;
	}

	EXPECT_EQUAL(length, out.size());

	return out;
}
