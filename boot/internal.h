/* SPDX-License-Identifier: MIT */
/*
 * What the files of inorder-init share.
 *
 * The order of things (docs/INIT.md has the reasons): initcalls schedule
 *   - loads: one call a module, which waits for those of its dependencies;
 *   - finds: one call a controller, which returns when everything behind the controller is known;
 *   - names: one ordered call a controller, whose retire step lets the disks have their names;
 *   - the watch: one call that returns when it is known whether these controllers have the root;
 *   - the rest: calls that wait for the watch and do nothing if the root was found.
 */
#ifndef BOOT_INTERNAL_H
#define BOOT_INTERNAL_H

#include <inorder/async.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NEW_ROOT "/root"
#define NSEC_PER_SEC UINT64_C(1000000000)

/* cmdline.c: the kernel's command line. Text points into the parsed line. */
struct cmdline {
	const char *root, *rootfstype, *rootflags, *init, *trace, *break_at, *boot, *resume;
	const char *unknown[8]; /* words that this /init should know or another initramfs would honour */
	size_t unknown_count;
	unsigned int wait_s;              /* for the root; UINT_MAX: no limit */
	unsigned int panic_s;             /* with no_shell: when the machine starts again after a failure */
	unsigned long long resume_offset; /* of a swap file: pages */
	bool overlay, noresume;
	bool rw, initcall_debug, serial, unordered, no_shell, no_signatures;
	bool fsck_skip, fsck_force, fsck_yes, fsck_no;
};
extern struct cmdline cmdline;
/** Parse @line, which is changed and must outlive @result. */
void cmdline_parse(char *line, struct cmdline *result);
/** Read /proc/cmdline into the global cmdline. Return: 0 or -errno. */
int cmdline_read(void);
/** True in the process that does, beside the real init, what the root did not need. */
bool is_finisher(void);
/** This process is the finisher: its argv[0] says so. */
void cmdline_be_finisher(void);

