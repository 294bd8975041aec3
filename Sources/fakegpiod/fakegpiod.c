/* SPDX-License-Identifier: Apache-2.0
 *
 * Simulated GPIO chips for libfakegpio.so.
 *   fakegpiod -d DIR [-n LINES] [-l OFFSET=NAME]...   serve one chip (gpiochip0)
 *   fakegpiod -d DIR -c 'line 3 1'                    send a command, wait until applied
 * DIR gets: sock (for the library), ctl (FIFO: echo 'line 3 1' > DIR/ctl), state (text).
 * Commands:  line N|NAME 0|1        set the physical level of an input
 *            bounce N COUNT USEC    COUNT level changes, USEC apart
 *            busy N CONSUMER | free N    held by someone else
 *            fail IOCTL ERRNO [COUNT]    IOCTL: lineinfo linehandle lineevent line getvalues setvalues open
 *            unplug | plug          chip vanishes: fds hang up, ioctls give ENODEV
 * DIR is at most 79 bytes long: the socket's address must fit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "fakegpio_proto.h"	/* the wire format, from CFakeGPIO */

#define NL FG_LINES
#define NH FG_HANDLES
static struct line { char name[32], cons[32]; int level, owner; __u64 flags; unsigned lseq; } L[NL]; /* flags: v2 */
static struct hnd { int used, type, fd, n, off[NL]; __u64 flags; unsigned seq, dropped; } H[NH]; /* index = handle */
enum { T_CHIP = 1, T_LINES, T_EV1, T_EV2 };
static int nl = 8, plugged = 1;
static char dir[80], path[120];		/* sun_path holds 108 bytes */
static struct { const char *n; __u32 c[2]; int err, left; } F[] = {
	{ "open", { FG_OPEN } }, { "lineinfo", { GPIO_GET_LINEINFO_IOCTL, GPIO_V2_GET_LINEINFO_IOCTL } },
	{ "linehandle", { GPIO_GET_LINEHANDLE_IOCTL } }, { "lineevent", { GPIO_GET_LINEEVENT_IOCTL } },
	{ "line", { GPIO_V2_GET_LINE_IOCTL } }, { "getvalues", { GPIOHANDLE_GET_LINE_VALUES_IOCTL, GPIO_V2_LINE_GET_VALUES_IOCTL } },
	{ "setvalues", { GPIOHANDLE_SET_LINE_VALUES_IOCTL, GPIO_V2_LINE_SET_VALUES_IOCTL } } };
#define F1_ALL (GPIOHANDLE_REQUEST_INPUT | GPIOHANDLE_REQUEST_OUTPUT | GPIOHANDLE_REQUEST_ACTIVE_LOW | GPIOHANDLE_REQUEST_OPEN_DRAIN | \
	GPIOHANDLE_REQUEST_OPEN_SOURCE | GPIOHANDLE_REQUEST_BIAS_PULL_UP | GPIOHANDLE_REQUEST_BIAS_PULL_DOWN | GPIOHANDLE_REQUEST_BIAS_DISABLE)
static const struct { __u32 v1, i1; __u64 v2; } MAP[] = {
	{ GPIOHANDLE_REQUEST_INPUT, 0, GPIO_V2_LINE_FLAG_INPUT },
	{ GPIOHANDLE_REQUEST_OUTPUT, GPIOLINE_FLAG_IS_OUT, GPIO_V2_LINE_FLAG_OUTPUT },
	{ GPIOHANDLE_REQUEST_ACTIVE_LOW, GPIOLINE_FLAG_ACTIVE_LOW, GPIO_V2_LINE_FLAG_ACTIVE_LOW },
	{ GPIOHANDLE_REQUEST_OPEN_DRAIN, GPIOLINE_FLAG_OPEN_DRAIN, GPIO_V2_LINE_FLAG_OPEN_DRAIN },
	{ GPIOHANDLE_REQUEST_OPEN_SOURCE, GPIOLINE_FLAG_OPEN_SOURCE, GPIO_V2_LINE_FLAG_OPEN_SOURCE },
	{ GPIOHANDLE_REQUEST_BIAS_PULL_UP, GPIOLINE_FLAG_BIAS_PULL_UP, GPIO_V2_LINE_FLAG_BIAS_PULL_UP },
	{ GPIOHANDLE_REQUEST_BIAS_PULL_DOWN, GPIOLINE_FLAG_BIAS_PULL_DOWN, GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN },
	{ GPIOHANDLE_REQUEST_BIAS_DISABLE, GPIOLINE_FLAG_BIAS_DISABLE, GPIO_V2_LINE_FLAG_BIAS_DISABLED } };
