// Differential: whatever packets come in whatever order, SrtpAeadSender gives what libsrtp gives and refuses what libsrtp refuses.
#include "libsrtp-peer.hpp"
#include <algorithm>

namespace
{
	/** Made once for each suite and library: libsrtp takes milliseconds to make a session. */
	struct Pair
	{
		explicit Pair(size_t keyLength, AesGcm::Provider provider)
		  : key(keyLength + SrtpAeadSender::SaltLength, static_cast<uint8_t>(keyLength)),
		    ours(key.data(), keyLength, key.data() + keyLength, provider),
		    theirs(key, ssrc_any_outbound)
		{
		}

		Bytes key;
		SrtpAeadSender ours;
		LibsrtpPeer theirs;
	};

	Pair& pairFor(uint8_t choice)
	{
		static constexpr auto Other = AesGcm::Provider::IPSEC_MB;
		static const auto other = AesGcm::Has(Other) ? Other : AesGcm::Provider::OPENSSL;
		static Pair pairs[]{ Pair(16, AesGcm::Provider::OPENSSL), Pair(32, AesGcm::Provider::OPENSSL), Pair(16, other), Pair(32, other) };

		return pairs[choice & 3];
	}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	if (size < 1)
	{
		return 0;
	}

	auto& [key, ours, theirs] = pairFor(data[0]);

	for (const uint32_t ssrc : { 0, 1 })
	{
		ours.RemoveStream(ssrc);
		theirs.RemoveStream(ssrc);
	}

	// Records: a length, then that many bytes, which are taken for a packet.
	for (size_t position{ 1 }; position < size;)
	{
		const size_t length = std::min<size_t>(data[position], size - position - 1);
		Bytes packet(data + position + 1, data + position + 1 + length);

		position += 1 + length;

		if (packet.size() >= 12)
		{
			// Two SSRCs, so that streams have a history.
			std::fill(packet.begin() + 8, packet.begin() + 11, 0);
			packet[11] &= 1;
		}

		if (packet.size() == 13)
		{
			ours.RemoveStream(packet[11]);
			theirs.RemoveStream(packet[11]);
			continue;
		}

		const auto mine = protect(ours, packet);

		// libsrtp does not look at the version.
		if (mine)
		{
			EXPECT(mine == theirs.Protect(packet));
		}
		else if (packet.size() >= 12 && packet[0] >> 6 == 2)
		{
			EXPECT(!theirs.Protect(packet));
		}
	}

	return 0;
}
