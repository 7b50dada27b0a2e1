#include "Counters.hpp"
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace
{
	Counters* mapShared()
	{
		const int fd = ::memfd_create(Counters::Name, MFD_CLOEXEC);

		if (fd == -1)
		{
			return nullptr;
		}

		if (::ftruncate(fd, sizeof(Counters)) == 0)
		{
			void* memory = ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

			if (memory != MAP_FAILED)
			{
				// The descriptor stays open: it is how a reader finds the memory.
				return new (memory) Counters();
			}
		}

		::close(fd);

		return nullptr;
	}
} // namespace

Counters& Counters::Get()
{
	static Counters ordinary;
	static Counters* const shared = mapShared();

	return shared ? *shared : ordinary;
}
