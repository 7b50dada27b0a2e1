#pragma once
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

/** Ends the program with a message where `condition` does not hold. */
#define EXPECT(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			std::exit(1); \
		} \
	} while (false)

/** Ends the program with both numbers where they differ. */
#define EXPECT_EQUAL(actual, expected) \
	do \
	{ \
		const auto actualValue = static_cast<unsigned long long>(actual); \
		const auto expectedValue = static_cast<unsigned long long>(expected); \
		if (actualValue != expectedValue) \
		{ \
			std::fprintf(stderr, "%s:%d: %s is %llu, not %llu\n", __FILE__, __LINE__, #actual, actualValue, expectedValue); \
			std::exit(1); \
		} \
	} while (false)

using Cases = std::map<std::string, std::function<void()>>;

Cases sendQueueCases();
Cases srtpAeadCases();
