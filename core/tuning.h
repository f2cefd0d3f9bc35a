/* SPDX-License-Identifier: MIT */
/*
 * Every tuned number of the core, and what moves when it changes. Rows (W1 to W9) are those of docs/PERFORMANCE.md.
 * Found on a virtual machine with two processors (AMD EPYC, 2.6 GHz, a futex wake of 5 us); numbers of processors and
 * the longest spin are the port's, measured at start-up. Nothing but speed and memory depends on any of them.
 */
#ifndef CORE_TUNING_H
#define CORE_TUNING_H

/* ---- storage ---- */

#define ROB_SLOTS_LARGE 62   /* calls of a block, 2 KB with its header: larger ones keep more memory beside a sleeper */
#define ROB_SLOTS_SMALL 6    /* of a domain's first, 256 bytes: W8 with many domains */
#define ROB_SPARE_SMALL 4096 /* free blocks kept, 1 MB: W8 with 4,096 domains 272 ns at 256 of them, 162 at 4,096 */
#define ROB_SPARE_LARGE 256  /* 512 KB: W1; more is memory that an idle program keeps */
#define ROB_SWEEP_SLACK 64   /* dead slots that are not worth a walk of the queue: helping and cancelling */

/* ---- leases ---- */

#define ROB_LEASE 64          /* most calls of one: W1 32.9 ns, with 128 30.5 and a kilobyte more a worker */
#define LEASE_GROW_NS 8000    /* a full lease that took less is doubled: W1, W8 */
#define LEASE_SHRINK_NS 16000 /* one that took more is halved: the latency of calls behind longer ones */
#define LEASE_SINGLE_NS 50000 /* after one that took this long: one call at a time */
#define LEASE_AFTER_WAIT 32   /* leases of one call after a call that waited; others of its kind will: W2, W7 */
#define LEASE_GATHER_SPINS 64 /* some 1.5 us before a short lease ends, so that calls gather: W1 47 ns became 40 */
#define HELP_FROM 4   /* a port's: threads a processor from which on a worker helps before it is replaced: fork-join */
#define HELP_DEPTH 32 /* calls on its stack up to which it does: more make each wait there dearer */
#define LEASES_LEFT 4 /* pending calls, in leases, that are left to workers with short calls: W1 */

/* ---- workers ---- */

#define COLD_BURST 16             /* more than processors, at once, until calls show that they are short: W3 cold */
#define COLD_MORE 240             /* so many more if the first ones sleep: W3 cold, from 16 to 256 calls */
#define COLD_USED_SHARE 4         /* they sleep if they use less of the time than this part: starting takes some */
#define WORKER_LINGER_SPINS 32    /* some 500 ns before a worker rests, less than a wake-up: W1, W9 */
#define WORKER_IDLE_NS 5000000000 /* an idle worker ends after this; the first of them never does: W4 */
#define WORKER_SETTLED_NS 50000   /* a lease so short did not block: its worker counts as active again */
#define WORKER_RETRY_NS 10000000  /* after a thread could not be started */

/* ---- turns that come late (rob_pool_narrow()): W2 beside busy loops ---- */

#define TURN_SHORT_NS 20000     /* calls that ran so long before they waited gain more by a processor than they lose */
#define NARROW_AGAIN_NS 1000000 /* all that spin for one turn are late with it, and count once */
#define CALM_FIRST_NS 4000000   /* for so long half the processors are used; a stall costs some milliseconds */
#define CALM_GROWTH 4           /* times longer when the next stall comes soon after, */
#define CALM_MOST_NS 256000000  /* up to this: how late it is seen that the processors are free again */

/* ---- the monitor ---- */

#define MONITOR_FIRST_NS 50000       /* its first look: how soon blocked workers are replaced, W3 cold */
#define MONITOR_BURST 4              /* workers more for each that is found asleep: W3 cold, 64 calls */
#define MONITOR_SAMPLE 8             /* sleepers that one look finds, if others are awake for all: W3 warm */
#define MONITOR_SLOWEST_NS 2000000   /* looks come twice as late each time, up to this: CPU time beside long calls */
#define MONITOR_STARVED_NS 100000000 /* nothing claimed for so long: one worker more, in case calls spin */
#define MONITOR_QUIET_LOOKS 5        /* looks without anything to watch before it parks: W4 */

/* ---- waiting ---- */

#define SPIN_RAN_NS 100000 /* a call that has run for longer does not spin for its turn: W3 */
#define SPIN_LOOK 16       /* rounds between looks at the clock: W2 */
#define DEADLOCK_AHEAD 8   /* waits that the look ahead for a cycle follows at a time, */
#define DEADLOCK_LOOKS 32  /* and calls that it looks at, before the search proper: bench/instructions/growth.py */

#endif
