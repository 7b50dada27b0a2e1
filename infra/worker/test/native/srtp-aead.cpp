#include "libsrtp-peer.hpp"
#include <random>

namespace
{
	Bytes fromHex(const std::string& text)
	{
		Bytes bytes;

		for (size_t i{ 0 }; i + 1 < text.size(); i += 2)
		{
			bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
		}

		return bytes;
	}

	Bytes randomBytes(std::mt19937& random, size_t length)
	{
		Bytes bytes(length);

		for (auto& byte : bytes)
		{
			byte = static_cast<uint8_t>(random());
		}

		return bytes;
	}

	struct Shape
	{
		uint8_t csrcs{ 0 };
		std::optional<uint8_t> extensionWords;
		size_t payload{ 100 };
	};

	Bytes rtp(uint32_t ssrc, uint16_t sequence, const Shape& shape = {})
	{
		Bytes packet{ static_cast<uint8_t>(0x80 | (shape.extensionWords ? 0x10 : 0) | shape.csrcs),
			            96,
			            static_cast<uint8_t>(sequence >> 8),
			            static_cast<uint8_t>(sequence),
			            1,
			            2,
			            3,
			            4,
			            static_cast<uint8_t>(ssrc >> 24),
			            static_cast<uint8_t>(ssrc >> 16),
			            static_cast<uint8_t>(ssrc >> 8),
			            static_cast<uint8_t>(ssrc) };

		packet.resize(packet.size() + 4 * shape.csrcs, 0xcc);

		if (shape.extensionWords)
		{
			packet.insert(packet.end(), { 0xbe, 0xde, 0, *shape.extensionWords });
			packet.resize(packet.size() + 4 * *shape.extensionWords, 0xee);
		}

		packet.resize(packet.size() + shape.payload, static_cast<uint8_t>(sequence));

		return packet;
	}

	std::vector<AesGcm::Provider> providers()
	{
		std::vector<AesGcm::Provider> all{ AesGcm::Provider::OPENSSL };

		if (AesGcm::Has(AesGcm::Provider::IPSEC_MB))
		{
			all.push_back(AesGcm::Provider::IPSEC_MB);
		}

		return all;
	}