#define NMAP (sizeof MAP / sizeof *MAP)
#define BIAS (GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN | GPIO_V2_LINE_FLAG_BIAS_DISABLED)

static __u64 from_v1(__u32 f) { __u64 r = 0; for (unsigned i = 0; i < NMAP; i++) if (f & MAP[i].v1) r |= MAP[i].v2; return r; }
static __u32 info_v1(__u64 f) { __u32 r = 0; for (unsigned i = 0; i < NMAP; i++) if (f & MAP[i].v2) r |= MAP[i].i1; return r; }
static int logical(int o) { return L[o].level ^ !!(L[o].flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW); }
static __u64 now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }

/* for those who read without asking */
static struct fg_page *page;
static int page_fd = -1;
static void publish(void)
{
	int fails = !plugged;
	for (unsigned i = 0; i < sizeof F / sizeof *F; i++) if (F[i].c[0] == GPIOHANDLE_GET_LINE_VALUES_IOCTL) fails |= F[i].left;
	if (fails) page->asks = 1;
	for (int i = 0; i < nl; i++) page->level[i] = logical(i);
	for (int h = 1; h < NH; h++) {
		for (int i = 0; i < H[h].n; i++) page->handle[h].offset[i] = H[h].off[i];
		page->handle[h].n = H[h].n;
	}
	if (!fails) page->asks = 0;
}
static int share(void)
{
	page_fd = memfd_create("levels", MFD_CLOEXEC);
	if (page_fd < 0 || ftruncate(page_fd, sizeof *page)) return -1;
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	return page == MAP_FAILED ? -1 : 0;
}

