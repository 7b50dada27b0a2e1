#include "loopback.hpp"
#include <algorithm>
#include <cerrno>
#include <netinet/udp.h>
#include <random>
#include <vector>

namespace
{
	/** What the system call is made to answer, one entry a call; after the last it works. A positive entry sends so many messages at most. */
	std::vector<int> answers;
	/** Refuses every message that asks for segmentation. */
	int refuseSegmentsWith{ 0 };
	size_t segmentRequests{ 0 };

	int scriptedSend(int fd, mmsghdr* messages, unsigned int count, int flags)
	{
		unsigned int limit{ count };

		if (!answers.empty())
		{
			const int answer = answers.front();

			answers.erase(answers.begin());

			if (answer < 0)
			{
				errno = -answer;

				return -1;
			}

			limit = std::min<unsigned int>(limit, answer);
		}

		for (unsigned int i{ 0 }; i < limit; ++i)
		{
			if (messages[i].msg_hdr.msg_controllen > 0)
			{
				segmentRequests++;

				if (refuseSegmentsWith != 0)
				{
					errno = refuseSegmentsWith;

					return i > 0 ? ::sendmmsg(fd, messages, i, flags) : -1;
				}
			}
		}

		return ::sendmmsg(fd, messages, limit, flags);
	}

	/** A datagram that says which it is, filled up to its length. */
	std::string datagram(size_t number, size_t length)
	{
		std::string text = std::to_string(number) + ' ';

		text.resize(std::max(text.size(), length), static_cast<char>('a' + number % 26));

		return text;
	}

	std::vector<std::string> frame(size_t packets, size_t full = 1000, size_t last = 300)
	{
		std::vector<std::string> all;

		for (size_t i{ 0 }; i < packets; ++i)
		{
			all.push_back(datagram(i, i + 1 < packets ? full : last));
		}

		return all;
	}

	struct World
	{
		Loop loop;
		Counters counters;
		UdpSendQueue queue;
		Sender sender;
		Receiver receiver;

		explicit World(UdpSendQueue::Options options = {}, int family = AF_INET)
		  : queue(this->loop, this->counters, options), sender(this->loop, family), receiver(family)
		{
		}
		~World()
		{
			this->sender.Close(&this->queue);
		}

		void Send(const std::vector<std::string>& datagrams)
		{
			for (const auto& one : datagrams)
			{
				Send(one, this->sender, this->receiver);
			}
		}
		void Send(const std::string& one, const Sender& from, const Receiver& to)
		{
			this->queue.Enqueue(from.handle, reinterpret_cast<const uint8_t*>(one.data()), one.size(), to.Address());
		}
	};

	UdpSendQueue::Options scripted(std::vector<int> script = {})
	{
		answers = std::move(script);

		UdpSendQueue::Options options;

		options.sendmmsg = scriptedSend;

		return options;
	}

	void segments(int family)
	{
		World world({}, family);
		const auto datagrams = frame(6);

		world.Send(datagrams);
		EXPECT(world.receiver.Next().empty());
		world.loop.Turn();
		world.receiver.ExpectAll(datagrams);
		EXPECT_EQUAL(world.counters.datagrams, 6);
		EXPECT_EQUAL(world.counters.bytes, 5300);
		EXPECT_EQUAL(world.counters.batches, 1);
		EXPECT_EQUAL(world.counters.batchesBySegments[3], 1);
		EXPECT_EQUAL(world.counters.calls, 1);
		EXPECT_EQUAL(world.counters.fallbacks, 0);
	}