/* say.c: one line each. say() is for the kernel's log, complain() for the console as well. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* file.c: small files and paths of sysfs */
/** Read a text without its last newline. Return: bytes, or -errno. */
int file_read(const char *path, char *text, size_t room);
/** Write a text to a file that exists. Return: 0 or -errno. */
int file_write(const char *path, const char *text);
bool file_exists(const char *path);
/** The partition @number of the disk at the sysfs path @disk. Return: true if it has one; then its @name. */
bool block_partition(const char *disk, unsigned int number, char *name, size_t room);
/** The last part of where the link PATH/NAME points to. Return: true if there is such a link. */
bool file_link_name(const char *path, const char *name, char *text, size_t room);
uint64_t now_ns(void);
/** printf into an array; the text is cut at its end. */
#define path_print(array, ...) path_print_room(array, sizeof(array), __VA_ARGS__)
void path_print_room(char *text, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* uevent.c: the kernel's uevents. Open, then look at the state, then wait: nothing is missed between. */
struct uevent {
	const char *action, *devpath, *subsystem, *devname, *modalias;
};
/** Parse one message, which must end with NUL. Return: false if it is not the kernel's. */
bool uevent_parse(const char *message, size_t bytes, struct uevent *event);
/** Return: a socket, or -errno. */
int uevent_open(void);
/** Read one event into @buffer. Return: true; false if there is none at the moment. *@lost: some were dropped. */
bool uevent_read(int fd, char *buffer, size_t room, struct uevent *event, bool *lost);
/** Wait for @what (traced), event by event, until @ready says true. Return: false if the time was over before. */
bool uevent_wait(int fd, const char *what, bool (*ready)(void *data), void *data, uint64_t deadline_ns);

/* early_mounts.c: the kernel's own file systems */
int mounts_early(void);

struct facts;

/* kernel_module.c: one module and the kernel */
/** Load the file @path. Return: 0 or -errno. */
int kernel_module_load(const char *path, const char *options);
/** Whether a file is handed over as it is, without libkmod. */
bool kernel_module_is_plain(const char *path);
/** False if the module at @path is for other processors than this machine has. */
bool kernel_module_fits(const char *path);
/** True once its functions can be used; its load may not be over yet. */
bool kernel_module_is_live(const char *name);
/** Wait until the load of a module is over, whoever has begun it. */
void kernel_module_wait(const char *name);
/** Remove a module whose drivers have no device, so that it can be loaded again. */
void kernel_module_unload_idle(const char *name);

/* modules.c: every module once */
struct module_set {
	struct module **modules;
	size_t count;
};
enum module_probe {
	MODULE_PROBE_ASYNC, /* async_probe: the load does not wait for devices */
	MODULE_NO_NETWORK,  /* the same, but no driver of network interfaces: these come after those on PCI */
	MODULE_PROBE_WAIT,  /* the load returns when the kernel's own async calls have ended */
	MODULE_FOR_ROOT,    /* async_probe; the root cannot be mounted without it */
	MODULE_HINTED,      /* async_probe; the root may need it, as far as anyone knows */
	MODULE_FIRST        /* others load faster once it is there; not if it is for other processors */
};
/** Schedule the loads of what a modalias or a name asks for. @set: what was found; may be NULL. */
void modules_request(const char *alias, enum module_probe probe, struct module_set *set);
/** Schedule the load of what a hint names if @may says so of the path; else of what it needs, as far as that may. */
void modules_hint(const char *alias, bool (*may)(const char *path));
/** Wait for the loads of a set and free it. Return: 0, or the first error. */
int modules_wait(struct module_set *set);
/** The same, and @why says which module failed first, if one did. */
int modules_wait_why(struct module_set *set, char *why, size_t room);
/** Wait for what the modules of a set need, and free the set. */
void modules_wait_needs(struct module_set *set);
/**
 * What a driver wants of the load of its module @name: more @options, unless the user gave @unless; a call after it.
 */
struct module_hook {
	struct module_hook *next;
	const char *name, *options, *unless;
	void (*loaded)(void);
};
/** Register a hook, before the first request that could load its module. */
void modules_hook(struct module_hook *hook);
/** A module that was loaded here: the processor time that took, with that of the longest chain of what it needs. */
struct module_time {
	const char *name;
	uint64_t own_us, chain_us;
	bool of_root; /* the root could not be mounted without it */
};
/** Return: how many there are; the caller frees *@times, which may be NULL. */
size_t modules_loaded(struct module_time **times);
/**
 * From now on begin no load but of what the root itself needs, and wait for those of that which have begun. The others
 * go on beside process 1, more slowly, and execve() does not wait for them: the finisher does the rest.
 */
void modules_stop(void);

/* naming.c */
/** Before names are given. Return: false if this process gives no more; else naming_end() follows. */
bool naming_begin(void);
void naming_end(void);
/** This process gives no more names: what is being found may now stay incomplete. Waits for those under way. */
void naming_stop(void);

/* apart.c */
/**
 * Take a step that nothing can interrupt in the kernel: beside process 1, so that execve() does not wait for it.
 * @step: returns 0 or -errno; unless it @allocates it calls the kernel alone. @pid: who does it, meanwhile; @used_ns:
 * the processor time of that. Return: what the step returned.
 */
int apart_run(int (*step)(void *data), void *data, bool allocates, atomic_int *pid, uint64_t *used_ns);

/* device.c: one device of sysfs and those below it */
/** Load the drivers of the device at @path and of all below it, bind it, and so on for what appears. */
void device_find(const char *path, enum module_probe probe);
/** Call @visit for every device below @path (and for itself) that has a file @name. */
void device_walk(const char *path, const char *name, void (*visit)(const char *path, void *data), void *data);
/** Bind a device now, or wait until someone else has done it. */
void device_bind(const char *path);

/* What a modalias of virtio begins with: these have names, so they wait for their turn; see virtio.c */
#define DEVICE_VIRTIO_CARD "virtio:d00000001"
#define DEVICE_VIRTIO_DISK "virtio:d00000002"

/* pci.c: functions of PCI in the order of their addresses */
struct pci_function {
	char address[32];
	char path[PATH_MAX];
	unsigned int class_code; /* base, sub, interface: 0x010601 is AHCI */
	unsigned int vendor, device, subdevice;
	const struct pci_function *before; /* which has to have loaded before this one may; NULL: none */
	async_func_t finder;             /* finds what is behind it, which the kernel then calls SCSI; NULL: nothing */
	enum module_probe probe;         /* how its driver is loaded */
	async_cookie_t load, find, name; /* its calls; see storage.c */
};
/** The functions whose base class, and subclass unless it is -1, are these: the next one after @from (NULL: first). */
struct pci_function *pci_next(struct pci_function *from, unsigned int base, int subclass);
/** Compare addresses of PCI: domain, bus, device, function. */
int pci_compare(const char *one, const char *other);
bool pci_parse(const char *address, unsigned int place[4]);
bool pci_is_virtio(const struct pci_function *function);
/** Schedule the loads of the drivers of a function, and of the device of virtio behind it. */
void pci_request(const struct pci_function *function, enum module_probe probe, struct module_set *set);
/** No driver binds a function that has none yet, until it is let go; with inorder.unordered nothing is held. */
void pci_hold(const struct pci_function *function);
void pci_let_go(const struct pci_function *function);

/* scsi.c */
/** Where a SCSI device is: host, channel, target, LUN. */
struct scsi_place {
	unsigned int host, channel, target;
	uint64_t lun;
};
bool scsi_parse(const char *name, struct scsi_place *place);
int scsi_compare(const struct scsi_place *one, const struct scsi_place *other);
/** Let the disks below a device have their names, in the order of their places. */
void scsi_name_disks(const char *above);
/** Give names to whatever SCSI device is left, and from now on as they come. */
void scsi_release(void);

/* virtio.c */
/** Let the disks, or the network cards, below a device have their names, in the order of their places. */
void virtio_name_disks(const char *above);
void virtio_name_cards(const char *above);
/** Bind whatever is left, and from now on as it comes. */
void virtio_release(void);

/* Finds are registered: a full wait covers them. The rest is exclusive, because it waits for a full wait. */
extern struct async_domain find_domain, rest_domain;

/* root_choice.c; more of it in root_choice.h */
/** True once the root was chosen. */
bool root_is_found(void);
/** A file descriptor that can be read when the waiter is to look again; both ends of that. */
int root_event(void);
void root_wake(void);
void root_woken(void);

/* root_device.c; more of it in root_device.h */
/** Look at every block device that is new, each in a call of its own; @wait: until these devices are judged. */
void root_look(bool wait);

/* nvme.c */
/** Bind the controllers that are still held. */
void nvme_release(void);

/* cards.c: network and SD cards */
/** Wait until every card has its number, if these are wanted in this process. */
void cards_wait(void);
/** Bind the cards that are still held. */
void cards_release(void);

/* holds.c */
/** Name in the order of places whatever was found and is still held; what comes later is named as it comes. */
void holds_release(void);

/* usb.c */
/** Wait until USB disks have their names. */
void usb_wait(void);
/** Look for disks even if the root was found, if something else is @missing then. */
void usb_want(bool (*missing)(void));
/** For what brings no disk: rest_wanted(), and then the USB disks are waited for first. */
bool rest_wanted_late(void);

/* watch.c */
/** For calls of the rest: wait for the watch. Return: true if the rest is wanted now, in this process. */
bool rest_wanted(void);

/* filesystem.c */
/** Wait for the driver of a file system; one that cannot be loaded is named on the console. */
void root_wait_filesystem(const char *type);

/* hints.c */
/** Leave in /run what @root needed, for the image of a later boot. */
void hints_record(const struct facts *root);

/* root.c */
/** Wait for the root. Return: false if it did not come in time. */
bool root_wait(void);

/* raid.c */
/** A member of the array @uuid was seen. */
void raid_member_seen(const char *device, const char *uuid);
/** /dev/@name was taken away: mdadm would refuse an array of which it is given what is not there. */
void raid_member_gone(const char *name);
/** The name of the array @device, without the host's; empty if it is no array that was assembled here. */
void raid_array_name(const char *device, char *name, size_t room);
/** How mdadm names the array @device: HOST:NAME, and its id. Return: false if it was not assembled here. */
bool raid_array_ids(const char *device, char *name, char *uuid, size_t room);
/** Assemble the arrays of the members that were seen. @degraded: also those that lack some. Return: true if any. */
bool raid_assemble(bool degraded);

/* fsck.c: the check of the root runs in a call of its own */
void fsck_start(const struct facts *root);
/** Wait for the check, and leave for systemd that @name was checked. Return: 0; else what failed was reported. */
int fsck_wait(const char *name);
/** It could not be mounted. If its superblock alone was read: check it now. Return: 0 if so, and it is good. */
int fsck_closely(const struct facts *device, const char *name);

/* process.c: programs of the image */
/** Run a program, its output into @output. Return: exit status; 128 + signal; or -errno. */
int process_run(const char *const argv[], char *output, size_t room);
/** The same; the program reads @text from its standard input, unless that is NULL. */
int process_run_input(const char *const argv[], const char *text, char *output, size_t room);

/* systemd.c */
/** Note the moment as the beginning of the initramfs. */
void systemd_note_start(void);
/** The process that finds devices after the real init was executed: systemd_execute() leaves units that wait for it. */
void systemd_note_finisher(pid_t pid);
/** Whether it waits for other disks than the root. */
void systemd_note_waits(bool waits);
/** While this file is there no one waits for the finisher, and the real init goes first. */
#define PATIENCE "/run/inorder/patience"

/* patience.c */
/** Wait until a @file that is there is removed, the process @worker has ended, or @most_ms are over; -1: no limit. */
void patience_wait(const char *file, pid_t worker, int most_ms);
/** Execute the init argv[0] with what systemd is to know of the initramfs, if it is systemd. Returns if not so. */
void systemd_execute(char **argv);

/* switch_root.c */
/** Move the mounts, leave the initramfs (and free it), execute init. Returns only on failure, said on the console. */
void switch_root(char **argv, bool free_it);
/** Delete the files below an open folder, if it is an initramfs; closes it. */
void free_initramfs(int folder);

/* rest.c */
/** Wait for the calls of the rest, USB included. */
void rest_wait(void);

/* finish.c */
#define FINISHER "inorder-finisher" /* its argv[0] */
/** Start the finisher. Return: its process, or -errno. */
int finisher_start(void);
/** What the finisher does; its result is the exit status. */
int finisher_main(void);

/* failure.c */
/** A shell at the point that break= names, if this is it; the boot goes on when it ends. */
void break_here(const char *point);
/** Say what failed, then give a shell, power off, or start again as panic= says. */
_Noreturn void failure(const char *format, ...) __attribute__((format(printf, 1, 2)));
#endif