static void save_state(void)
{
	publish();
	char tmp[140];
	snprintf(path, sizeof path, "%s/state", dir);
	snprintf(tmp, sizeof tmp, "%s.new", path);
	FILE *f = fopen(tmp, "w");
	if (!f) return;
	for (int i = 0; i < nl; i++)
		fprintf(f, "line %d name=%s level=%d %s consumer=%s flags=0x%llx dropped=%u\n", i, L[i].name[0] ? L[i].name : "-", L[i].level,
			L[i].owner ? (L[i].flags & GPIO_V2_LINE_FLAG_OUTPUT ? "output" : "input") : "free", L[i].cons[0] ? L[i].cons : "-",
			(unsigned long long)L[i].flags, L[i].owner > 0 ? H[L[i].owner].dropped : 0);
	fclose(f);
	rename(tmp, path);
}
static void release(int h)
{
	for (int i = 0; i < H[h].n; i++) if (L[H[h].off[i]].owner == h) { L[H[h].off[i]].owner = 0; L[H[h].off[i]].cons[0] = 0; L[H[h].off[i]].flags = 0; }
	close(H[h].fd);
	memset(&H[h], 0, sizeof H[h]);
	save_state();
}
static int new_handle(int type, int *peer)
{
	int p[2], h;
	for (h = 1; h < NH && H[h].used; h++) ;
	if (h == NH) return errno = EMFILE, -1;
	if (type >= T_EV1 ? pipe2(p, O_CLOEXEC) : socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p)) return -1;
	*peer = p[0];
	H[h] = (struct hnd){ .used = 1, .type = type, .fd = p[1] };
	return h;
}
static void edge(int o)			/* level of line o has just changed */
{
	int h = L[o].owner, up = logical(o), pend = 0;
	struct hnd *e = &H[h];
	if (h <= 0 || e->type < T_EV1 || !(e->flags & (up ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING))) return;
	ioctl(e->fd, FIONREAD, &pend);
	if (e->type == T_EV1) {
		struct gpioevent_data d = { .timestamp = now(), .id = up ? GPIOEVENT_EVENT_RISING_EDGE : GPIOEVENT_EVENT_FALLING_EDGE };
		if (pend >= (int)(16 * sizeof d)) { e->dropped++; save_state(); return; }	/* the kernel's kfifo holds 16 */
		if (write(e->fd, &d, sizeof d) < 0) return;
	} else {
		struct gpio_v2_line_event d = { .timestamp_ns = now(), .id = up ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE,
			.offset = o, .seqno = ++e->seq, .line_seqno = ++L[o].lseq };
		if (pend >= (int)(16 * e->n * sizeof d)) { e->dropped++; return; }	/* the kernel drops the oldest, we the newest */
		if (write(e->fd, &d, sizeof d) < 0) return;
	}
}
static __u64 moved;	/* just before the first edge of the last command, CLOCK_BOOTTIME in ns; the answer to a command */
static void set_level(int o, int v)
{
	struct timespec t;
	if (L[o].level == !!v) return;
	clock_gettime(CLOCK_BOOTTIME, &t);
	if (!moved) moved = t.tv_sec * 1000000000ull + t.tv_nsec;
	L[o].level = !!v;
	publish();
	edge(o);
}
static int claim(int h, const __u32 *off, int n, __u64 flags, const char *cons)
{
	if (n < 1 || n > NL || !!(flags & GPIO_V2_LINE_FLAG_INPUT) == !!(flags & GPIO_V2_LINE_FLAG_OUTPUT) || ((flags & BIAS) & ((flags & BIAS) - 1))) return EINVAL;
	for (int i = 0; i < n; i++) { if (off[i] >= (unsigned)nl) return EINVAL; if (L[off[i]].owner) return EBUSY; }
	for (int i = 0; i < n; i++) {
		struct line *l = &L[H[h].off[i] = off[i]];
		l->owner = h; l->flags = flags; l->lseq = 0;
		snprintf(l->cons, sizeof l->cons, "%s", cons[0] ? cons : "?");
	}
	H[h].n = n; H[h].flags = flags;
	return 0;
}
static void set_out(struct hnd *e, int i, int v) { L[e->off[i]].level = !!v ^ !!(L[e->off[i]].flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW); }

