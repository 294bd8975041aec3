// One HTTPS request over Debian's libcurl, which is loaded (dlopen) when the first one is made: it and what it brings
// would otherwise take memory on every router that never asks anything over HTTPS.
#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>
#include <stdint.h>

struct ccurl_request {
	/// https only.
	const char *url;
	/// HOST:PORT:ADDRESS[,ADDRESS…]: nobody is asked for the host's address.
	const char *resolve;
	/// The PEM file that the server's certificate must come from; the system's own authorities do not count.
	const char *authority;
	/// Whole header lines, NULL at the end.
	const char *const *headers;
	/// PUT instead of POST.
	int is_put;
	const uint8_t *body;
	size_t body_size;
	/// What does not fit fails.
	size_t reply_max;
	long connect_ms;
	long total_ms;
	/// Of the body, on average; 0: as fast as it goes.
	long bytes_per_second;
	/// Called with the SSL_CTX of the connection before it is used; 0 lets it go on.
	int (*prepare)(void *ssl_context, void *context);
	/// Called about once a second; anything but 0 gives up.
	int (*is_cancelled)(void *context);
	void *context;
};

enum ccurl_outcome {
	CCURL_DONE,
	CCURL_NO_LIBRARY,
	CCURL_UNREACHABLE,
	CCURL_LATE,
	CCURL_TLS,
	CCURL_TOO_LONG,
	CCURL_CANCELLED,
	CCURL_FAILED,
};

struct ccurl_reply {
	enum ccurl_outcome outcome;
	/// libcurl's words for what failed.
	char error[256];
	long status;
	/// Seconds that the server asks to wait; 0: it does not.
	long retry_after;
	char content_type[128];
	/// `reply_max` bytes of the caller's, of which `body_size` are used.
	uint8_t *body;
	size_t body_size;
};

/// Sends, and waits for the answer: on a thread of its own. No redirect is followed and no proxy used.
void ccurl_send(const struct ccurl_request *request, struct ccurl_reply *reply);

#endif
