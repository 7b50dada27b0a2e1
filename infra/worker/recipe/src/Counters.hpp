#pragma once
#include <cstddef>
#include <cstdint>

/**
 * What the fast worker counts, in memory that another process can read: a memfd with the name of `Name`, found in /proc/PID/fd.
 * To count costs an addition; to read costs this process nothing. apps/capture-node/src/sfu/worker-counters.ts reads it: the layout
 * (64-bit words in the machine's order) and `Version` are the interface between the two.
 */
struct Counters
{
	static constexpr const char* Name{ "neko-edge-worker-counters" };
	static constexpr uint64_t Version{ 2 };
	/** Batches are counted by their segments: 1, 2, 3–4, 5–8, 9–16. */
	static constexpr size_t SegmentClasses{ 5 };

	/** First, so that a reader knows whether it knows the rest. */
	uint64_t version{ Version };
	/** Which AES-GCM protects outgoing RTP: a value of AesGcm::Provider. */
	uint64_t aeadProvider{ 0 };
	/** Datagrams that the worker handed to the queue, and their bytes. */
	uint64_t datagrams{ 0 };
	uint64_t bytes{ 0 };
	/** Messages given to the kernel, each of one or more segments (datagrams) to one destination. */
	uint64_t batches{ 0 };
	uint64_t batchesBySegments[SegmentClasses]{};
	/** System calls that carried them. */
	uint64_t calls{ 0 };
	/** Batches that went out as single datagrams, because kernel, socket or path refuse segmentation. */
	uint64_t fallbacks{ 0 };
	/** Times that a socket could take no more (EAGAIN, ENOBUFS). */
	uint64_t again{ 0 };
	/** Datagrams that waited in libuv's queue for such a socket. */
	uint64_t backlogged{ 0 };
	/** Datagrams given up because that queue was full. */
	uint64_t dropped{ 0 };
	/** Datagrams that the kernel refused. */
	uint64_t failed{ 0 };
	/** Times that the beginning of a frame was held for its end, and how often that end did not come in time. */
	uint64_t holds{ 0 };
	uint64_t holdsExpired{ 0 };
	/** Datagrams that came to the end of a pipe from elsewhere than its other end. */
	uint64_t strangers{ 0 };
	/** RTP and RTCP whose SRTP authentication failed, at pipes and from viewers. */
	uint64_t forged{ 0 };

	/** The counters of this process; in ordinary memory where no memfd can be had. Lives as long as the process. */
	static Counters& Get();
};
