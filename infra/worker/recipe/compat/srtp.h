#pragma once
// The worker is written for libsrtp 3 (`#include <srtp.h>`); Debian has libsrtp 2. This header gives the former's interface over the
// latter: an opaque policy that is filled by functions, and protect/unprotect that read from one buffer and write to another.
// libsrtp 2 works in place, so the bytes are moved first where the buffers differ.
#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <cstddef>
#include <cstdint>
#include <cstring>

// Two codes of version 3 that version 2 never returns: the worker only names them, so any value that is free will do.
#define srtp_err_status_buffer_small static_cast<srtp_err_status_t>(28)
#define srtp_err_status_cryptex_err static_cast<srtp_err_status_t>(29)

struct Srtp3Policy
{
	srtp2_policy_t policy{};
	// Key and salt one after the other, as version 2 wants them: 32 + 14 bytes at most.
	uint8_t keyAndSalt[SRTP_MAX_KEY_LEN]{};
};

using srtp_policy_t = Srtp3Policy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new Srtp3Policy();

	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const srtp_err_status_t status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	return status == srtp_err_status_ok ? srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile) : status;
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t /*mkiLen*/)
{
	if (keyLen + saltLen > sizeof(policy->keyAndSalt))
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->keyAndSalt, key, keyLen);
	std::memcpy(policy->keyAndSalt + keyLen, salt, saltLen);
	policy->policy.key = policy->keyAndSalt;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t size)
{
	policy->policy.window_size = size;

	return srtp_err_status_ok;
}

// The context keeps its own copy of the keys, so the policy may go away afterwards.
inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, &policy->policy);
}

template<auto InPlace>
srtp_err_status_t srtp3InPlace(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	if (in != out)
	{
		std::memmove(out, in, inLen);
	}

	int len{ static_cast<int>(inLen) };
	const srtp_err_status_t status = InPlace(session, out, &len);

	*outLen = static_cast<size_t>(len);

	return status;
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mki*/)
{
	return srtp3InPlace<static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(::srtp_protect)>(session, in, inLen, out, outLen);
}

inline srtp_err_status_t srtp_unprotect(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp3InPlace<static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(::srtp_unprotect)>(session, in, inLen, out, outLen);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mki*/)
{
	return srtp3InPlace<static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(::srtp_protect_rtcp)>(
	  session, in, inLen, out, outLen);
}

inline srtp_err_status_t srtp_unprotect_rtcp(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp3InPlace<static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(::srtp_unprotect_rtcp)>(
	  session, in, inLen, out, outLen);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}
