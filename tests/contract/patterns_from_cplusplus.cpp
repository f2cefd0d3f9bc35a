// SPDX-License-Identifier: MIT
// <inorder/async.hpp>: each function returns what is wrong, or nullptr.
#include <inorder/async.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#define EXPECT(condition) \
	do { \
		if (!(condition)) \
			return #condition; \
	} while (0)

extern "C" {
const char *scopes_wait();
const char *ordered_values();
const char *results_arrive();
const char *exceptions_arrive();
const char *cancelled_calls_are_freed();
const char *loops_in_order();
}

namespace
{

std::atomic<int> alive;

/* Counts the copies that exist: every one of them has to go. */
struct counted {
	counted()
	{
		alive++;
	}
	counted(const counted &)
	{
		alive++;
	}
	counted(counted &&) noexcept
	{
		alive++;
	}
	~counted()
	{
		alive--;
	}
};

} // namespace

const char *scopes_wait()
{
	std::atomic<int> ran{0};
	auto owned = std::make_unique<int>(5);

	{
		inorder::domain domain;

		for (int i = 0; i < 100; i++)
			domain.schedule([&ran, object = counted()] { ran++; });
		domain.schedule([&ran, owned = std::move(owned)] { ran += *owned; });
		domain.schedule([] { throw std::runtime_error("no thread asks"); });
	}
	EXPECT(ran == 105);
	EXPECT(alive == 0);
	return nullptr;
}

const char *ordered_values()
{
	std::vector<std::string> seen;
	std::vector<int> empty;
	std::atomic<int> retired{0};
	inorder::domain domain{inorder::kind::registered};
	inorder::cookie_t last = 0;

	for (int i = 0; i < 100; i++) {
		inorder::cookie_t cookie =
			domain.schedule_ordered([i, object = counted()] { return std::to_string(i); },
						[&](std::string &&text) {
							seen.push_back(text);
							retired++;
						});
		EXPECT(cookie > last);
		last = cookie;
	}
	domain.wait(last); /* all but that one */
	EXPECT(retired >= 99);
	EXPECT(async_synchronize_full() == 0); /* a registered one */
	EXPECT(seen.size() == 100);
	for (int i = 0; i < 100; i++)
		EXPECT(seen[static_cast<std::size_t>(i)] == std::to_string(i));
	for (int i = 0; i < 10; i++)
		domain.schedule_ordered([] {}, [&empty, i] { empty.push_back(i); });
	domain.wait();
	EXPECT(empty == (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
	EXPECT(alive == 0);
	return nullptr;
}

const char *results_arrive()
{
	inorder::domain domain;
	std::vector<inorder::result<std::unique_ptr<int>>> results;
	bool caught = false;

	for (int i = 0; i < 50; i++)
		results.push_back(domain.run([i] { return std::make_unique<int>(i); }));
	for (int i = 0; i < 50; i++)
		EXPECT(*results[static_cast<std::size_t>(i)].get() == i);
	EXPECT(results[0].cookie() < results[1].cookie());

	auto throws = domain.run([]() -> int { throw std::runtime_error("of the call"); });
	try {
		throws.get();
	} catch (const std::runtime_error &error) {
		caught = error.what() == std::string("of the call");
	}
	EXPECT(caught);

	auto nothing = domain.run([object = counted()] {});
	nothing.get();
	nothing = domain.run([object = counted()] {});
	domain.run([object = counted()] { return 1; }); /* dropped: waits */
	EXPECT(alive == 1);
	domain.wait(); /* a result's exception is not the domain's */
	return nullptr;
}

const char *exceptions_arrive()
{
	inorder::domain domain;
	std::string text;
	bool retired = false, after = false;

	for (int i = 0; i < 20; i++)
		domain.schedule([i, object = counted()] {
			if (i % 5 == 3)
				throw std::runtime_error(std::to_string(i));
		});
	domain.schedule_ordered([]() -> int { throw std::runtime_error("higher"); }, [&](int) { retired = true; });
	domain.schedule_ordered([] {}, [&] { after = true; });
	try {
		domain.wait();
	} catch (const std::runtime_error &error) {
		text = error.what();
	}
	EXPECT(text == "3");
	EXPECT(!retired);
	EXPECT(after);
	domain.wait(); /* once is enough */

	text.clear();
	domain.schedule_ordered([] { return 1; }, [](int) { throw std::runtime_error("retiring"); });
	try {
		domain.wait();
	} catch (const std::runtime_error &error) {
		text = error.what();
	}
	EXPECT(text == "retiring");
	EXPECT(alive == 0);
	return nullptr;
}

const char *cancelled_calls_are_freed()
{
	inorder::domain blocked, domain;
	std::promise<void> begun, go;
	int ran = 0;

	blocked.schedule([&begun, go = go.get_future()] {
		begun.set_value();
		go.wait();
	});
	begun.get_future().wait();
	/* One worker, which is in the call above. */
	for (int i = 0; i < 10; i++)
		domain.schedule([&ran, object = counted()] { ran++; });
	for (int i = 0; i < 10; i++)
		domain.schedule_ordered([&ran, object = counted()] { ran++; }, [&ran] { ran++; });
	auto result = domain.run([&ran] { return ran++; });
	EXPECT(domain.cancel() == 21);
	go.set_value();
	domain.wait();
	EXPECT(ran == 0);
	EXPECT(alive == 0);
	try {
		result.get();
	} catch (const std::system_error &error) {
		return error.code() == std::errc::operation_canceled ? nullptr : "another error";
	}
	return "a result without a call";
}

const char *loops_in_order()
{
	std::vector<std::string> seen;
	std::string text;
	std::size_t next = 0;

	inorder::for_each_ordered(
		1000, [](std::size_t i) { return std::to_string(i); },
		[&seen](std::size_t i, std::string &&value) {
			if (i == seen.size())
				seen.push_back(std::move(value));
		},
		16);
	EXPECT(seen.size() == 1000 && seen[999] == "999");
	inorder::for_each_ordered(
		0, [](std::size_t) {}, [](std::size_t) {});
	inorder::for_each_ordered(
		100, [](std::size_t) {}, [&next](std::size_t i) { next += next == i; });
	EXPECT(next == 100);

	try {
		inorder::for_each_ordered(
			1000,
			[object = counted()](std::size_t i) -> int {
				if (i == 40 || i == 30)
					throw std::runtime_error(std::to_string(i));
				return 1;
			},
			[&next](std::size_t i, int) { next = i; }, 20);
	} catch (const std::runtime_error &error) {
		text = error.what();
	}
	EXPECT(text == "30" && next == 29);
	EXPECT(alive == 0);
	return nullptr;
}
