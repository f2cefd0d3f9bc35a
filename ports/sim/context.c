/* SPDX-License-Identifier: MIT */
/*
 * Contexts: a stack for each simulated thread, and the switch between them.
 *
 * A stack is entered by the system's means once in the life of the explorer. At
 * its bottom the first function stays and waits to be jumped to: a thread of a
 * later run begins there, which costs no system call.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "sim.h"

char *sim_stacks;
static jmp_buf bottom[SIM_THREADS];
static bool entered[SIM_THREADS];

static void make_stacks(void)
{
	sim_stacks = mmap(NULL, (size_t)SIM_THREADS * SIM_STACK_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sim_stacks == MAP_FAILED) {
		perror("explore: no memory for the stacks of simulated threads");
		exit(2);
	}
	for (unsigned i = 0; i < SIM_THREADS; i++)
		mprotect(sim_stacks + (size_t)i * SIM_STACK_BYTES, 4096, PROT_NONE);
}

static void entry(void)
{
	_setjmp(bottom[sim_current->index]);
	entered[sim_current->index] = true;
	sim_learn(1); /* each step makes another state, this one too */
	sim_current->func();
	sim_thread_end();
}

static _Noreturn void enter(unsigned index)
{
	ucontext_t context;

	if (entered[index])
		_longjmp(bottom[index], 1);
	if (!sim_stacks)
		make_stacks();
	getcontext(&context);
	context.uc_stack.ss_sp = sim_stacks + (size_t)index * SIM_STACK_BYTES;
	context.uc_stack.ss_size = SIM_STACK_BYTES;
	context.uc_link = NULL;
	makecontext(&context, entry, 0);
	setcontext(&context);
	abort();
}

/* Returns when another thread switches back. */
void sim_switch_to(struct sim_thread *thread)
{
	struct sim_thread *from = sim_current;

	if (thread == from)
		return;
	sim_current = thread;
	if (from && _setjmp(from->context))
		return;
	if (thread->started)
		_longjmp(thread->context, 1);
	thread->started = true;
	enter(thread->index);
}
