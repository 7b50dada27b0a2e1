#pragma once
#include "Counters.hpp"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unordered_map>
#include <uv.h>
#include <vector>

/**
 * The datagrams of one wake-up of the event loop, sent with few system calls.
 *
 * Enqueue() stores a datagram and returns; neighbours with one socket and one destination become segments of one batch, which the kernel
 * takes as a whole (UDP_SEGMENT, "GSO") and cuts apart as late as it can. Flush() gives all batches of a socket to one sendmmsg(). It runs
 * after the loop has polled and before it polls again, so that nothing waits for longer than the wake-up that produced it.
 *
 * Order: datagrams of one socket leave in the order in which they came. Where the socket can take no more, the rest goes through libuv's
 * queue, and so does all that follows, for as long as that queue is not empty.
 *
 * Belongs to one loop and its thread. It knows nothing of RTP.
 */
class UdpSendQueue
{
public:
	/**
	 * Segments in a batch at most. A batch leaves the machine back to back, so this bounds the burst that one viewer's path has to take.
	 * 64, the kernel's bound, would save 0.1 to 0.2 µs a packet, and that only in frames that are longer than this.
	 */
	static constexpr uint16_t MaxSegments{ 16 };
	/** Bytes stored before a flush comes early: small enough to stay in a core's cache. */
	static constexpr size_t RingSize{ 128 * 1024 };
	/** What Tail() has room for at any time. */
	static constexpr size_t MaxDatagramSize{ 65536 };
	static constexpr size_t MaxBatches{ 256 };
	/** Bytes that wait for one socket at most; what comes then is given up. A picture later than this is worth nothing. */
	static constexpr size_t MaxBacklog{ 16 * 1024 * 1024 };

	/** Somebody who keeps datagrams back until the end of a wake-up. */
	class Source
	{
	public:
		virtual ~Source() = default;

	public:
		/**
		 * Enqueue what is due. `now` is the loop's time in ms. Gives the time at which to be asked again at the latest, or `Never`.
		 * It may Add() itself or others; it may not destroy a source.
		 */
		virtual uint64_t OnWakeUpEnd(uint64_t now) = 0;

	public:
		static constexpr uint64_t Never{ UINT64_MAX };
	};

	struct Options
	{
		/** Whether this kernel knows UDP_SEGMENT. An older one would ignore the request and send one huge datagram. */
		bool segmentation{ KernelHasSegmentation() };
		/** The system call; tests give their own. */
		int (*sendmmsg)(int fd, mmsghdr* messages, unsigned int count, int flags){ ::sendmmsg };
		size_t maxBacklog{ MaxBacklog };
	};

public:
	/** The queue of this thread; null before ClassInit() and after ClassDestroy(). */
	static UdpSendQueue* Get()
	{
		return UdpSendQueue::instance;
	}
	static void ClassInit(uv_loop_t* loop);
	/** Closes the queue and runs the loop until its handles are gone. Call it when nothing else is in the loop. */
	static void ClassDestroy();
	static bool KernelHasSegmentation();

public:
	UdpSendQueue(uv_loop_t* loop, Counters& counters, Options options);
	UdpSendQueue(uv_loop_t* loop, Counters& counters) : UdpSendQueue(loop, counters, Options{})
	{
	}
	UdpSendQueue& operator=(const UdpSendQueue&) = delete;
	UdpSendQueue(const UdpSendQueue&)            = delete;
	~UdpSendQueue();

public:
	/** Where the next datagram will be stored: who writes it right there and passes the same pointer to Enqueue() saves a copy. */
	uint8_t* Tail()
	{
		return this->ring.get() + this->used;
	}
	/**
	 * Takes a copy of a datagram of 1 to MaxDatagramSize bytes. `handle` must be bound and stay open until SocketClosing(); `address` is
	 * IPv4 or IPv6.
	 */
	void Enqueue(uv_udp_t* handle, const uint8_t* data, size_t len, const sockaddr* address);
	/** Sends what is stored. Sources are not asked: this may run while one of them is enqueueing. */
	void Flush();
	/** To be called before `handle` is closed: sends what is stored and forgets the socket. */
	void SocketClosing(uv_udp_t* handle);
	/** Asks `source` at the end of each wake-up, until Remove(). */
	void Add(Source* source);
	void Remove(Source* source);

private:
	union Address
	{
		sockaddr any;
		sockaddr_in v4;
		sockaddr_in6 v6;
	};
	struct Batch
	{
		uv_udp_t* handle;
		uint32_t offset;
		uint32_t total;
		uint16_t segmentSize;
		uint16_t segments;
		bool ended;
	};
	struct SocketState
	{
		/** The kernel sent EIO: the way out of this socket can not segment. */
		bool refusesSegmentation{ false };
	};

private:
	static void OnPrepare(uv_prepare_t* handle);
	static void OnCheck(uv_check_t* handle);
	static bool SameAddress(const Address& a, const sockaddr* b);

private:
	void OnWakeUpEnd();
	bool Extend(uv_udp_t* handle, size_t len, const sockaddr* address);
	void StartBatch(uv_udp_t* handle, size_t len, const sockaddr* address);
	void SendRun(uv_udp_t* handle, size_t first, size_t end);
	void FillMessage(size_t index);
	bool SendSingly(uv_udp_t* handle, int fd, size_t index);
	void Backlog(uv_udp_t* handle, size_t index, size_t fromSegment);
	void Count(const Batch& batch);

private:
	static thread_local UdpSendQueue* instance;

private:
	uv_loop_t* loop;
	Counters& counters;
	const Options options;
	std::unique_ptr<uint8_t[]> ring;
	size_t used{ 0 };
	std::unique_ptr<Batch[]> batches;
	size_t numBatches{ 0 };
	// What sendmmsg() reads, by the index of the batch.
	std::unique_ptr<mmsghdr[]> messages;
	std::unique_ptr<iovec[]> vectors;
	std::unique_ptr<Address[]> addresses;
	struct Control
	{
		alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
	};
	std::unique_ptr<Control[]> controls;
	std::unordered_map<uv_udp_t*, SocketState> sockets;
	std::vector<Source*> sources;
	uv_prepare_t prepare{};
	uv_check_t check{};
	// Only wakes the loop: the time for which a source keeps something back.
	uv_timer_t timer{};
};
