/* SPDX-License-Identifier: MIT */
/* Names are given by process 1 until it leaves the rest to the finisher, and then by that alone. */
#include "internal.h"

#include <pthread.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER; /* names are being given */
static bool is_over;

bool naming_begin(void)
{
	pthread_rwlock_rdlock(&lock);
	if (!is_over)
		return true;
	pthread_rwlock_unlock(&lock);
	return false;
}

void naming_end(void)
{
	pthread_rwlock_unlock(&lock);
}

void naming_stop(void)
{
	pthread_rwlock_wrlock(&lock);
	is_over = true;
	pthread_rwlock_unlock(&lock);
}
