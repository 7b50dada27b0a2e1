#include "UdpSendQueue.hpp"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/udp.h>
#include <unistd.h>

// Newer than some libc headers, older than any kernel in service (4.18).
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace
{
	// What fits into one Ethernet frame. Segmentation can not make IP fragments, so a larger datagram goes alone.
	constexpr size_t MaxSegmentSizeIpv4{ 1500 - 20 - 8 };
	constexpr size_t MaxSegmentSizeIpv6{ 1500 - 40 - 8 };

	// A batch is one IP payload until it is cut.
	static_assert(UdpSendQueue::MaxSegments * MaxSegmentSizeIpv4 <= 64000);

	struct BacklogRequest
	{
		uv_udp_send_t request{};
		std::unique_ptr<uint8_t[]> data;
	};

	void onBacklogSent(uv_udp_send_t* request, int /*status*/)
	{
		delete static_cast<BacklogRequest*>(request->data);
	}

	void onTimer(uv_timer_t* /*handle*/)
	{
	}

	bool wouldBlock(int error)
	{
		return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
	}
} // namespace

thread_local UdpSendQueue* UdpSendQueue::instance{ nullptr };

void UdpSendQueue::ClassInit(uv_loop_t* loop)
{
	UdpSendQueue::instance = new UdpSendQueue(loop, Counters::Get());
}

void UdpSendQueue::ClassDestroy()
{
	delete UdpSendQueue::instance;
	UdpSendQueue::instance = nullptr;
}

bool UdpSendQueue::KernelHasSegmentation()
{
#ifdef NEKO_WITHOUT_UDP_SEGMENT
	return false;
#else
	const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
	{
		return false;
	}

	int size{ 0 };
	socklen_t len{ sizeof(size) };
	const bool has = ::getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;

	::close(fd);

	return has;
#endif
}

UdpSendQueue::UdpSendQueue(uv_loop_t* loop, Counters& counters, Options options)
  : loop(loop),
    counters(counters),
    options(options),
    ring(std::make_unique<uint8_t[]>(RingSize + MaxDatagramSize)),
    batches(std::make_unique<Batch[]>(MaxBatches)),
    messages(std::make_unique<mmsghdr[]>(MaxBatches)),
    vectors(std::make_unique<iovec[]>(MaxBatches)),
    addresses(std::make_unique<Address[]>(MaxBatches)),
    controls(std::make_unique<Control[]>(MaxBatches))
{
	this->prepare.data = this->check.data = this->timer.data = this;
	uv_prepare_init(loop, &this->prepare);
	uv_prepare_start(&this->prepare, UdpSendQueue::OnPrepare);
	uv_check_init(loop, &this->check);
	uv_check_start(&this->check, UdpSendQueue::OnCheck);
	uv_timer_init(loop, &this->timer);
	// None of them is a reason to keep the loop running.
	uv_unref(reinterpret_cast<uv_handle_t*>(&this->prepare));
	uv_unref(reinterpret_cast<uv_handle_t*>(&this->check));
	uv_unref(reinterpret_cast<uv_handle_t*>(&this->timer));
}

UdpSendQueue::~UdpSendQueue()
{
	Flush();

	int open{ 3 };
	const auto close = [&open](auto* handle)
	{
		handle->data = &open;
		uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) { --*static_cast<int*>(closed->data); });
	};

	close(&this->prepare);
	close(&this->check);
	close(&this->timer);

	// The handles are members: libuv has to let go of them before they may go away.
	while (open > 0)
	{
		uv_run(this->loop, UV_RUN_NOWAIT);
	}
}

void UdpSendQueue::OnPrepare(uv_prepare_t* handle)
{
	static_cast<UdpSendQueue*>(handle->data)->OnWakeUpEnd();
}

void UdpSendQueue::OnCheck(uv_check_t* handle)
{
	static_cast<UdpSendQueue*>(handle->data)->OnWakeUpEnd();
}

void UdpSendQueue::OnWakeUpEnd()
{
	const uint64_t now = uv_now(this->loop);
	uint64_t next{ Source::Never };

	// By index: a source may add another.
	for (size_t i{ 0 }; i < this->sources.size(); ++i)
	{
		next = std::min(next, this->sources[i]->OnWakeUpEnd(now));
	}

	Flush();

	if (next != Source::Never)
	{
		uv_timer_start(&this->timer, onTimer, next > now ? next - now : 0, 0);
	}
	else if (uv_is_active(reinterpret_cast<uv_handle_t*>(&this->timer)))
	{
		uv_timer_stop(&this->timer);
	}
}

void UdpSendQueue::Add(Source* source)
{
	this->sources.push_back(source);
}

void UdpSendQueue::Remove(Source* source)
{
	std::erase(this->sources, source);
}

