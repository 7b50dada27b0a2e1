#include "SrtpAeadSender.hpp"
#include <algorithm>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdexcept>

namespace
{
	constexpr size_t FixedHeaderLength{ 12 };
	constexpr uint64_t IndexLimit{ uint64_t{ 1 } << 48 };

	/** The labels of RFC 3711 §4.3.2. */
	enum class Label : uint8_t
	{
		ENCRYPTION = 0,
		SALT       = 2
	};

	uint16_t read16(const uint8_t* data)
	{
		return static_cast<uint16_t>(data[0] << 8 | data[1]);
	}

	uint32_t read32(const uint8_t* data)
	{
		return uint32_t{ read16(data) } << 16 | read16(data + 2);
	}

	/**
	 * The key derivation of RFC 3711 §4.3.1 at a rate of zero: AES in counter mode under the master key, which RFC 7714 §11 keeps for GCM; the
	 * salt of 12 bytes stands where one of 14 would.
	 */
	void derive(const uint8_t* masterKey, size_t keyLength, const uint8_t* masterSalt, Label label, uint8_t* out, size_t length)
	{
		const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
		uint8_t counter[16]{};
		const uint8_t zeros[32]{};
		int written{ 0 };

		std::memcpy(counter, masterSalt, SrtpAeadSender::SaltLength);
		counter[7] ^= static_cast<uint8_t>(label);

		const EVP_CIPHER* cipher = keyLength == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();

		if (
		  !context || EVP_EncryptInit_ex(context.get(), cipher, nullptr, masterKey, counter) != 1 ||
		  EVP_EncryptUpdate(context.get(), out, &written, zeros, static_cast<int>(length)) != 1)
		{
			throw std::runtime_error("OpenSSL refuses to derive an SRTP key");
		}
	}

	/** The length of the RTP header with CSRCs and extension, which is sent in the clear; 0 for what is no RTP packet. */
	size_t headerLength(const uint8_t* data, size_t length)
	{
		if (length < FixedHeaderLength || data[0] >> 6 != 2)
		{
			return 0;
		}

		size_t header = FixedHeaderLength + 4 * size_t{ data[0] & 0x0fu };

		if (data[0] & 0x10)
		{
			if (header + 4 > length)
			{
				return 0;
			}

			header += 4 + 4 * size_t{ read16(data + header + 2) };
		}

		return header <= length ? header : 0;
	}

	/** The index of RFC 3711 §3.3.1. Near the start it is the sequence number: there is no roll-over counter below zero. */
	uint64_t estimateIndex(uint64_t highest, uint16_t sequence)
	{
		constexpr int32_t Half{ 1 << 15 };

		if (highest <= Half)
		{
			return sequence;
		}

		uint64_t rollOver  = highest >> 16;
		const auto latest = static_cast<int32_t>(highest & 0xffff);

		if (latest < Half && sequence - latest > Half)
		{
			rollOver--;
		}
		else if (latest >= Half && latest - Half > sequence)
		{
			rollOver++;
		}

		return rollOver << 16 | sequence;
	}
} // namespace

SrtpAeadSender::SrtpAeadSender(
  const uint8_t* masterKey, size_t keyLength, const uint8_t* masterSalt, AesGcm::Provider provider)
{
	uint8_t key[32];

	derive(masterKey, keyLength, masterSalt, Label::ENCRYPTION, key, keyLength);
	derive(masterKey, keyLength, masterSalt, Label::SALT, this->salt, SaltLength);
	this->gcm = AesGcm::Create(provider, key, keyLength);
	OPENSSL_cleanse(key, sizeof(key));
}

bool SrtpAeadSender::Protect(const uint8_t* in, size_t length, uint8_t* out, size_t* outLength)
{
	const size_t header = headerLength(in, length);

	if (header == 0)
	{
		return false;
	}

	const uint16_t sequence = read16(in + 2);
	uint64_t& highest       = this->highestIndex[read32(in + 8)];
	const uint64_t index    = estimateIndex(highest, sequence);

	if (index >= IndexLimit || static_cast<int64_t>(index) - static_cast<int64_t>(highest) <= -WindowSize)
	{
		return false;
	}

	highest = std::max(highest, index);

	// RFC 7714 §8.1: two zero bytes, SSRC, roll-over counter, sequence number; over it the salt.
	uint8_t nonce[AesGcm::NonceLength]{};

	std::memcpy(nonce + 2, in + 8, 4);

	for (size_t i{ 0 }; i < 6; ++i)
	{
		nonce[6 + i] = static_cast<uint8_t>(index >> (8 * (5 - i)));
	}
	for (size_t i{ 0 }; i < sizeof(nonce); ++i)
	{
		nonce[i] ^= this->salt[i];
	}

	std::memcpy(out, in, header);

	if (!this->gcm->Seal(nonce, in, header, in + header, length - header, out + header))
	{
		return false;
	}

	*outLength = length + AesGcm::TagLength;

	return true;
}

void SrtpAeadSender::RemoveStream(uint32_t ssrc)
{
	this->highestIndex.erase(ssrc);
}