	void bounds()
	{
		World world;
		std::vector<std::string> all;
		const auto expectBatches = [&](uint64_t batches, const std::vector<size_t>& lengths)
		{
			const uint64_t before = world.counters.batches;
			std::vector<std::string> some;

			for (const size_t length : lengths)
			{
				some.push_back(datagram(some.size(), length));
			}

			world.Send(some);
			world.queue.Flush();
			EXPECT_EQUAL(world.counters.batches - before, batches);
			world.receiver.ExpectAll(some);
		};

		// A longer one begins a batch; a shorter one ends it.
		expectBatches(2, { 500, 600 });
		expectBatches(2, { 500, 400, 400 });
		// 40 of one length: 16, 16, 8.
		expectBatches(3, std::vector<size_t>(40, 700));
		// What an Ethernet frame holds is cut; what is longer goes alone, in IP fragments.
		expectBatches(1, { 1472, 1472 });
		expectBatches(2, { 1473, 1473 });
		expectBatches(2, { 20000, 20000 });
		EXPECT_EQUAL(world.counters.fallbacks + world.counters.failed, 0);
	}

	/** Two sockets, three destinations, lengths and order by chance. */
	void order()
	{
		World world;
		const Sender other(world.loop);
		const Sender six(world.loop, AF_INET6);
		Receiver second;
		Receiver third(AF_INET6);
		std::mt19937 random(1);
		std::vector<std::string> sent[3];

		for (size_t number{ 0 }; number < 4000; ++number)
		{
			const size_t to = random() % 3;
			const std::string one = datagram(number, random() % 4 == 0 ? 20 + random() % 1400 : 1000);

			// One destination is always served by the same socket: between two sockets there is no order.
			world.Send(one, to == 2 ? six : to == 1 ? other : world.sender, to == 0 ? world.receiver : to == 1 ? second : third);
			sent[to].push_back(one);

			if (number % 400 == 399)
			{
				world.loop.Turn();
				world.receiver.ExpectAll(sent[0]);
				second.ExpectAll(sent[1]);
				third.ExpectAll(sent[2]);
				std::ranges::for_each(sent, [](auto& list) { list.clear(); });
			}
		}

		EXPECT_EQUAL(world.counters.datagrams, 4000);
		EXPECT_EQUAL(world.counters.failed + world.counters.dropped, 0);
	}

	/** More than the ring and the batches hold, in one turn of the loop. */
	void full()
	{
		World world;

		for (const size_t length : { 1200, 40 })
		{
			const std::vector<std::string> datagrams = frame(600, length, length);
			// A destination in between makes each a batch of its own.
			Receiver other;

			for (const auto& one : datagrams)
			{
				world.Send(one, world.sender, world.receiver);
				world.Send(one, world.sender, other);
			}

			world.loop.Turn();
			world.receiver.ExpectAll(datagrams);
			other.ExpectAll(datagrams);
		}

		EXPECT_EQUAL(world.counters.batches, 2400);
	}

	void written()
	{
		World world;
		const std::string one = datagram(1, 500);
		uint8_t* tail = world.queue.Tail();

		std::memcpy(tail, one.data(), one.size());
		world.queue.Enqueue(world.sender.handle, tail, one.size(), world.receiver.Address());
		world.loop.Turn();
		world.receiver.ExpectAll(std::vector{ one });
	}

	/** The socket blocks in the middle of a flush, and what comes later must not overtake what waits. */
	void again()
	{
		World world(scripted({ 1, -EAGAIN }));
		Receiver other;
		std::vector<std::string> datagrams = frame(40);

		world.Send(datagrams);
		world.Send("other", world.sender, other);
		world.queue.Flush();
		EXPECT_EQUAL(world.counters.again, 1);
		EXPECT_EQUAL(world.counters.backlogged, 40 - UdpSendQueue::MaxSegments + 1);

		// libuv's queue is not empty before the loop has run.
		const std::string late = datagram(99, 800);

		world.Send({ late });
		world.queue.Flush();
		EXPECT_EQUAL(world.counters.backlogged, 40 - UdpSendQueue::MaxSegments + 2);
		datagrams.push_back(late);

		while (uv_udp_get_send_queue_count(world.sender.handle) > 0)
		{
			world.loop.Turn();
		}

		world.receiver.ExpectAll(datagrams);
		other.ExpectAll(std::vector<std::string>{ "other" });

		// And then straight to the kernel again.
		world.Send({ "after" });
		world.loop.Turn();
		world.receiver.ExpectAll(std::vector<std::string>{ "after" });
		EXPECT_EQUAL(world.counters.backlogged, 40 - UdpSendQueue::MaxSegments + 2);
	}