void UdpSendQueue::SocketClosing(uv_udp_t* handle)
{
	Flush();
	this->sockets.erase(handle);
}

void UdpSendQueue::Enqueue(uv_udp_t* handle, const uint8_t* data, size_t len, const sockaddr* address)
{
	uint8_t* tail = Tail();

	if (data != tail)
	{
		std::memcpy(tail, data, len);
	}

	if (!Extend(handle, len, address))
	{
		StartBatch(handle, len, address);
	}

	this->used += len;
	this->counters.datagrams++;
	this->counters.bytes += len;

	if (this->used > RingSize || this->numBatches == MaxBatches)
	{
		Flush();
	}
}

/** The kernel cuts a batch into pieces of its first datagram's size; only the last may be shorter. */
bool UdpSendQueue::Extend(uv_udp_t* handle, size_t len, const sockaddr* address)
{
	if (this->numBatches == 0)
	{
		return false;
	}

	Batch& batch = this->batches[this->numBatches - 1];

	if (
	  batch.ended || batch.handle != handle || len > batch.segmentSize ||
	  !SameAddress(this->addresses[this->numBatches - 1], address))
	{
		return false;
	}

	batch.segments++;
	batch.total += len;
	batch.ended = len < batch.segmentSize || batch.segments == MaxSegments;

	return true;
}

