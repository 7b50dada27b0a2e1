// `tests CASE` runs one case: exit code 0, or 1 with what is wrong. fast-worker.test.ts names the cases and what each shows.
#include "cases.hpp"

int main(int argc, char** argv)
{
	Cases cases = sendQueueCases();

	cases.merge(srtpAeadCases());

	const auto it = argc == 2 ? cases.find(argv[1]) : cases.end();

	if (it == cases.end())
	{
		for (const auto& [name, run] : cases)
		{
			std::fprintf(stderr, "%s\n", name.c_str());
		}

		return 2;
	}

	it->second();

	return 0;
}
