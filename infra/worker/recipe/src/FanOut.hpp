#pragma once
#include "RTC/Consumer.hpp"
#include "RTC/Producer.hpp"
#include "RTC/RTP/Packet.hpp"
#include "RTC/RTP/SharedPacket.hpp"
#include "UdpSendQueue.hpp"
#include <ankerl/unordered_dense.h>
#include <vector>

namespace RTC
{
	/**
	 * The forwarding of a router: viewers outside, packets inside.
	 *
	 * mediasoup gives each packet to all consumers as it arrives, so that two datagrams for one viewer are never neighbours. This keeps what
	 * arrives and then gives each consumer all of it, which is what lets UdpSendQueue make one batch of it. Sound goes out at the end of the
	 * wake-up that brought it. Pictures wait for the end of their frame (the marker bit), because the worker wakes up at a frame's first
	 * packet; but never longer than `MaxHoldMs`.
	 *
	 * Consumers are looked up when packets go out, never kept: any may have gone meanwhile.
	 */
	class FanOut : public UdpSendQueue::Source
	{
	public:
		using Consumers = ankerl::unordered_dense::map<RTC::Producer*, ankerl::unordered_dense::set<RTC::Consumer*>>;

		/** A frame that is not complete by then goes out in parts. */
		static constexpr uint64_t MaxHoldMs{ 3 };

	public:
		/** `consumers` is the router's map. It must outlive this object. */
		explicit FanOut(const Consumers& consumers);
		FanOut(const FanOut&)            = delete;
		FanOut& operator=(const FanOut&) = delete;
		~FanOut() override;

	public:
		/** Takes a copy of a packet that came in, to be sent to the consumers of `producer`. */
		void Take(RTC::Producer* producer, RTC::RTP::Packet* packet);
		/** To be called before `producer` goes away: what was not sent by now is not sent. */
		void Forget(const RTC::Producer* producer);

		/* Methods inherited from UdpSendQueue::Source. */
	public:
		uint64_t OnWakeUpEnd(uint64_t now) override;

	private:
		struct Pending
		{
			RTC::Producer* producer;
			std::vector<RTC::RTP::SharedPacket> packets;
			// How many of them need not wait: those up to the last end of a frame.
			size_t complete{ 0 };
			// When the others have waited long enough.
			uint64_t dueAt{ Never };
		};

	private:
		void Send(Pending& entry, size_t count);

	private:
		// Passed by argument.
		const Consumers& consumers;
		// Others.
		std::vector<Pending> pending;
	};
} // namespace RTC
