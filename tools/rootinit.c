/* SPDX-License-Identifier: MIT */
/*
 * The /sbin/init of the measured root file system. It says that it was reached, which ends the measured
 * time, waits for what inorder-init left to a child, then says which disks and network cards there are,
 * copies the trace and the kernel's log out of the machine, and powers off.
 *
 * Some words on the kernel's command line are for it. rootinit.kill=N,... kills the process that finds the other
 * disks when there are N of them, again for each number. rootinit.busy=N has N endless loops run until it is done.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <sys/io.h>
#endif
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TRACE_FILE "/run/inorder.trace"
#define TRACE_PORT "/dev/ttyS1"
#define LOG_PORT "/dev/ttyS2"

/* Debug consoles of QEMU (isa-debugcon), whose files are those of the serial ports: they take each byte at once, where
 * an emulated serial port takes half of the time of a boot. */
enum { TRACE_CONSOLE = 0xe9, LOG_CONSOLE = 0xea, CONSOLE_ANSWERS = 0xe9 };
enum { KLOG_READ_ALL = 3, KLOG_BUFFER_BYTES = 10, MOST_BUSY = 16 };

static int kmsg = -1;
static pid_t busy[MOST_BUSY];
static int busy_count;

/* A line for the kernel's log, where it gets the kernel's time, and for the console. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[1024];
	va_list args;
	int start = snprintf(line, sizeof(line), "<5>inorder-root: ");

	va_start(args, format);
	vsnprintf(line + start, sizeof(line) - (size_t)start - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	if (kmsg < 0 || write(kmsg, line, strlen(line)) < 0)
		fputs("inorder-root: cannot write to the kernel's log\n", stdout);
	fputs(line + 3, stdout);
	fflush(stdout);
}

static bool write_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t done = write(fd, bytes, count);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			bytes += done;
			count -= (size_t)done;
		}
	}
	return true;
}

#if defined(__x86_64__) || defined(__i386__)
static bool is_console(unsigned short console)
{
	return !ioperm(console, 1, 1) && inb(console) == CONSOLE_ANSWERS;
}

static void to_console(unsigned short console, const char *bytes, size_t count)
{
	outsb(console, bytes, count);
}
#else
static bool is_console(unsigned short console)
{
	(void)console;
	return false;
}

static void to_console(unsigned short console, const char *bytes, size_t count)
{
	(void)console;
	(void)bytes;
	(void)count;
}
#endif

/* A way out of the machine: a debug console, or else a serial port. */
struct port {
	unsigned short console;
	int fd;
};

/* A serial port passes every byte as it is. */
static bool open_port(struct port *port, unsigned short console, const char *path)
{
	struct termios settings;

	*port = (struct port){is_console(console) ? console : 0, -1};
	if (port->console)
		return true;
	port->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port->fd < 0 || tcgetattr(port->fd, &settings)) {
		say("cannot open %s: %s", path, strerror(errno));
		if (port->fd >= 0)
			close(port->fd);
		return false;
	}
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL;
	cfsetspeed(&settings, B115200);
	tcsetattr(port->fd, TCSANOW, &settings);
	return true;
}

static bool write_port(struct port *port, const char *bytes, size_t count)
{
	if (!port->console)
		return write_all(port->fd, bytes, count);
	to_console(port->console, bytes, count);
	return true;
}

static void close_port(struct port *port)
{
	if (port->console)
		return;
	tcdrain(port->fd);
	close(port->fd);
}

static void send_trace(void)
{
	static char buffer[65536];
	struct port port;
	int file = open(TRACE_FILE, O_RDONLY | O_CLOEXEC);
	bool opened = open_port(&port, TRACE_CONSOLE, TRACE_PORT);
	ssize_t got = 0;

	if (file < 0)
		say("cannot read %s: %s", TRACE_FILE, strerror(errno));
	while (file >= 0 && opened && (got = read(file, buffer, sizeof(buffer))) > 0)
		if (!write_port(&port, buffer, (size_t)got))
			break;
	if (got)
		say("cannot copy %s to %s: %s", TRACE_FILE, TRACE_PORT, strerror(errno));
	if (opened)
		close_port(&port);
	if (file >= 0)
		close(file);
}

static void send_log(void)
{
	struct port port;
	int bytes = klogctl(KLOG_BUFFER_BYTES, NULL, 0);
	bool opened = open_port(&port, LOG_CONSOLE, LOG_PORT);
	char *log = bytes > 0 ? malloc((size_t)bytes) : NULL;

	bytes = log ? klogctl(KLOG_READ_ALL, log, bytes) : -1;
	if (bytes < 0 || !opened || !write_port(&port, log, (size_t)bytes))
		say("cannot copy the kernel's log to %s: %s", LOG_PORT, strerror(errno));
	if (opened)
		close_port(&port);
	free(log);
}

/* Reads a file of sysfs, without blanks around its text. */
static bool read_text(const char *path, size_t skip, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, text, room - 1, (off_t)skip);
	size_t start;

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	for (size_t end = strlen(text); end && strchr(" \n", text[end - 1]); end--)
		text[end - 1] = '\0';
	start = strspn(text, " ");
	memmove(text, text + start, strlen(text + start) + 1);
	return *text != '\0';
}

/* SD cards of one make have one serial number, so such a disk is told by the address of its host on PCI. */
static bool find_slot(char *path, char *serial, size_t room)
{
	char *end = strstr(path, "/mmc_host/"), *slash;

	if (!end)
		return false;
	*end = '\0';
	slash = strrchr(path, '/');
	snprintf(serial, room, "sd-%s", slash ? slash + 1 : path);
	return true;
}

