#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

/** AES-GCM encryption with one key, 12 bytes of nonce and 16 of tag, by the library that is the fastest on this processor. */
class AesGcm
{
public:
	static constexpr size_t NonceLength{ 12 };
	static constexpr size_t TagLength{ 16 };

	enum class Provider : uint8_t
	{
		OPENSSL = 1,
		/** Intel's Multi-Buffer Crypto for IPsec; only on x86-64. */
		IPSEC_MB = 2
	};

public:
	/** Whether this program and this processor can use it. */
	static bool Has(Provider provider);
	/** The faster of those that can be used here. */
	static Provider Best();
	/** `keyLength` is 16 or 32. Throws std::runtime_error where `provider` can not be used. */
	static std::unique_ptr<AesGcm> Create(Provider provider, const uint8_t* key, size_t keyLength);

public:
	AesGcm()                         = default;
	AesGcm(const AesGcm&)            = delete;
	AesGcm& operator=(const AesGcm&) = delete;
	virtual ~AesGcm()                = default;

public:
	/** Encrypts `length` bytes from `in` to `out`, which may not overlap, and puts the tag behind them. False when the library refuses. */
	virtual bool Seal(
	  const uint8_t* nonce, const uint8_t* associated, size_t associatedLength, const uint8_t* in, size_t length, uint8_t* out) = 0;
};
