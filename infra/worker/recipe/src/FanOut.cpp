#define MS_CLASS "RTC::FanOut"

#include "FanOut.hpp"
#include "FrozenClock.hpp"
#include "Logger.hpp"
#include <algorithm>

namespace RTC
{
	FanOut::FanOut(const Consumers& consumers) : consumers(consumers)
	{
		MS_TRACE();

		UdpSendQueue::Get()->Add(this);
	}

	FanOut::~FanOut()
	{
		MS_TRACE();

		UdpSendQueue::Get()->Remove(this);
	}

	void FanOut::Take(RTC::Producer* producer, RTC::RTP::Packet* packet)
	{
		MS_TRACE();

		auto it = std::ranges::find(this->pending, producer, &Pending::producer);

		if (it == this->pending.end())
		{
			it = this->pending.insert(it, Pending{ .producer = producer, .packets = {} });
		}

		it->packets.emplace_back(packet);

		// Sound has no frames of several packets.
		if (packet->HasMarker() || producer->GetKind() != RTC::Media::Kind::VIDEO)
		{
			it->complete = it->packets.size();
		}
	}

	void FanOut::Forget(const RTC::Producer* producer)
	{
		MS_TRACE();

		std::erase_if(this->pending, [producer](const Pending& entry) { return entry.producer == producer; });
	}

	uint64_t FanOut::OnWakeUpEnd(uint64_t now)
	{
		uint64_t next{ Never };

		for (auto& entry : this->pending)
		{
			if (now >= entry.dueAt)
			{
				Counters::Get().holdsExpired++;
				entry.complete = entry.packets.size();
			}

			if (entry.complete > 0)
			{
				Send(entry, entry.complete);
				entry.packets.erase(entry.packets.begin(), entry.packets.begin() + static_cast<ptrdiff_t>(entry.complete));
				entry.complete = 0;
				entry.dueAt    = Never;
			}

			if (!entry.packets.empty())
			{
				if (entry.dueAt == Never)
				{
					Counters::Get().holds++;
					entry.dueAt = now + MaxHoldMs;
				}

				next = std::min(next, entry.dueAt);
			}
		}

		return next;
	}

	/** Gives each consumer the first `count` packets, in rounds of one batch, so that no viewer gets a long frame in one go. */
	void FanOut::Send(Pending& entry, size_t count)
	{
		const auto it = this->consumers.find(entry.producer);

		if (it == this->consumers.end())
		{
			return;
		}

		for (size_t start{ 0 }; start < count; start += UdpSendQueue::MaxSegments)
		{
			const size_t end = std::min<size_t>(count, start + UdpSendQueue::MaxSegments);

			for (auto* consumer : it->second)
			{
				const FrozenClock clock;
				const auto& mid = consumer->GetRtpParameters().mid;

				for (size_t i{ start }; i < end; ++i)
				{
					auto* packet = entry.packets[i].GetPacket();

					// As Router does it.
					if (!mid.empty())
					{
						packet->UpdateMid(mid);
					}

					consumer->SendRtpPacket(packet, entry.packets[i]);
				}
			}
		}
	}
} // namespace RTC
