#pragma once
#include "UdpSendQueue.hpp"
#include "cases.hpp"
#include <arpa/inet.h>
#include <cstring>
#include <unistd.h>

/** An event loop that closes what is left in it and must then be empty. */
class Loop
{
public:
	Loop()
	{
		EXPECT_EQUAL(uv_loop_init(&this->loop), 0);
		// Something that is alive, as the worker's sockets are: a loop without it does not turn.
		uv_async_init(&this->loop, &this->alive, [](uv_async_t*) {});
	}
	Loop(const Loop&)            = delete;
	Loop& operator=(const Loop&) = delete;
	~Loop()
	{
		uv_close(reinterpret_cast<uv_handle_t*>(&this->alive), nullptr);
		while (uv_run(&this->loop, UV_RUN_NOWAIT) != 0)
		{
		}
		EXPECT_EQUAL(uv_loop_close(&this->loop), 0);
	}

public:
	/** One turn, without waiting for anything. */
	void Turn()
	{
		uv_run(&this->loop, UV_RUN_NOWAIT);
	}
	operator uv_loop_t*()
	{
		return &this->loop;
	}

private:
	uv_loop_t loop{};
	uv_async_t alive{};
};

inline sockaddr_storage anyPortOf(int family)
{
	sockaddr_storage address{};

	if (family == AF_INET6)
	{
		uv_ip6_addr("::1", 0, reinterpret_cast<sockaddr_in6*>(&address));
	}
	else
	{
		uv_ip4_addr("127.0.0.1", 0, reinterpret_cast<sockaddr_in*>(&address));
	}

	return address;
}

/** A socket of the kind that mediasoup has, bound to loopback. */
class Sender
{
public:
	explicit Sender(uv_loop_t* loop, int family = AF_INET) : handle(new uv_udp_t)
	{
		const sockaddr_storage address = anyPortOf(family);

		uv_udp_init(loop, this->handle);
		EXPECT_EQUAL(uv_udp_bind(this->handle, reinterpret_cast<const sockaddr*>(&address), 0), 0);
	}
	Sender(const Sender&)            = delete;
	Sender& operator=(const Sender&) = delete;
	~Sender()
	{
		Close(nullptr);
	}

public:
	/** In the order in which UdpSocketHandle does it. */
	void Close(UdpSendQueue* queue)
	{
		if (this->handle == nullptr)
		{
			return;
		}
		if (queue)
		{
			queue->SocketClosing(this->handle);
		}

		uv_close(reinterpret_cast<uv_handle_t*>(this->handle), [](uv_handle_t* closed) { delete reinterpret_cast<uv_udp_t*>(closed); });
		this->handle = nullptr;
	}

public:
	uv_udp_t* handle;
};

/** Who is sent to. */
class Receiver
{
public:
	explicit Receiver(int family = AF_INET) : fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), address(anyPortOf(family))
	{
		socklen_t len{ sizeof(this->address) };
		const int size{ 4 * 1024 * 1024 };

		EXPECT(::bind(this->fd, Address(), family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)) == 0);
		EXPECT(::getsockname(this->fd, reinterpret_cast<sockaddr*>(&this->address), &len) == 0);
		::setsockopt(this->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	Receiver(const Receiver&)            = delete;
	Receiver& operator=(const Receiver&) = delete;
	~Receiver()
	{
		::close(this->fd);
	}

public:
	const sockaddr* Address() const
	{
		return reinterpret_cast<const sockaddr*>(&this->address);
	}
	/** The next datagram, or an empty one where none is there. */
	std::string Next()
	{
		static char buffer[65536];
		const ssize_t len = ::recv(this->fd, buffer, sizeof(buffer), 0);

		return { buffer, len > 0 ? static_cast<size_t>(len) : 0 };
	}
	/** Expects the next datagrams to be exactly these. */
	template<class Datagrams>
	void ExpectAll(const Datagrams& datagrams)
	{
		for (const std::string& datagram : datagrams)
		{
			EXPECT(Next() == datagram);
		}
		EXPECT(Next().empty());
	}

private:
	int fd;
	sockaddr_storage address;
};
