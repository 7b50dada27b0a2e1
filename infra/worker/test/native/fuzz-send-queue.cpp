// Whatever is enqueued and however the kernel answers: datagrams leave in order, unchanged and once, batches keep their bounds, what is
// not sent is counted, and a socket that has a backlog is not sent to directly.
#include "loopback.hpp"
#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <netinet/udp.h>
#include <vector>

namespace
{
	struct Input
	{
		const uint8_t* data;
		size_t size;

		uint8_t Next()
		{
			if (this->size == 0)
			{
				return 0;
			}

			this->size--;

			return *this->data++;
		}
	};

	struct Socket
	{
		std::unique_ptr<Sender> sender;
		int fd{ -1 };
		// Enqueued and not yet seen to leave.
		std::deque<std::pair<uint16_t, std::string>> waiting;
	};

	Input input{};
	Socket sockets[2];
	bool isBacklogged{ false };

	uint16_t portOf(const msghdr& message)
	{
		return static_cast<const sockaddr_in*>(message.msg_name)->sin_port;
	}

	void left(Socket& socket, uint16_t port, std::string datagram)
	{
		EXPECT(!socket.waiting.empty());
		EXPECT(socket.waiting.front() == std::make_pair(port, datagram));
		socket.waiting.pop_front();
	}

	/** Plays the kernel: answers as the input says, and checks what it is given. */
	int fakeSend(int fd, mmsghdr* messages, unsigned int count, int /*flags*/)
	{
		Socket& socket = sockets[0].fd == fd ? sockets[0] : sockets[1];

		EXPECT_EQUAL(socket.fd, fd);
		EXPECT(count > 0);
		EXPECT_EQUAL(uv_udp_get_send_queue_count(socket.sender->handle), 0);

		const uint8_t answer = input.Next();
		unsigned int taken   = answer & 0x80 ? 1 + (answer & 0x7f) % count : count;

		for (unsigned int i{ 0 }; i < taken; ++i)
		{
			const msghdr& message = messages[i].msg_hdr;
			const bool hasControl = message.msg_controllen > 0;

			// Refusals concern one message: those before it have left.
			if (answer >= 1 && answer <= 5 && i == taken - 1)
			{
				static constexpr int Errors[]{ EINTR, EAGAIN, EIO, EINVAL, EPERM };

				if (i > 0)
				{
					return static_cast<int>(i);
				}

				errno = Errors[answer - 1];

				if (errno == EAGAIN)
				{
					// From here on libuv has them, which sends for real.
					isBacklogged = true;
				}
				else if (errno != EINTR && !hasControl)
				{
					EXPECT(!socket.waiting.empty());
					socket.waiting.pop_front();
				}

				return -1;
			}

			EXPECT_EQUAL(message.msg_iovlen, 1);

			const auto* bytes = static_cast<const char*>(message.msg_iov[0].iov_base);
			const size_t all  = message.msg_iov[0].iov_len;
			size_t segment    = all;

			if (hasControl)
			{
				uint16_t size{ 0 };

				std::memcpy(&size, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(size));
				segment = size;
				EXPECT(segment > 0 && segment <= 1472 && segment < all);
				EXPECT((all + segment - 1) / segment <= UdpSendQueue::MaxSegments);
			}

			for (size_t start{ 0 }; start < all; start += segment)
			{
				left(socket, portOf(message), { bytes + start, std::min(segment, all - start) });
			}
		}

		return static_cast<int>(taken);
	}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	static Receiver receivers[3];
	Loop loop;
	Counters counters;
	UdpSendQueue::Options options;

	input              = { data, size };
	isBacklogged       = false;
	options.sendmmsg   = fakeSend;
	options.maxBacklog = 20000;
	options.segmentation = input.Next() & 1;

	auto queue = std::make_unique<UdpSendQueue>(loop, counters, options);
	uint32_t number{ 0 };

	for (auto& socket : sockets)
	{
		socket.sender = std::make_unique<Sender>(loop);
		socket.waiting.clear();
		uv_fileno(reinterpret_cast<uv_handle_t*>(socket.sender->handle), &socket.fd);
	}

	const auto close = [&](Socket& socket)
	{
		socket.sender->Close(queue.get());
		socket.waiting.clear();
	};
	// Once libuv has taken datagrams over they leave unseen, to real sockets: what it took is no longer expected here.
	const auto settle = [&]
	{
		if (isBacklogged)
		{
			for (auto& socket : sockets)
			{
				socket.waiting.clear();
			}
			for (int turn{ 0 }; turn < 100; ++turn)
			{
				size_t left{ 0 };

				for (auto& socket : sockets)
				{
					left += uv_udp_get_send_queue_count(socket.sender->handle);
				}
				if (left == 0)
				{
					break;
				}
				loop.Turn();
			}
			isBacklogged = false;
		}
		for (auto& receiver : receivers)
		{
			while (!receiver.Next().empty())
			{
			}
		}
	};

	while (input.size > 0 && number < 3000)
	{
		const uint8_t operation = input.Next();

		if (operation < 0xe0)
		{
			Socket& socket         = sockets[operation & 1];
			const Receiver& to     = receivers[(operation >> 1) % 3];
			const uint8_t chooser  = input.Next();
			const size_t length    = chooser < 128 ? 1000 : chooser < 200 ? 4 + chooser : size_t{ chooser } * 16;
			std::string datagram   = std::to_string(number++) + ' ';
			const auto destination = reinterpret_cast<const sockaddr_in*>(to.Address())->sin_port;

			datagram.resize(std::max(datagram.size(), length), static_cast<char>(chooser));
			// Pushed first: a full ring is flushed at once.
			socket.waiting.emplace_back(destination, datagram);
			queue->Enqueue(
			  socket.sender->handle, reinterpret_cast<const uint8_t*>(datagram.data()), datagram.size(), to.Address());
		}
		else if (operation < 0xf0)
		{
			queue->Flush();
			EXPECT(isBacklogged || (sockets[0].waiting.empty() && sockets[1].waiting.empty()));
			settle();
		}
		else if (operation < 0xf8)
		{
			loop.Turn();
			settle();
		}
		else
		{
			Socket& socket = sockets[operation & 1];

			close(socket);
			socket.sender = std::make_unique<Sender>(loop);
			uv_fileno(reinterpret_cast<uv_handle_t*>(socket.sender->handle), &socket.fd);
			settle();
		}
	}

	EXPECT_EQUAL(counters.datagrams, number);
	for (auto& socket : sockets)
	{
		close(socket);
		socket.sender.reset();
	}
	queue.reset();

	return 0;
}
