// SPDX-License-Identifier: MIT
// oneTBB: a task group, and a pipeline for order.
#include <memory>
#include <optional>
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#include <vector>

#include "bench.h"

namespace
{

unsigned most;
std::unique_ptr<tbb::global_control> control;
std::optional<tbb::task_arena> arena;
std::optional<tbb::task_group> group;
std::vector<std::unique_ptr<tbb::task_group>> parts;

void start(unsigned threads)
{
	most = threads;
	control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, threads);
	arena.emplace(static_cast<int>(threads));
	group.emplace();
}

void (*inner)(unsigned);

void body_in_arena(unsigned submitter)
{
	arena->execute([&] { inner(submitter); });
}

void enter(unsigned submitters, void (*body)(unsigned))
{
	inner = body;
	run_submitters(submitters, body_in_arena);
	arena->execute([] { group->wait(); });
}

void run_one(void *data)
{
	peer_submit(data);
	group->wait();
}

void ordered_wait(size_t count)
{
	arena->execute([&] {
		size_t next = 0;
		auto take = [&](tbb::flow_control &flow) -> size_t {
			if (next == count)
				flow.stop();
			return next++;
		};
		auto work = [](size_t index) {
			order_work(index);
			return index;
		};
		auto append = [](size_t index) { order_append(index); };
		tbb::parallel_pipeline(
			4 * most, tbb::make_filter<void, size_t>(tbb::filter_mode::serial_in_order, take) &
					  tbb::make_filter<size_t, size_t>(tbb::filter_mode::parallel, work) &
					  tbb::make_filter<size_t, void>(tbb::filter_mode::serial_in_order, append));
	});
}

void domains(unsigned count)
{
	parts.clear();
	for (unsigned i = 0; i < count; i++)
		parts.push_back(std::make_unique<tbb::task_group>());
}

void submit_in(unsigned domain, void *data)
{
	parts[domain]->run([data] { work_call(data); });
}

void wait_in(unsigned domain)
{
	parts[domain]->wait();
}

void fork_join(void **child, unsigned count)
{
	tbb::task_group children;

	for (unsigned i = 0; i < count; i++)
		children.run([data = child[i]] { work_call(data); });
	children.wait();
}

struct peer describe()
{
	struct peer self = {};

	self.name = "tbb";
	self.start = start;
	self.enter = enter;
	self.run_one = run_one;
	self.ordered_wait = ordered_wait;
	self.ordered_retire = ordered_by_buffer;
	self.domains = domains;
	self.submit_in = submit_in;
	self.wait_in = wait_in;
	self.fork_join = fork_join;
	self.nested = true;
	self.unbounded = true;
	self.main_helps = 1;
	return self;
}

} // namespace

void peer_submit(void *data)
{
	group->run([data] { work_call(data); });
}

extern "C" const struct peer peer = describe();