void UdpSendQueue::StartBatch(uv_udp_t* handle, size_t len, const sockaddr* address)
{
	const bool isIpv6 = address->sa_family == AF_INET6;

	this->batches[this->numBatches] = { .handle      = handle,
		                                  .offset      = static_cast<uint32_t>(this->used),
		                                  .total       = static_cast<uint32_t>(len),
		                                  .segmentSize = static_cast<uint16_t>(len),
		                                  .segments    = 1,
		                                  .ended = len > (isIpv6 ? MaxSegmentSizeIpv6 : MaxSegmentSizeIpv4) };
	std::memcpy(&this->addresses[this->numBatches], address, isIpv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
	this->numBatches++;
}

bool UdpSendQueue::SameAddress(const Address& a, const sockaddr* b)
{
	if (a.any.sa_family != b->sa_family)
	{
		return false;
	}

	if (b->sa_family == AF_INET)
	{
		const auto* v4 = reinterpret_cast<const sockaddr_in*>(b);

		return a.v4.sin_port == v4->sin_port && a.v4.sin_addr.s_addr == v4->sin_addr.s_addr;
	}

	const auto* v6 = reinterpret_cast<const sockaddr_in6*>(b);

	return a.v6.sin6_port == v6->sin6_port && a.v6.sin6_scope_id == v6->sin6_scope_id &&
	       std::memcmp(&a.v6.sin6_addr, &v6->sin6_addr, sizeof(in6_addr)) == 0;
}

void UdpSendQueue::Flush()
{
	for (size_t first{ 0 }; first < this->numBatches;)
	{
		uv_udp_t* handle = this->batches[first].handle;
		size_t end       = first + 1;

		while (end < this->numBatches && this->batches[end].handle == handle)
		{
			end++;
		}

		SendRun(handle, first, end);
		first = end;
	}

	this->numBatches = 0;
	this->used       = 0;
}

/** Sends the batches from `first` to before `end`, all of one socket. */
void UdpSendQueue::SendRun(uv_udp_t* handle, size_t first, size_t end)
{
	for (size_t i{ first }; i < end; ++i)
	{
		Count(this->batches[i]);
		FillMessage(i);
	}

	uv_os_fd_t fd{ -1 };
	bool blocked = uv_udp_get_send_queue_count(handle) > 0;

	if (uv_fileno(reinterpret_cast<uv_handle_t*>(handle), &fd) != 0)
	{
		return;
	}

	SocketState& state = this->sockets[handle];

	for (size_t i{ first }; i < end;)
	{
		if (blocked)
		{
			Backlog(handle, i++, 0);

			continue;
		}

		if ((!this->options.segmentation || state.refusesSegmentation) && this->batches[i].segments > 1)
		{
			this->counters.fallbacks++;
			blocked = !SendSingly(handle, fd, i++);

			continue;
		}

		// Up to the next batch that has to go in single datagrams.
		size_t limit = i + 1;

		while (limit < end && (this->batches[limit].segments == 1 || (this->options.segmentation && !state.refusesSegmentation)))
		{
			limit++;
		}

		this->counters.calls++;

		const int sent = this->options.sendmmsg(fd, &this->messages[i], static_cast<unsigned int>(limit - i), MSG_DONTWAIT);

		if (sent > 0)
		{
			i += static_cast<size_t>(sent);
		}
		else if (errno == EINTR)
		{
			continue;
		}
		else if (wouldBlock(errno))
		{
			this->counters.again++;
			blocked = true;
		}
		else if (this->batches[i].segments > 1)
		{
			// EIO: no checksum offload on the way out, so that no batch of this socket can be cut. Others, such as EINVAL for a path with a
			// smaller MTU, concern this destination.
			state.refusesSegmentation = state.refusesSegmentation || errno == EIO;
			this->counters.fallbacks++;
			blocked = !SendSingly(handle, fd, i++);
		}
		else
		{
			// No route, refused by a firewall, address family of another socket: what a datagram may meet.
			this->counters.failed++;
			i++;
		}
	}
}

void UdpSendQueue::FillMessage(size_t index)
{
	const Batch& batch = this->batches[index];
	Address& address   = this->addresses[index];
	msghdr& message    = this->messages[index].msg_hdr;

	this->vectors[index]   = { this->ring.get() + batch.offset, batch.total };
	message                = {};
	message.msg_name       = &address;
	message.msg_namelen    = address.any.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
	message.msg_iov        = &this->vectors[index];
	message.msg_iovlen     = 1;

	if (batch.segments > 1)
	{
		message.msg_control    = this->controls[index].bytes;
		message.msg_controllen = sizeof(this->controls[index].bytes);

		cmsghdr* control    = CMSG_FIRSTHDR(&message);
		control->cmsg_level = IPPROTO_UDP;
		control->cmsg_type  = UDP_SEGMENT;
		control->cmsg_len   = CMSG_LEN(sizeof(batch.segmentSize));
		std::memcpy(CMSG_DATA(control), &batch.segmentSize, sizeof(batch.segmentSize));
	}
}

/** Sends the segments of a batch as datagrams of their own; false when the socket blocked and what is left went to libuv's queue. */
bool UdpSendQueue::SendSingly(uv_udp_t* handle, int fd, size_t index)
{
	const Batch& batch = this->batches[index];
	mmsghdr singles[MaxSegments]{};
	iovec pieces[MaxSegments];

	for (uint16_t i{ 0 }; i < batch.segments; ++i)
	{
		const uint32_t start = uint32_t{ i } * batch.segmentSize;

		pieces[i]                      = { this->ring.get() + batch.offset + start, std::min<size_t>(batch.segmentSize, batch.total - start) };
		singles[i].msg_hdr.msg_name    = this->messages[index].msg_hdr.msg_name;
		singles[i].msg_hdr.msg_namelen = this->messages[index].msg_hdr.msg_namelen;
		singles[i].msg_hdr.msg_iov     = &pieces[i];
		singles[i].msg_hdr.msg_iovlen  = 1;
	}

	for (uint16_t i{ 0 }; i < batch.segments;)
	{
		this->counters.calls++;

		const int sent = this->options.sendmmsg(fd, singles + i, batch.segments - i, MSG_DONTWAIT);

		if (sent > 0)
		{
			i += static_cast<uint16_t>(sent);
		}
		else if (errno == EINTR)
		{
			continue;
		}
		else if (wouldBlock(errno))
		{
			this->counters.again++;
			Backlog(handle, index, i);

			return false;
		}
		else
		{
			this->counters.failed++;
			i++;
		}
	}

	return true;
}

/** Gives the segments of a batch, from `fromSegment` on, to libuv, which sends them when the socket can be written again. */
void UdpSendQueue::Backlog(uv_udp_t* handle, size_t index, size_t fromSegment)
{
	const Batch& batch = this->batches[index];

	for (size_t i{ fromSegment }; i < batch.segments; ++i)
	{
		const size_t start = i * batch.segmentSize;
		const size_t len   = std::min<size_t>(batch.segmentSize, batch.total - start);

		if (uv_udp_get_send_queue_size(handle) + len > this->options.maxBacklog)
		{
			this->counters.dropped++;

			continue;
		}

		auto* backlog = new BacklogRequest{ .request = {}, .data = std::make_unique<uint8_t[]>(len) };

		backlog->request.data = backlog;
		std::memcpy(backlog->data.get(), this->ring.get() + batch.offset + start, len);

		uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(backlog->data.get()), static_cast<unsigned int>(len));

		if (uv_udp_send(&backlog->request, handle, &buffer, 1, &this->addresses[index].any, onBacklogSent) == 0)
		{
			this->counters.backlogged++;
		}
		else
		{
			this->counters.failed++;
			delete backlog;
		}
	}
}

void UdpSendQueue::Count(const Batch& batch)
{
	size_t segmentClass{ 0 };

	while (segmentClass + 1 < Counters::SegmentClasses && (size_t{ 1 } << segmentClass) < batch.segments)
	{
		segmentClass++;
	}

	this->counters.batches++;
	this->counters.batchesBySegments[segmentClass]++;
}
