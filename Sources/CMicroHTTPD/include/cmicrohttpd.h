// A small read-only web server over GNU libmicrohttpd, run by its caller: no thread of its own, never blocks.
#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H

#include <stddef.h>
#include <stdint.h>

struct chttp;

/// One answer. The bytes are copied.
struct chttp_answer {
	unsigned int status;
	/// Whether it is HTML; otherwise plain text.
	int is_html;
	/// After so many seconds the browser asks again; 0: it does not.
	unsigned int refresh;
	const void *body;
	size_t length;
};

/// Answers GET and HEAD of a path, both already checked and without the query; called from `chttp_run`.
/// `peer` is the caller's IPv4 address in host byte order.
typedef void (*chttp_handler)(void *context, const char *path, uint32_t peer, struct chttp_answer *answer);

/// Listens on an IPv4 address (host byte order) and port, at most so many connections at once and from one
/// address, each ended when it is idle for so many seconds. NULL and errno on failure.
struct chttp *chttp_listen(uint32_t address, uint16_t port, unsigned int connections_max,
			   unsigned int connections_per_address_max, unsigned int idle_seconds,
			   chttp_handler handler, void *context);

/// The descriptor that is readable when there is something to do.
int chttp_descriptor(struct chttp *server);

/// Does what there is to do; returns after how many milliseconds to come back even so, or -1: no need.
int64_t chttp_run(struct chttp *server);

void chttp_stop(struct chttp *server);

#endif
