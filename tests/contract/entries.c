// SPDX-License-Identifier: MIT OR GPL-2.0
/* Calls in the caller's storage. */
#include "harness.h"

static async_cookie_t seen;

static void see(void *data, async_cookie_t cookie)
{
	seen = cookie;
	count(data, cookie);
}

/* Needs no initialisation: whatever is in it. */
TEST(an_entry_is_the_librarys_until_a_wait_saw_it_complete, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int i = 0; i < SCALE(5000); i++) {
		struct async_entry entry;
		atomic_uint n = 0;
		async_cookie_t cookie;

		memset(&entry, (int)(i & 0xff), sizeof(entry));
		cookie = async_schedule_entry(&entry, see, i % 3 ? NULL : count, &n, i & 1 ? &domain : NULL);
		CHECK(cookie != 0);
		if (i % 2)
			CHECK_EQ(async_synchronize_call(cookie, NULL), 0);
		else
			CHECK_EQ(async_synchronize_full(), 0);
		memset(&entry, 0xa5, sizeof(entry));
		CHECK_EQ(n, i % 3 ? 1 : 2);
		CHECK_EQ(seen, cookie);
	}
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(an_entry_goes_with_its_page, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	for (unsigned int i = 0; i < SCALE(1000); i++) {
		void *page = page_new();
		atomic_uint n = 0;

		async_schedule_entry(page, count, i & 1 ? count : NULL, &n, &domain);
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
		page_poison(page);
	}
}

static struct record retired;
static struct record ran;

static void retire(void *data, async_cookie_t cookie)
{
	record(&retired, cookie);
}

static void run(void *data, async_cookie_t cookie)
{
	record(&ran, cookie);
}

TEST(entries_keep_order_among_other_calls, .pools = PALL)
{
	static struct async_entry entries[2000];
	ASYNC_DOMAIN(domain);

	for (unsigned int i = 0; i < 2000; i++) {
		CHECK(async_schedule_entry(&entries[i], run, i & 1 ? retire : NULL, NULL, &domain));
		if (i % 4 == 0)
			CHECK(async_schedule_ordered(nothing, retire, NULL, &domain));
	}
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(ran.n, 2000);
	CHECK_EQ(retired.n, 1500);
	CHECK(record_increasing(&retired));
}