	/** The same while a batch goes out in single datagrams. */
	void againSingly()
	{
		auto options = scripted({ 2, -EINTR, 1, -ENOBUFS });

		options.segmentation = false;

		World world(options);
		const auto datagrams = frame(10);

		world.Send(datagrams);
		world.queue.Flush();
		EXPECT_EQUAL(world.counters.again, 1);
		EXPECT_EQUAL(world.counters.backlogged, 7);
		EXPECT_EQUAL(world.counters.fallbacks, 1);

		while (uv_udp_get_send_queue_count(world.sender.handle) > 0)
		{
			world.loop.Turn();
		}

		world.receiver.ExpectAll(datagrams);
	}

	void backlogFull()
	{
		auto options = scripted({ -EAGAIN });

		options.maxBacklog = 3500;

		World world(options);
		const std::vector<std::string> datagrams = frame(9, 1000, 1000);

		world.Send(datagrams);
		world.queue.Flush();
		EXPECT_EQUAL(world.counters.backlogged, 3);
		EXPECT_EQUAL(world.counters.dropped, 6);
		EXPECT(uv_udp_get_send_queue_size(world.sender.handle) <= 3500);

		while (uv_udp_get_send_queue_count(world.sender.handle) > 0)
		{
			world.loop.Turn();
		}

		world.receiver.ExpectAll(std::vector(datagrams.begin(), datagrams.begin() + 3));
	}

	/** Without checksum offload the socket can never segment (EIO); another may. */
	void refusedForSocket()
	{
		World world(scripted());
		const auto datagrams = frame(5);
		const Sender other(world.loop);

		segmentRequests    = 0;
		refuseSegmentsWith = EIO;

		for (int i{ 0 }; i < 3; ++i)
		{
			world.Send(datagrams);
			world.loop.Turn();
			world.receiver.ExpectAll(datagrams);
		}

		EXPECT_EQUAL(segmentRequests, 1);
		EXPECT_EQUAL(world.counters.fallbacks, 3);
		EXPECT_EQUAL(world.counters.failed, 0);
		refuseSegmentsWith = 0;

		for (const auto& one : datagrams)
		{
			world.Send(one, other, world.receiver);
		}

		world.loop.Turn();
		world.receiver.ExpectAll(datagrams);
		EXPECT_EQUAL(segmentRequests, 2);
		EXPECT_EQUAL(world.counters.fallbacks, 3);
	}

	/** A path with a smaller MTU (EINVAL) is nobody else's business. */
	void refusedForBatch()
	{
		World world(scripted());
		const auto datagrams = frame(5);

		segmentRequests    = 0;
		refuseSegmentsWith = EINVAL;
		world.Send(datagrams);
		world.loop.Turn();
		world.receiver.ExpectAll(datagrams);
		refuseSegmentsWith = 0;
		world.Send(datagrams);
		world.loop.Turn();
		world.receiver.ExpectAll(datagrams);
		EXPECT_EQUAL(segmentRequests, 2);
		EXPECT_EQUAL(world.counters.fallbacks, 1);
	}

	void withoutSegmentation()
	{
		auto options = scripted();

		options.segmentation = false;
		segmentRequests      = 0;

		World world(options);
		const auto datagrams = frame(40);

		world.Send(datagrams);
		world.Send("alone", world.sender, world.receiver);
		world.loop.Turn();

		auto expected = datagrams;

		expected.emplace_back("alone");
		world.receiver.ExpectAll(expected);
		EXPECT_EQUAL(segmentRequests, 0);
		EXPECT_EQUAL(world.counters.fallbacks, 3);
	}

