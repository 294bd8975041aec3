/* SPDX-License-Identifier: Apache-2.0
 *
 * LD_PRELOAD library: makes /dev/gpiochipN appear to an unmodified, dynamically
 * linked program that uses libgpiod (1.6 or 2.x) or the GPIO character device
 * directly. GPIO ioctls are forwarded to fakegpiod over $FAKEGPIO_SOCK:
 *   LD_PRELOAD=.build/debug/libfakegpio.so FAKEGPIO_SOCK=DIR/sock PROGRAM
 */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/gpio.h>
#include "fakegpio_proto.h"	/* the wire format, shared with fakegpiod */

#define NEXT(fn) ({ static __typeof__(&fn) p_; if (!p_) p_ = (__typeof__(&fn))dlsym(RTLD_NEXT, #fn); p_; })

/* open descriptors, known by the inode of the socket or pipe behind them:
 * that survives dup() and needs no hook on close() */
static struct { dev_t dev; ino_t ino; uint32_t handle; } tab[256];
static unsigned ntab;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int fdkey(int fd, struct stat *st)
{
	return syscall(SYS_fstat, fd, st);
}
static void remember(int fd, uint32_t handle)
{
	struct stat st;
	if (fdkey(fd, &st)) return;
	pthread_mutex_lock(&lock);
	unsigned i;
	for (i = 0; i < ntab; i++)
		if (tab[i].ino == st.st_ino && tab[i].dev == st.st_dev) break;
	if (i == ntab && ntab < 256) ntab++;
	if (i == 256) i = handle % 256;		/* recycle: old ones are closed */
	tab[i].dev = st.st_dev; tab[i].ino = st.st_ino; tab[i].handle = handle;
	pthread_mutex_unlock(&lock);
}
static uint32_t handle_of(int fd)
{
	struct stat st;
	uint32_t h = 0;
	if (fdkey(fd, &st)) return 0;
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < ntab && !h; i++)
		if (tab[i].ino == st.st_ino && tab[i].dev == st.st_dev) h = tab[i].handle;
	pthread_mutex_unlock(&lock);
	return h;
}

/* Each thread stays connected, so that a read of a line costs about what it does on a real chip, not a connection more.
 * The inode is kept, too: who closes descriptors that are not its own may have closed ours, and the number may be another's now. */
static __thread struct { int fd; dev_t dev; ino_t ino; } line = { .fd = -1 };

static int isours(void)
{
	struct stat st;
	return line.fd >= 0 && !fdkey(line.fd, &st) && st.st_dev == line.dev && st.st_ino == line.ino;
}
static pthread_key_t leaving;
static void leave(void *unused) { (void)unused; if (isours()) close(line.fd); }
__attribute__((constructor)) static void begin(void) { pthread_key_create(&leaving, leave); }

static int connected(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	const char *s = getenv("FAKEGPIO_SOCK");
	if (!s) return -1;
	if (isours()) return line.fd;
	strncpy(sa.sun_path, s, sizeof sa.sun_path - 1);
	line.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (line.fd < 0) return -1;
	if (connect(line.fd, (void *)&sa, sizeof sa) || fdkey(line.fd, &st)) {
		close(line.fd);
		return line.fd = -1;
	}
	line.dev = st.st_dev; line.ino = st.st_ino;
	pthread_setspecific(leaving, &line);
	return line.fd;
}

/* one exchange with the server; *fdp gets a passed descriptor or -1 */
static int rpc(const struct fg_req *q, struct fg_rep *p, int *fdp)
{
	union { struct cmsghdr h; char b[CMSG_SPACE(sizeof(int))]; } c;
	struct iovec v = { p, sizeof *p };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c };
	ssize_t n = -1;
	*fdp = -1;
	/* once more: the server may have been started anew since */
	for (int tries = 0; tries < 2 && n < FG_HDR; tries++) {
		int fd = connected();
		if (fd < 0) break;
		m.msg_controllen = sizeof c;
		if (send(fd, q, FG_HDR + q->len, MSG_NOSIGNAL) >= 0)
			while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) ;
		if (n < FG_HDR) { close(fd); line.fd = -1; }
	}
	if (n < FG_HDR) { errno = ENODEV; return -1; }
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) memcpy(fdp, CMSG_DATA(h), sizeof(int));
	if (p->err) { errno = p->err; return -1; }
	return 0;
}

