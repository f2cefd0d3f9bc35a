/* SPDX-License-Identifier: MIT */
/*
 * Faults on purpose. The programs in this folder are linked with the static
 * library and --wrap, so that every allocation, every thread that the library
 * makes and every futex that it waits for passes here first.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include "../harness.h"

struct fault {
	atomic_long seen;   /* so many were asked for since fault_arm() */
	atomic_long first;  /* the first that fails, from 1; 0: none does */
	atomic_long last;   /* the last that fails */
	atomic_long failed; /* so many did */
};

extern struct fault fault_memory;
extern struct fault fault_threads;
/* Waits only: the kernel's wakes do not fail. */
extern struct fault fault_futex;
/* What a wait that fails returns: an errno, or 0, woken for no reason. */
extern atomic_int fault_futex_error;

enum { FOR_EVER = 1 << 30 };
/* Requests FIRST to LAST fail, counted from now. */
void fault_arm(struct fault *fault, long first, long last);
void fault_disarm(struct fault *fault);

#endif