static int serve(struct fg_req *q, struct fg_rep *p, int *pass)
{
	int h = -1, err = 0;
	for (unsigned i = 0; i < sizeof F / sizeof *F; i++)
		if (F[i].left && (q->cmd == F[i].c[0] || q->cmd == F[i].c[1])) { F[i].left--; publish(); return F[i].err; }
	if (q->cmd == FG_PAGE) return (*pass = dup(page_fd)) < 0 ? errno : 0;
	if (!plugged) return q->cmd == FG_OPEN ? ENOENT : ENODEV;
	if (q->cmd == FG_OPEN) {
		if (q->handle) return ENOENT;
		return (h = p->handle = new_handle(T_CHIP, pass)) < 0 ? errno : 0;
	}
	if (q->handle >= NH || !H[q->handle].used) return ENODEV;
	struct hnd *e = &H[q->handle];
	memcpy(p->data, q->data, p->len = q->len);
	void *d = p->data;
	if (e->type == T_CHIP) switch (q->cmd) {
	case GPIO_GET_CHIPINFO_IOCTL: {
		struct gpiochip_info *c = d;
		*c = (struct gpiochip_info){ .name = "gpiochip0", .label = "fakegpio", .lines = nl };
		return 0; }
	case GPIO_GET_LINEINFO_IOCTL: case GPIO_GET_LINEINFO_WATCH_IOCTL: {
		struct gpioline_info *c = d;
		__u32 o = c->line_offset;
		if (o >= (unsigned)nl) return EINVAL;
		*c = (struct gpioline_info){ .line_offset = o, .flags = info_v1(L[o].flags) | (L[o].owner ? GPIOLINE_FLAG_KERNEL : 0) };
		memcpy(c->name, L[o].name, 32); memcpy(c->consumer, L[o].cons, 32);
		return 0; }
	case GPIO_V2_GET_LINEINFO_IOCTL: case GPIO_V2_GET_LINEINFO_WATCH_IOCTL: {
		struct gpio_v2_line_info *c = d;
		__u32 o = c->offset;
		if (o >= (unsigned)nl) return EINVAL;
		*c = (struct gpio_v2_line_info){ .offset = o, .flags = (L[o].flags ? L[o].flags : GPIO_V2_LINE_FLAG_INPUT) | (L[o].owner ? GPIO_V2_LINE_FLAG_USED : 0) };
		memcpy(c->name, L[o].name, 32); memcpy(c->consumer, L[o].cons, 32);
		return 0; }
	case GPIO_GET_LINEINFO_UNWATCH_IOCTL: return 0;
	case GPIO_GET_LINEHANDLE_IOCTL: {
		struct gpiohandle_request *c = d;
		__u64 f = from_v1(c->flags);
		if ((c->flags & ~F1_ALL)) return EINVAL;
		if (!(f & (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT))) f |= GPIO_V2_LINE_FLAG_INPUT;	/* "as is" */
		if ((h = new_handle(T_LINES, pass)) < 0) return errno;
		c->consumer_label[31] = 0;
		if ((err = claim(h, c->lineoffsets, c->lines, f, c->consumer_label))) break;
		if (c->flags & GPIOHANDLE_REQUEST_OUTPUT) for (unsigned i = 0; i < c->lines; i++) set_out(&H[h], i, c->default_values[i]);
		break; }
	case GPIO_GET_LINEEVENT_IOCTL: {
		struct gpioevent_request *c = d;
		__u64 f = from_v1(c->handleflags) | GPIO_V2_LINE_FLAG_INPUT;
		if ((c->handleflags & ~F1_ALL) || (c->eventflags & ~GPIOEVENT_REQUEST_BOTH_EDGES) ||
		    (c->handleflags & (GPIOHANDLE_REQUEST_OUTPUT | GPIOHANDLE_REQUEST_OPEN_DRAIN | GPIOHANDLE_REQUEST_OPEN_SOURCE))) return EINVAL;
		if (c->eventflags & GPIOEVENT_REQUEST_RISING_EDGE) f |= GPIO_V2_LINE_FLAG_EDGE_RISING;
		if (c->eventflags & GPIOEVENT_REQUEST_FALLING_EDGE) f |= GPIO_V2_LINE_FLAG_EDGE_FALLING;
		if ((h = new_handle(T_EV1, pass)) < 0) return errno;
		c->consumer_label[31] = 0;
		err = claim(h, &c->lineoffset, 1, f, c->consumer_label);
		break; }
	case GPIO_V2_GET_LINE_IOCTL: {
		struct gpio_v2_line_request *c = d;
		if ((h = new_handle(T_EV2, pass)) < 0) return errno;
		c->consumer[31] = 0;
		if ((err = claim(h, c->offsets, c->num_lines, c->config.flags, c->consumer))) break;
		for (unsigned a = 0; a < c->config.num_attrs && a < 10; a++)
			for (unsigned i = 0; i < c->num_lines; i++) {
				if (!(c->config.attrs[a].mask >> i & 1)) continue;
				if (c->config.attrs[a].attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS) L[c->offsets[i]].flags = c->config.attrs[a].attr.flags;
				if (c->config.attrs[a].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES) set_out(&H[h], i, c->config.attrs[a].attr.values >> i & 1);
			}
		break; }
	default: return EINVAL;
	} else switch (q->cmd) {
	case GPIOHANDLE_GET_LINE_VALUES_IOCTL: {
		struct gpiohandle_data *c = d;
		memset(c, 0, sizeof *c);
		for (int i = 0; i < e->n; i++) c->values[i] = logical(e->off[i]);
		return 0; }
	case GPIOHANDLE_SET_LINE_VALUES_IOCTL: {
		struct gpiohandle_data *c = d;
		if (!(e->flags & GPIO_V2_LINE_FLAG_OUTPUT)) return EPERM;
		for (int i = 0; i < e->n; i++) set_out(e, i, c->values[i]);
		save_state();
		return 0; }
	case GPIOHANDLE_SET_CONFIG_IOCTL: {
		struct gpiohandle_config *c = d;
		if (e->type == T_EV1) return EINVAL;
		for (int i = 0; i < e->n; i++) { L[e->off[i]].flags = e->flags = from_v1(c->flags); if (c->flags & GPIOHANDLE_REQUEST_OUTPUT) set_out(e, i, c->default_values[i]); }
		save_state();
		return 0; }
	case GPIO_V2_LINE_GET_VALUES_IOCTL: {
		struct gpio_v2_line_values *c = d;
		c->bits = 0;
		for (int i = 0; i < e->n; i++) if (c->mask >> i & 1) c->bits |= (__u64)logical(e->off[i]) << i;
		return 0; }
	case GPIO_V2_LINE_SET_VALUES_IOCTL: {
		struct gpio_v2_line_values *c = d;
		for (int i = 0; i < e->n; i++) if (c->mask >> i & 1) { if (!(L[e->off[i]].flags & GPIO_V2_LINE_FLAG_OUTPUT)) return EPERM; set_out(e, i, c->bits >> i & 1); }
		save_state();
		return 0; }
	case GPIO_V2_LINE_SET_CONFIG_IOCTL:
		for (int i = 0; i < e->n; i++) L[e->off[i]].flags = e->flags = ((struct gpio_v2_line_config *)d)->flags;
		save_state();
		return 0;
	default: return EINVAL;
	}
	if (err) { release(h); close(*pass); *pass = -1; return err; }
	p->handle = h;
	save_state();
	return 0;
}

