/* SPDX-License-Identifier: MIT */
/*
 * For helgrind, which knows POSIX' locks but neither C11's atomic operations nor futexes: included before every file
 * (-include), it tells what each atomic operation orders, as far as its order says so. A relaxed operation orders
 * nothing, so a release or acquire that is missing is a race on what it should have ordered. The words themselves are
 * left out: an atomic operation is no race.
 */
#ifndef TESTS_HELGRIND_ANNOTATE_H
#define TESTS_HELGRIND_ANNOTATE_H
#ifndef __cplusplus

#include <stdatomic.h>
#include <valgrind/helgrind.h>

#define HG_HIDE(p) VALGRIND_HG_DISABLE_CHECKING((const void *)(p), sizeof(*(p)))
#define HG_ACQUIRES(order) ((order) != __ATOMIC_RELAXED && (order) != __ATOMIC_RELEASE)
#define HG_RELEASES(order) ((order) == __ATOMIC_RELEASE || (order) == __ATOMIC_ACQ_REL || (order) == __ATOMIC_SEQ_CST)
#define HG_BEFORE(p, order) \
	do { \
		HG_HIDE(p); \
		if (HG_RELEASES(order)) \
			ANNOTATE_HAPPENS_BEFORE(p); \
	} while (0)
#define HG_AFTER(p, order) \
	do { \
		if (HG_ACQUIRES(order)) \
			ANNOTATE_HAPPENS_AFTER(p); \
	} while (0)
/* The value of an operation, with what it orders before and after it. */
#define HG_OPERATION(p, order, operation) \
	__extension__({ \
		__auto_type hg_p = (p); \
		HG_BEFORE(hg_p, order); \
		__auto_type hg_value = operation; \
		HG_AFTER(hg_p, order); \
		hg_value; \
	})

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_sub

#define atomic_load_explicit(p, order) HG_OPERATION(p, order, __atomic_load_n(hg_p, order))
#define atomic_store_explicit(p, value, order) \
	do { \
		__auto_type hg_p = (p); \
		HG_BEFORE(hg_p, order); \
		__atomic_store_n(hg_p, value, order); \
	} while (0)
#define atomic_exchange_explicit(p, value, order) HG_OPERATION(p, order, __atomic_exchange_n(hg_p, value, order))
#define atomic_fetch_add_explicit(p, n, order) HG_OPERATION(p, order, __atomic_fetch_add(hg_p, n, order))
#define atomic_fetch_sub_explicit(p, n, order) HG_OPERATION(p, order, __atomic_fetch_sub(hg_p, n, order))
#define atomic_fetch_or_explicit(p, bits, order) HG_OPERATION(p, order, __atomic_fetch_or(hg_p, bits, order))
#define HG_EXCHANGE(p, old, value, weak, order, failed) \
	__extension__({ \
		__auto_type hg_p = (p); \
		HG_BEFORE(hg_p, order); \
		_Bool hg_done = __atomic_compare_exchange_n(hg_p, old, value, weak, order, failed); \
		if (hg_done) \
			HG_AFTER(hg_p, order); \
		else \
			HG_AFTER(hg_p, failed); \
		hg_done; \
	})
#define atomic_compare_exchange_strong_explicit(p, old, value, order, failed) \
	HG_EXCHANGE(p, old, value, 0, order, failed)
#define atomic_compare_exchange_weak_explicit(p, old, value, order, failed) HG_EXCHANGE(p, old, value, 1, order, failed)
#define atomic_load(p) atomic_load_explicit(p, __ATOMIC_SEQ_CST)
#define atomic_store(p, value) atomic_store_explicit(p, value, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, value) atomic_exchange_explicit(p, value, __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, n) atomic_fetch_add_explicit(p, n, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, n) atomic_fetch_sub_explicit(p, n, __ATOMIC_SEQ_CST)

/* The library uses the builtins where a word cannot be declared atomic. */
#define __atomic_load_n(p, order) \
	__extension__({ \
		__auto_type hg_word = (p); \
		HG_HIDE(hg_word); \
		__auto_type hg_read = __atomic_load_n(hg_word, order); \
		HG_AFTER(hg_word, order); \
		hg_read; \
	})
#define __atomic_store_n(p, value, order) \
	do { \
		__auto_type hg_word = (p); \
		HG_BEFORE(hg_word, order); \
		__atomic_store_n(hg_word, value, order); \
	} while (0)

#endif
#endif