/* the server's page, asked for with each new line: it may be another server's since */
static const struct fg_page *page;
static void map_page(void)
{
	struct fg_req q = { .cmd = FG_PAGE };
	struct fg_rep p;
	int fd;
	const struct fg_page *now = MAP_FAILED;
	if (!rpc(&q, &p, &fd) && fd >= 0) {
		now = mmap(NULL, sizeof *now, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	/* the old one stays: another thread may be reading it */
	page = now == MAP_FAILED ? NULL : now;
}
/* reads lines from the page; 0: the server is to be asked */
static int levels(int fd, uint32_t h, unsigned long rq, void *arg)
{
	const struct fg_page *now = page;
	struct pollfd line = { .fd = fd };
	if (!now || h >= FG_HANDLES || now->asks || !now->handle[h].n) return 0;
	/* the server has gone */
	if (poll(&line, 1, 0) != 0) return 0;
	if ((uint32_t)rq == (uint32_t)GPIOHANDLE_GET_LINE_VALUES_IOCTL) {
		struct gpiohandle_data *c = arg;
		memset(c, 0, sizeof *c);
		for (int i = 0; i < now->handle[h].n; i++) c->values[i] = now->level[now->handle[h].offset[i]];
		return 1;
	}
	if ((uint32_t)rq == (uint32_t)GPIO_V2_LINE_GET_VALUES_IOCTL) {
		struct gpio_v2_line_values *c = arg;
		c->bits = 0;
		for (int i = 0; i < now->handle[h].n; i++)
			if (c->mask >> i & 1) c->bits |= (__u64)now->level[now->handle[h].offset[i]] << i;
		return 1;
	}
	return 0;
}

/* "/dev/gpiochip3" -> 3, "/sys/bus/gpio/devices/gpiochip3/dev" -> 3, else -1 */
static int chipno(const char *path, const char *pre, const char *post)
{
	size_t n = strlen(pre);
	char *e;
	if (!path || strncmp(path, pre, n) || path[n] < '0' || path[n] > '9' || !getenv("FAKEGPIO_SOCK")) return -1;
	long k = strtol(path + n, &e, 10);
	return strcmp(e, post) ? -1 : (int)k;
}
static int is_dev(const char *p) { return chipno(p, "/dev/gpiochip", ""); }
/* a symbolic link (udev style: /dev/killswitch -> gpiochip0) to a chip */
static int is_link(const char *p)
{
	char link[256], tmp[300];
	/* elsewhere nobody keeps one, and every open() of the program comes by here */
	if (!p || strncmp(p, "/dev/", 5) || !getenv("FAKEGPIO_SOCK")) return -1;
	ssize_t n = readlink(p, link, sizeof link - 1);
	if (n <= 0) return -1;
	link[n] = 0;
	const char *b = strrchr(link, '/');
	snprintf(tmp, sizeof tmp, "/dev/%s", b ? b + 1 : link);
	return is_dev(tmp);
}
static int is_sysdev(const char *p) { return chipno(p, "/sys/bus/gpio/devices/gpiochip", "/dev"); }

static int chip_open(int n)
{
	struct fg_req q = { .cmd = FG_OPEN, .handle = n };
	struct fg_rep p;
	int fd;
	if (rpc(&q, &p, &fd)) return -1;
	remember(fd, p.handle);
	return fd;
}
static int chip_exists(int n)
{
	struct fg_req q = { .cmd = FG_OPEN, .handle = n };
	struct fg_rep p;
	int fd;
	if (rpc(&q, &p, &fd)) { errno = ENOENT; return 0; }
	close(fd);
	return 1;
}
static int sysdev_open(int n)
{
	if (!chip_exists(n)) return -1;
	int fd = memfd_create("dev", MFD_CLOEXEC);
	if (fd >= 0) { dprintf(fd, "%d:%d\n", FG_MAJOR, n); lseek(fd, 0, SEEK_SET); }
	return fd;
}
static int fake_open(const char *path, int *fd)
{
	int n;
	if ((n = is_dev(path)) >= 0 || (n = is_link(path)) >= 0) { *fd = chip_open(n); return 1; }
	if ((n = is_sysdev(path)) >= 0) { *fd = sysdev_open(n); return 1; }
	return 0;
}
#define MODE(flags) ({ mode_t m_ = 0; if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list ap; va_start(ap, flags); m_ = va_arg(ap, mode_t); va_end(ap); } m_; })
int open(const char *path, int flags, ...)
{ mode_t m = MODE(flags); int fd; return fake_open(path, &fd) ? fd : NEXT(open)(path, flags, m); }
int open64(const char *path, int flags, ...)
{ mode_t m = MODE(flags); int fd; return fake_open(path, &fd) ? fd : NEXT(open64)(path, flags, m); }
int openat(int d, const char *path, int flags, ...)
{ mode_t m = MODE(flags); int fd; return fake_open(path, &fd) ? fd : NEXT(openat)(d, path, flags, m); }
int openat64(int d, const char *path, int flags, ...)
{ mode_t m = MODE(flags); int fd; return fake_open(path, &fd) ? fd : NEXT(openat64)(d, path, flags, m); }
extern int __open_2(const char *, int), __open64_2(const char *, int);
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }

static int fake_stat(const char *path, struct stat *st)
{
	int n = is_dev(path);
	if (n < 0) return 1;
	if (!chip_exists(n)) return -1;
	memset(st, 0, sizeof *st);
	st->st_mode = S_IFCHR | 0660; st->st_nlink = 1; st->st_ino = 1000 + n;
	st->st_rdev = makedev(FG_MAJOR, n); st->st_blksize = 4096;
	return 0;
}
#define STATFN(fn, T) int fn(const char *path, struct T *st) \
{ int r = fake_stat(path, (struct stat *)st); return r == 1 ? NEXT(fn)(path, st) : r; }
STATFN(stat, stat) STATFN(lstat, stat) STATFN(stat64, stat64) STATFN(lstat64, stat64)
int fstatat(int d, const char *path, struct stat *st, int f)
{ int r = fake_stat(path, st); return r == 1 ? NEXT(fstatat)(d, path, st, f) : r; }

int access(const char *path, int mode)
{
	int n = is_dev(path);
	if (n < 0) n = is_sysdev(path);
	if (n < 0) return NEXT(access)(path, mode);
	return chip_exists(n) ? 0 : -1;
}
/* libgpiod 2.x: /sys/dev/char/254:0/subsystem must resolve to /sys/bus/gpio;
 * 1.6: only called for symbolic links such as /dev/killswitch -> gpiochip0 */
char *realpath(const char *path, char *out)
{
	char pre[40], tmp[40];
	int n;
	snprintf(pre, sizeof pre, "/sys/dev/char/%d:", FG_MAJOR);
	const char *ans = NULL;
	if (chipno(path, pre, "/subsystem") >= 0) ans = "/sys/bus/gpio";
	else if (is_dev(path) >= 0) ans = path;
	else if ((n = is_link(path)) >= 0) { snprintf(tmp, sizeof tmp, "/dev/gpiochip%d", n); ans = tmp; }
	if (!ans) return NEXT(realpath)(path, out);
	return out ? strcpy(out, ans) : strdup(ans);
}
/* gpiodetect, gpiofind and gpiod_chip_iter list /dev */
int scandir(const char *dir, struct dirent ***list, int (*filter)(const struct dirent *),
	    int (*cmp)(const struct dirent **, const struct dirent **))
{
	int n = NEXT(scandir)(dir, list, filter, cmp);
	if (n < 0 || (strcmp(dir, "/dev") && strcmp(dir, "/dev/")) || !getenv("FAKEGPIO_SOCK")) return n;
	for (int i = 0; i < 8 && chip_exists(i); i++) {
		struct dirent *e = calloc(1, sizeof *e), **l;
		snprintf(e->d_name, sizeof e->d_name, "gpiochip%d", i);
		e->d_type = DT_CHR; e->d_ino = 1000 + i;
		if ((filter && !filter(e)) || !(l = realloc(*list, (n + 1) * sizeof *l))) { free(e); continue; }
		(*list = l)[n++] = e;
	}
	if (cmp && n > 1) qsort(*list, n, sizeof **list, (int (*)(const void *, const void *))cmp);
	errno = 0;
	return n;
}

int ioctl(int fd, unsigned long rq, ...)
{
	va_list ap;
	va_start(ap, rq);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	uint32_t h;
	if (_IOC_TYPE(rq) != 0xB4 || !(h = handle_of(fd))) return NEXT(ioctl)(fd, rq, arg);
	if (levels(fd, h, rq, arg)) return 0;
	struct fg_req q = { .cmd = (uint32_t)rq, .handle = h, .len = _IOC_SIZE(rq) };
	struct fg_rep p;
	int nfd, r;
	if (q.len > FG_MAX) { errno = EINVAL; return -1; }
	memcpy(q.data, arg, q.len);
	if ((r = rpc(&q, &p, &nfd))) return r;
	memcpy(arg, p.data, p.len < q.len ? p.len : q.len);
	if (nfd >= 0) {
		remember(nfd, p.handle);
		map_page();
		switch ((uint32_t)rq) {
		case (uint32_t)GPIO_GET_LINEHANDLE_IOCTL: ((struct gpiohandle_request *)arg)->fd = nfd; break;
		case (uint32_t)GPIO_GET_LINEEVENT_IOCTL: ((struct gpioevent_request *)arg)->fd = nfd; break;
		case (uint32_t)GPIO_V2_GET_LINE_IOCTL: ((struct gpio_v2_line_request *)arg)->fd = nfd; break;
		}
	}
	return 0;
}