static int find(const char *s)
{
	char *e;
	long n = strtol(s, &e, 10);
	if (*s && !*e) return n >= 0 && n < nl ? (int)n : -1;
	for (int i = 0; i < nl; i++) if (!strcmp(L[i].name, s)) return i;
	return -1;
}
static int control(char *cmd)
{
	char a[5][40] = { "" };
	int n = sscanf(cmd, "%39s %39s %39s %39s", a[0], a[1], a[2], a[3]), o = find(a[1]);
	if (n <= 0) return 0;
	if (!strcmp(a[0], "line") && n == 3 && o >= 0) set_level(o, atoi(a[2]));
	else if (!strcmp(a[0], "bounce") && n == 4 && o >= 0) for (int i = atoi(a[2]); i > 0; i--) { set_level(o, !L[o].level); usleep(atoi(a[3])); }
	else if (!strcmp(a[0], "busy") && n == 3 && o >= 0 && L[o].owner <= 0) { L[o].owner = -1; memcpy(L[o].cons, a[2], 31); }
	else if (!strcmp(a[0], "free") && n == 2 && o >= 0 && L[o].owner < 0) { L[o].owner = 0; L[o].cons[0] = 0; }
	else if (!strcmp(a[0], "fail") && n >= 3) {
		unsigned i;
		for (i = 0; i < sizeof F / sizeof *F && strcmp(F[i].n, a[1]); i++) ;
		if (i == sizeof F / sizeof *F) return EINVAL;
		F[i].err = atoi(a[2]); F[i].left = n > 3 ? atoi(a[3]) : 1;
	} else if (!strcmp(a[0], "unplug")) { plugged = 0; for (int h = 1; h < NH; h++) if (H[h].used) release(h); }
	else if (!strcmp(a[0], "plug")) plugged = 1;
	else return fprintf(stderr, "fakegpiod: bad command: %s\n", cmd), EINVAL;
	save_state();
	return 0;
}

/* clients that stay connected; each asks one thing at a time */
#define NC 16
static int conn[NC], nc;

