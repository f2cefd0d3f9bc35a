// SPDX-License-Identifier: MIT OR GPL-2.0
/* debugfs: async/report (who runs, and who waits for whom), async/counters. */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>

#include "internal.h"

#ifdef MODULE
#define FOLDER "inorder"
#else
#define FOLDER "async"
#endif

static struct dentry *folder;

static int report_show(struct seq_file *file, void *unused)
{
	port_report(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(report);

static int counters_show(struct seq_file *file, void *unused)
{
	struct port_counters *counters = &port_counters;

	seq_printf(file, "waiters_woken %lld\nwaiters_told_to_look_again %lld\n",
		   (long long)atomic64_read(&counters->wakes), (long long)atomic64_read(&counters->poked));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* Without debugfs it does nothing, as is usual there. */
void port_debugfs_begin(void)
{
	folder = debugfs_create_dir(FOLDER, NULL);
	debugfs_create_file("report", 0400, folder, NULL, &report_fops);
	debugfs_create_file("counters", 0400, folder, NULL, &counters_fops);
}

void port_debugfs_end(void)
{
	debugfs_remove_recursive(folder);
}