	/** RFC 7714 §16.1.1 and §16.2.1: "Gallia est omnis divisa in partes tres" with keys of 16 and of 32 bytes. */
	void vectors()
	{
		const Bytes header    = fromHex("8040f17b8041f8d35501a0b2");
		const Bytes plain     = fromHex("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
		const Bytes nonce     = fromHex("51753c6580c2726f20718414");
		const Bytes longKey   = fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
		const Bytes expects[] = {
			fromHex("f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"),
			fromHex("32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"),
		};

		for (const auto provider : providers())
		{
			for (const size_t keyLength : { 16, 32 })
			{
				const auto gcm = AesGcm::Create(provider, longKey.data(), keyLength);
				Bytes out(plain.size() + AesGcm::TagLength);

				EXPECT(gcm->Seal(nonce.data(), header.data(), header.size(), plain.data(), plain.size(), out.data()));
				EXPECT(out == expects[keyLength == 16 ? 0 : 1]);
			}
		}
	}

	/** libsrtp gives the same bytes, and refuses the same packets, for any walk of the sequence numbers. */
	void sameAsLibsrtp()
	{
		for (const auto provider : providers())
		{
			for (const size_t keyLength : { 16, 32 })
			{
				std::mt19937 random(7);
				const Bytes key = randomBytes(random, keyLength + SrtpAeadSender::SaltLength);
				SrtpAeadSender ours(key.data(), keyLength, key.data() + keyLength, provider);
				LibsrtpPeer theirs(key, ssrc_any_outbound);
				LibsrtpPeer receiver(key, ssrc_any_inbound);
				uint16_t sequences[3]{ 0, 40000, 65000 };
				size_t refused{ 0 };
				size_t received{ 0 };

				for (size_t i{ 0 }; i < 30000; ++i)
				{
					const uint32_t stream = random() % 3;
					const uint32_t chance = random() % 100;
					uint16_t& sequence    = sequences[stream];

					// Mostly the next; also jumps, steps back within the window and far behind it, and the same again.
					sequence += chance < 80 ? 1 : chance < 90 ? random() % 20000 : chance < 97 ? -(random() % 600) : chance < 99 ? -2000 : 0;

					Shape shape{ .csrcs = static_cast<uint8_t>(random() % 3), .extensionWords = {}, .payload = random() % 1300 };

					if (random() % 2)
					{
						shape.extensionWords = random() % 5;
					}

					const Bytes packet = rtp(0xfffffff0 + stream, sequence, shape);
					const auto mine    = protect(ours, packet);

					EXPECT(mine == theirs.Protect(packet));
					refused += mine ? 0 : 1;

					const auto plain = mine ? receiver.Unprotect(*mine) : std::nullopt;

					EXPECT(!plain || *plain == packet);
					received += plain ? 1 : 0;

					if (i % 5000 == 4999)
					{
						ours.RemoveStream(0xfffffff0);
						theirs.RemoveStream(0xfffffff0);
						receiver.RemoveStream(0xfffffff0);
					}
				}

				EXPECT(refused > 100);
				EXPECT(received > 20000);
			}
		}
	}

	/** The sequence number passes 65535 often, and the roll-over counter with it. */
	void rollOver()
	{
		for (const auto provider : providers())
		{
			std::mt19937 random(3);
			const Bytes key = randomBytes(random, 28);
			SrtpAeadSender sender(key.data(), 16, key.data() + 16, provider);
			LibsrtpPeer receiver(key, ssrc_any_inbound);

			for (uint32_t index{ 65530 }; index < 20 * 65536; index += index % 65536 > 65500 || index % 65536 < 20 ? 1 : 9000)
			{
				const Bytes packet = rtp(5, static_cast<uint16_t>(index));
				const auto sent    = protect(sender, packet);

				EXPECT(sent && receiver.Unprotect(*sent) == packet);
			}

			// Out of order around the roll-over: the late one belongs to the round before.
			for (const uint16_t sequence : { 65533, 65534, 2, 65535, 0, 1, 3 })
			{
				const Bytes packet = rtp(6, sequence);
				const auto sent    = protect(sender, packet);

				EXPECT(sent && receiver.Unprotect(*sent) == packet);
			}
		}
	}

	/** A receiver takes a packet once, whoever protected it; what is older than the window is not even sent. */
	void replay()
	{
		std::mt19937 random(4);
		const Bytes key = randomBytes(random, 28);
		SrtpAeadSender sender(key.data(), 16, key.data() + 16);
		LibsrtpPeer receiver(key, ssrc_any_inbound);
		const Bytes packet = rtp(5, 2000);
		const auto first   = protect(sender, packet);
		const auto second  = protect(sender, packet);

		EXPECT(first && second && *first == *second);
		EXPECT(receiver.Unprotect(*first) == packet);
		EXPECT(!receiver.Unprotect(*second));
		EXPECT(protect(sender, rtp(5, 2000 - SrtpAeadSender::WindowSize + 1)).has_value());
		EXPECT(!protect(sender, rtp(5, 2000 - SrtpAeadSender::WindowSize)));
	}

	/** Both AEADs by turns for one stream, RTCP by libsrtp beside them, one receiver with one key. */
	void mixed()
	{
		std::mt19937 random(5);

		for (const size_t keyLength : { 16, 32 })
		{
			const Bytes key = randomBytes(random, keyLength + SrtpAeadSender::SaltLength);
			std::vector<std::unique_ptr<SrtpAeadSender>> senders;
			LibsrtpPeer libsrtp(key, ssrc_any_outbound);
			LibsrtpPeer receiver(key, ssrc_any_inbound);

			for (const auto provider : providers())
			{
				senders.push_back(std::make_unique<SrtpAeadSender>(key.data(), keyLength, key.data() + keyLength, provider));
			}

			const Bytes report = fromHex("80c8000600000005000000000000000000000000000000000000000000");

			for (uint32_t index{ 60000 }; index < 80000; ++index)
			{
				const Bytes packet = rtp(5, static_cast<uint16_t>(index));
				// The third is libsrtp itself.
				const size_t turn = index % (senders.size() + 1);
				const auto sent   = turn < senders.size() ? protect(*senders[turn], packet) : libsrtp.Protect(packet);

				EXPECT(sent && receiver.Unprotect(*sent) == packet);

				if (index % 100 == 0)
				{
					const auto control = libsrtp.ProtectRtcp(report);

					EXPECT(control && receiver.UnprotectRtcp(*control) == report);
				}
			}
		}
	}

	/** What is no RTP packet is refused, whatever its header claims. */
	void malformed()
	{
		std::mt19937 random(6);
		const Bytes key = randomBytes(random, 28);
		SrtpAeadSender sender(key.data(), 16, key.data() + 16);
		const Bytes whole = rtp(5, 1, { .csrcs = 2, .extensionWords = 3, .payload = 0 });

		for (size_t length{ 0 }; length < whole.size(); ++length)
		{
			EXPECT(!protect(sender, Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))));
		}

		EXPECT(protect(sender, whole).has_value());

		Bytes otherVersion = whole;

		otherVersion[0] &= 0x3f;
		EXPECT(!protect(sender, otherVersion));
	}

	void providersHere()
	{
		for (const auto provider : providers())
		{
			std::printf("%s%s\n", provider == AesGcm::Provider::OPENSSL ? "openssl" : "ipsec-mb", provider == AesGcm::Best() ? " (best)" : "");
		}
	}
} // namespace

Cases srtpAeadCases()
{
	return {
		{ "rfc7714-vectors", vectors },
		{ "same-as-libsrtp", sameAsLibsrtp },
		{ "roll-over", rollOver },
		{ "replay", replay },
		{ "mixed", mixed },
		{ "malformed", malformed },
		{ "providers", providersHere },
	};
}
