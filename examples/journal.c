/* SPDX-License-Identifier: MIT */
/* Records are made out of order, at most four at a time, and written in order; the first that fails is the last. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <inorder/async.h>

static ASYNC_DOMAIN_EXCLUSIVE(records);

static void make(void *data, async_cookie_t cookie)
{
	(void)cookie;
	usleep((unsigned int)(*(int *)data % 3) * 1000); /* stands for work */
}

/* What is lower is complete, so its error is final. */
static void write_in_turn(void *data, async_cookie_t cookie)
{
	int number = *(int *)data;
	async_cookie_t failed;

	if (async_domain_error(&records, &failed) && failed < cookie)
		return; /* a lower record was not written: this one has no effect */
	if (number == 5)
		async_set_error(-ENOSPC); /* stands for a full disk */
	else
		printf("record %d\n", number);
}

int main(void)
{
	async_cookie_t cookies[4] = {0};
	int numbers[8];

	for (int i = 0; i < 8; i++) {
		numbers[i] = i;
		if (cookies[i % 4])
			async_synchronize_call(cookies[i % 4], &records); /* the oldest of the four */
		cookies[i % 4] = async_schedule_ordered(make, write_in_turn, &numbers[i], &records);
		if (!cookies[i % 4])
			return 1;
	}
	async_synchronize_full_domain(&records);
	printf("%s\n", strerror(-async_domain_error(&records, NULL)));
	return 0;
}