/* one question and its answer; 0: the client has gone, or talks nonsense */
static int answer(int c, int flags)
{
	int pass = -1;
	struct fg_req q;
	struct fg_rep p = { 0 };
	ssize_t r = recv(c, &q, sizeof q, flags);
	if (r < FG_HDR || q.len != r - FG_HDR) return 0;
	if (q.cmd == FG_CTL) {
		moved = 0;
		q.data[q.len ? q.len - 1 : 0] = 0, p.err = control((char *)q.data);
		memcpy(p.data, &moved, p.len = sizeof moved);
	}
	else p.err = serve(&q, &p, &pass);
	union { struct cmsghdr h; char b[CMSG_SPACE(sizeof(int))]; } cm = { .h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec v = { &p, FG_HDR + p.len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	if (pass >= 0) { m.msg_control = &cm; m.msg_controllen = sizeof cm; memcpy(CMSG_DATA(&cm.h), &pass, sizeof(int)); }
	sendmsg(c, &m, MSG_NOSIGNAL);
	if (pass >= 0) close(pass);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *cmd = NULL;
	for (int c; (c = getopt(argc, argv, "d:n:l:c:")) != -1; ) {
		char *eq;
		if (c == 'd' && strlen(optarg) >= sizeof dir) return fprintf(stderr, "fakegpiod: longer than %zu bytes: %s\n", sizeof dir - 1, optarg), 2;
		else if (c == 'd') snprintf(dir, sizeof dir, "%s", optarg);
		else if (c == 'n') nl = atoi(optarg);
		else if (c == 'c') cmd = optarg;
		else if (c == 'l' && (eq = strchr(optarg, '=')) && atoi(optarg) < NL) snprintf(L[atoi(optarg)].name, 32, "%s", eq + 1);
		else return 2;
	}
	if (!dir[0] || nl < 1 || nl > NL) return 2;
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/sock", dir);
	if (cmd) {
		struct fg_req q = { .cmd = FG_CTL, .len = strlen(cmd) + 1 };
		struct fg_rep p;
		if (q.len > FG_MAX || connect(s, (void *)&sa, sizeof sa) || (memcpy(q.data, cmd, q.len), send(s, &q, FG_HDR + q.len, 0)) < 0 || recv(s, &p, sizeof p, 0) < FG_HDR) return perror("fakegpiod"), 1;
		return p.err ? fprintf(stderr, "%s\n", strerror(p.err)), 1 : 0;
	}
	signal(SIGPIPE, SIG_IGN);
	mkdir(dir, 0755);
	unlink(sa.sun_path);
	if (bind(s, (void *)&sa, sizeof sa) || listen(s, 64)) return perror("bind"), 1;
	snprintf(path, sizeof path, "%s/ctl", dir);
	unlink(path);
	if (mkfifo(path, 0600)) return perror(path), 1;
	int ctl = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	static char buf[4096];
	unsigned have = 0;
	if (share()) return perror("fakegpiod"), 1;
	save_state();
	for (;;) {
		struct pollfd f[NH + 2 + NC] = { { s, POLLIN, 0 }, { ctl, POLLIN, 0 } };
		int idx[NH + 2], n = 2;
		for (int h = 1; h < NH; h++) if (H[h].used) { idx[n] = h; f[n++] = (struct pollfd){ H[h].fd, 0, 0 }; }
		int first = n;
		for (int i = 0; i < nc; i++) f[n++] = (struct pollfd){ conn[i], POLLIN, 0 };
		if (poll(f, n, -1) < 0) continue;
		for (int i = 2; i < first; i++) if (f[i].revents & (POLLHUP | POLLERR)) release(idx[i]);	/* client closed it or died */
		if (f[1].revents & POLLIN) {
			ssize_t r = read(ctl, buf + have, sizeof buf - 1 - have);
			char *nlp;
			for (buf[have += r > 0 ? r : 0] = 0; (nlp = strchr(buf, '\n')); memmove(buf, nlp + 1, have + 1)) { *nlp = 0; control(buf); have -= nlp + 1 - buf; }
			if (have == sizeof buf - 1) have = 0;
		}
		for (int i = nc; i-- > 0;)
			if (f[first + i].revents && !answer(conn[i], MSG_DONTWAIT)) { close(conn[i]); conn[i] = conn[--nc]; }
		if (!(f[0].revents & POLLIN)) continue;
		int c = accept4(s, NULL, NULL, SOCK_CLOEXEC);
		/* one too many is answered if it has asked already, and asks anew */
		if (c >= 0 && nc < NC) conn[nc++] = c;
		else if (c >= 0) { answer(c, MSG_DONTWAIT); close(c); }
	}
}
