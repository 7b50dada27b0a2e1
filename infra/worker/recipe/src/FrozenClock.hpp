#pragma once
#include <cstdint>
#include <uv.h>

/**
 * The monotonic clock of the worker, stopped for as long as an object of this class exists.
 *
 * mediasoup reads the clock about eight times for each forwarded packet. While the few packets of one viewer go out, some ten
 * microseconds, the answer may as well be the same: 0.5 µs a packet.
 */
class FrozenClock
{
public:
	FrozenClock()
	{
		FrozenClock::stoppedAtNs = uv_hrtime();
	}
	FrozenClock(const FrozenClock&)            = delete;
	FrozenClock& operator=(const FrozenClock&) = delete;
	~FrozenClock()
	{
		FrozenClock::stoppedAtNs = 0;
	}

public:
	/** What uv_hrtime() says, or said when the clock was stopped (ns). */
	static uint64_t Now()
	{
		return FrozenClock::stoppedAtNs ? FrozenClock::stoppedAtNs : uv_hrtime();
	}

private:
	static inline thread_local uint64_t stoppedAtNs{ 0 };
};