	/** What can not be sent is counted and harms nothing else. */
	void failing()
	{
		World world;
		const Receiver six(AF_INET6);

		world.Send("one", world.sender, world.receiver);
		world.Send("wrong family", world.sender, six);
		world.Send("wrong family", world.sender, six);
		world.Send("two", world.sender, world.receiver);
		world.loop.Turn();
		world.receiver.ExpectAll(std::vector<std::string>{ "one", "two" });
		EXPECT_EQUAL(world.counters.failed, 2);
	}

	/** What is stored goes out before the socket goes away; the queue goes on with others. */
	void closing()
	{
		World world;
		const auto datagrams = frame(70);
		auto* doomed         = new Sender(world.loop);
		const Sender survivor(world.loop);
		Receiver other;

		for (const auto& one : datagrams)
		{
			world.Send(one, *doomed, world.receiver);
			world.Send(one, survivor, other);
		}

		doomed->Close(&world.queue);
		delete doomed;
		world.receiver.ExpectAll(datagrams);
		world.Send("more", survivor, other);
		world.loop.Turn();

		auto expected = datagrams;

		expected.emplace_back("more");
		other.ExpectAll(expected);
	}

	/** A socket that is closed while datagrams wait for it: libuv gives them back, and nothing leaks or is touched again. */
	void closingWithBacklog()
	{
		World world(scripted({ -EAGAIN }));

		world.Send(frame(20));
		world.queue.Flush();
		EXPECT_EQUAL(world.counters.backlogged, 20);
		world.sender.Close(&world.queue);
		world.loop.Turn();
	}

	void destroyed()
	{
		Loop loop;
		Counters counters;
		Receiver receiver;
		Sender sender(loop);
		const auto datagrams = frame(5);

		{
			UdpSendQueue queue(loop, counters);

			for (const auto& one : datagrams)
			{
				queue.Enqueue(sender.handle, reinterpret_cast<const uint8_t*>(one.data()), one.size(), receiver.Address());
			}
		}

		receiver.ExpectAll(datagrams);
	}

	/** A source that holds is asked again when it said; one that is removed is not. */
	void holding()
	{
		struct Holder : UdpSendQueue::Source
		{
			uint64_t until{ 0 };
			bool isDone{ false };

			uint64_t OnWakeUpEnd(uint64_t now) override
			{
				if (this->until == 0)
				{
					this->until = now + 3;
				}

				this->isDone = now >= this->until;

				return this->isDone ? Never : this->until;
			}
		};

		World world;
		Holder holder;

		world.queue.Add(&holder);

		const uint64_t start = uv_hrtime();

		while (!holder.isDone)
		{
			uv_run(world.loop, UV_RUN_ONCE);
		}

		const uint64_t tookMs = (uv_hrtime() - start) / 1000000;

		EXPECT(tookMs >= 2 && tookMs < 1000);
		world.queue.Remove(&holder);
		holder.isDone = false;
		world.loop.Turn();
		EXPECT(!holder.isDone);
	}
} // namespace

Cases sendQueueCases()
{
	return {
		{ "segments-ipv4", [] { segments(AF_INET); } },
		{ "segments-ipv6", [] { segments(AF_INET6); } },
		{ "bounds", bounds },
		{ "order", order },
		{ "full", full },
		{ "written-in-place", written },
		{ "again", again },
		{ "again-singly", againSingly },
		{ "backlog-full", backlogFull },
		{ "refused-for-socket", refusedForSocket },
		{ "refused-for-batch", refusedForBatch },
		{ "without-segmentation", withoutSegmentation },
		{ "failing", failing },
		{ "closing", closing },
		{ "closing-with-backlog", closingWithBacklog },
		{ "destroyed", destroyed },
		{ "holding", holding },
	};
}