/* A disk's serial number: of its own (SCSI page 0x80, after 4 bytes of header), else of the nearest device above it. */
static void find_serial(const char *disk, char *serial, size_t room)
{
	char path[PATH_MAX + 16], real[PATH_MAX], *slash;

	snprintf(path, sizeof(path), "/sys/block/%s/device/vpd_pg80", disk);
	if (read_text(path, 4, serial, room))
		return;
	snprintf(path, sizeof(path), "/sys/block/%s", disk);
	if (!realpath(path, real))
		*real = '\0';
	if (find_slot(real, serial, room))
		return;
	while ((slash = strrchr(real, '/')) && slash != real) {
		snprintf(path, sizeof(path), "%s/serial", real);
		if (read_text(path, 0, serial, room))
			return;
		*slash = '\0';
	}
	snprintf(serial, room, "-");
}

static int is_disk(const struct dirent *item)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/block/%s/device", item->d_name);
	return access(path, F_OK) == 0;
}

static void say_disks(void)
{
	struct dirent **disks;
	int count = scandir("/sys/block", &disks, is_disk, alphasort);

	if (count < 0)
		say("cannot read /sys/block: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		char serial[256];

		find_serial(disks[i]->d_name, serial, sizeof(serial));
		say("disk %s %s", disks[i]->d_name, serial);
		free(disks[i]);
	}
	if (count >= 0)
		free(disks);
}

static int is_card(const struct dirent *item)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", item->d_name);
	return access(path, F_OK) == 0;
}

/* Network interfaces with their addresses, which tell one card from another. */
static void say_cards(void)
{
	struct dirent **cards;
	int count = scandir("/sys/class/net", &cards, is_card, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX], address[32] = "-";

		snprintf(path, sizeof(path), "/sys/class/net/%s/address", cards[i]->d_name);
		read_text(path, 0, address, sizeof(address));
		say("card %s %s", cards[i]->d_name, address);
		free(cards[i]);
	}
	if (count >= 0)
		free(cards);
}

static void say_mounts(void)
{
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct mntent *mount;

	if (!mounts)
		say("cannot read /proc/mounts: %s", strerror(errno));
	while (mounts && (mount = getmntent(mounts)))
		say("mount %s %s %s %s", mount->mnt_dir, mount->mnt_fsname, mount->mnt_type, mount->mnt_opts);
	if (mounts)
		endmntent(mounts);
}

/* What follows a word of the kernel's command line; an empty text without it. */
static void find_word(const char *word, char *value, size_t room)
{
	char line[4096];
	const char *at = read_text("/proc/cmdline", 0, line, sizeof(line)) ? strstr(line, word) : NULL;

	snprintf(value, room, "%.*s", at ? (int)strcspn(at + strlen(word), " ") : 0, at ? at + strlen(word) : "");
}

static void start_busy(void)
{
	char text[16];

	find_word("rootinit.busy=", text, sizeof(text));
	for (long count = strtol(text, NULL, 10); busy_count < count && busy_count < MOST_BUSY; busy_count++) {
		busy[busy_count] = fork();
		if (!busy[busy_count])
			for (volatile unsigned long turns = 0;; turns++)
				;
	}
}

static void end_busy(void)
{
	for (int i = 0; i < busy_count; i++)
		kill(busy[i], SIGKILL);
}

static int count_disks(void)
{
	struct dirent **disks;
	const int count = scandir("/sys/block", &disks, is_disk, NULL);

	for (int i = 0; i < count; i++)
		free(disks[i]);
	if (count >= 0)
		free(disks);
	return count;
}

/* The only child of our first child, other than @last; 0 if there is none at the moment. */
static pid_t find_worker(pid_t last)
{
	char path[64], text[64];
	long child;

	if (!read_text("/proc/1/task/1/children", 0, text, sizeof(text)))
		return 0;
	child = strtol(text, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", child, child);
	if (!read_text(path, 0, text, sizeof(text)) || strtol(text, NULL, 10) == last)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}

static void kill_workers(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	char text[64], *rest = text, *word;
	pid_t last = 0;

	find_word("rootinit.kill=", text, sizeof(text));
	while ((word = strsep(&rest, ",")) && *word) {
		pid_t worker;

		while (!(worker = find_worker(last)) || count_disks() < strtol(word, NULL, 10))
			nanosleep(&pause, NULL);
		say("killing %d, which has found %d disks", worker, count_disks());
		kill(worker, SIGKILL);
		last = worker;
	}
}

/* The child that inorder-init has left is over when any child is that is not one of ours. */
static void wait_for_rest(void)
{
	pid_t pid;

	start_busy();
	kill_workers();
	do
		pid = wait(NULL);
	while (pid < 0 && errno == EINTR);
	end_busy();
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

/* What inorder-init holds back must be free again. */
static void say_holds(void)
{
	char path[PATH_MAX], text[64];
	struct dirent **items;
	const char *const buses[] = {"scsi", "virtio"};
	int count;

	for (size_t i = 0; i < sizeof(buses) / sizeof(*buses); i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/drivers_autoprobe", buses[i]);
		if (read_text(path, 0, text, sizeof(text)))
			say("autoprobe %s %s", buses[i], text);
	}
	count = scandir("/sys/bus/pci/devices", &items, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", items[i]->d_name);
		if (items[i]->d_name[0] != '.' && read_text(path, 0, text, sizeof(text)) && strcmp(text, "(null)"))
			say("held %s %s", items[i]->d_name, text);
		free(items[i]);
	}
	if (count >= 0)
		free(items);
}

int main(void)
{
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	say("reached");
	wait_for_rest();
	say("settled");
	say_mounts();
	say_disks();
	say_cards();
	say_holds();
	send_trace();
	send_log();
	sync();
	reboot(RB_POWER_OFF);
	say("cannot power off: %s", strerror(errno));
	return 1;
}
