#include "cmicrohttpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chttp {
	struct MHD_Daemon *daemon;
	chttp_handler handler;
	void *context;
};

// No script, no frame, no image or font from anywhere, nothing sent anywhere; the page's own style only.
static const char *const headers[][2] = {
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cache-Control", "no-store"},
	{"Server", "drawbridge"},
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload, size_t *upload_size,
			      void **state)
{
	(void)version, (void)upload;
	static int seen;
	struct chttp *server = context;
	// The first call comes with the headers only.
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	// Whoever uploads is cut off.
	if (*upload_size)
		return MHD_NO;
	struct chttp_answer reply = {MHD_HTTP_METHOD_NOT_ALLOWED, 0, 0, "read only\n", 10};
	if (!strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		const struct sockaddr_in *peer = info ? (const struct sockaddr_in *)info->client_addr : NULL;
		server->handler(server->context, path, peer ? ntohl(peer->sin_addr.s_addr) : 0, &reply);
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(reply.length, (void *)reply.body, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				reply.is_html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
	if (reply.refresh) {
		char seconds[16];
		snprintf(seconds, sizeof seconds, "%u", reply.refresh);
		MHD_add_response_header(response, "Refresh", seconds);
	}
	for (size_t index = 0; index < sizeof headers / sizeof *headers; index++)
		MHD_add_response_header(response, headers[index][0], headers[index][1]);
	if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (reply.status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	enum MHD_Result result = MHD_queue_response(connection, reply.status, response);
	MHD_destroy_response(response);
	return result;
}

static void quiet(void *context, const char *format, va_list arguments)
{
	(void)context, (void)format, (void)arguments;
}

struct chttp *chttp_listen(uint32_t address, uint16_t port, unsigned int connections_max,
			   unsigned int connections_per_address_max, unsigned int idle_seconds,
			   chttp_handler handler, void *context)
{
	struct chttp *server = calloc(1, sizeof *server);
	if (!server)
		return NULL;
	server->handler = handler;
	server->context = context;
	struct sockaddr_in where;
	memset(&where, 0, sizeof where);
	where.sin_family = AF_INET;
	where.sin_port = htons(port);
	where.sin_addr.s_addr = htonl(address);
	errno = 0;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, port, NULL, NULL, answer, server,
		MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where,
		MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		connections_per_address_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
		MHD_OPTION_END);
	if (!server->daemon) {
		int code = errno ? errno : EINVAL;
		free(server);
		errno = code;
		return NULL;
	}
	return server;
}

int chttp_descriptor(struct chttp *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return info ? info->epoll_fd : -1;
}

int64_t chttp_run(struct chttp *server)
{
	MHD_run(server->daemon);
	MHD_UNSIGNED_LONG_LONG milliseconds;
	return MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES ? (int64_t)milliseconds : -1;
}

void chttp_stop(struct chttp *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
