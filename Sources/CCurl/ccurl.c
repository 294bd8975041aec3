#define CURL_DISABLE_TYPECHECK
#include "ccurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The functions of libcurl that are used, by their own types.
static struct {
	void *library;
	char error[256];
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *append;
	__typeof__(curl_slist_free_all) *free_all;
} curl;

static void *symbol(const char *name)
{
	void *found = curl.library ? dlsym(curl.library, name) : NULL;
	if (!found && !curl.error[0]) {
		const char *why = dlerror();
		snprintf(curl.error, sizeof curl.error, "%s", why ? why : name);
	}
	return found;
}

static void load(void)
{
	curl.library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	curl.global_init = symbol("curl_global_init");
	curl.easy_init = symbol("curl_easy_init");
	curl.setopt = symbol("curl_easy_setopt");
	curl.perform = symbol("curl_easy_perform");
	curl.getinfo = symbol("curl_easy_getinfo");
	curl.cleanup = symbol("curl_easy_cleanup");
	curl.strerror = symbol("curl_easy_strerror");
	curl.append = symbol("curl_slist_append");
	curl.free_all = symbol("curl_slist_free_all");
	if (!curl.error[0] && curl.global_init(CURL_GLOBAL_DEFAULT))
		snprintf(curl.error, sizeof curl.error, "libcurl refuses to begin");
}

struct exchange {
	const struct ccurl_request *request;
	struct ccurl_reply *reply;
};

static size_t take(char *bytes, size_t one, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct ccurl_reply *reply = exchange->reply;
	(void)one;
	if (count > exchange->request->reply_max - reply->body_size) {
		reply->outcome = CCURL_TOO_LONG;
		return 0;
	}
	memcpy(reply->body + reply->body_size, bytes, count);
	reply->body_size += count;
	return count;
}

static CURLcode prepare(CURL *handle, void *ssl_context, void *context)
{
	struct exchange *exchange = context;
	(void)handle;
	return exchange->request->prepare(ssl_context, exchange->request->context) ? CURLE_ABORTED_BY_CALLBACK : CURLE_OK;
}

static int progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct exchange *exchange = context;
	(void)a, (void)b, (void)c, (void)d;
	return exchange->request->is_cancelled(exchange->request->context);
}

static enum ccurl_outcome outcome(CURLcode code)
{
	switch (code) {
	case CURLE_OK: return CCURL_DONE;
	case CURLE_COULDNT_CONNECT: return CCURL_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT: return CCURL_LATE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION: return CCURL_TLS;
	case CURLE_ABORTED_BY_CALLBACK: return CCURL_CANCELLED;
	default: return CCURL_FAILED;
	}
}

void ccurl_send(const struct ccurl_request *request, struct ccurl_reply *reply)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct exchange exchange = { request, reply };
	struct curl_slist *headers = NULL, *resolve = NULL;
	const char *type = NULL;
	curl_off_t retry_after = 0;
	CURLcode code;

	pthread_once(&once, load);
	reply->outcome = CCURL_DONE;
	reply->body_size = 0;
	CURL *handle = curl.error[0] ? NULL : curl.easy_init();
	if (!handle) {
		reply->outcome = CCURL_NO_LIBRARY;
		snprintf(reply->error, sizeof reply->error, "%.200s", curl.error[0] ? curl.error : "out of memory");
		return;
	}
	for (const char *const *header = request->headers; *header; header++)
		headers = curl.append(headers, *header);
	resolve = curl.append(resolve, request->resolve);

#define SET(option, value) \
	do { \
		if (!code) code = curl.setopt(handle, option, value); \
	} while (0)
	code = headers && resolve ? CURLE_OK : CURLE_OUT_OF_MEMORY;
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_RESOLVE, resolve);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	// No signals: others in this process own them.
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, request->total_ms);
	SET(CURLOPT_CAINFO, request->authority);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, prepare);
	SET(CURLOPT_SSL_CTX_DATA, &exchange);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_POST, 1L);
	if (request->is_put) SET(CURLOPT_CUSTOMREQUEST, "PUT");
	if (request->bytes_per_second)
		SET(CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)request->bytes_per_second);
	SET(CURLOPT_POSTFIELDS, (const char *)request->body);
	SET(CURLOPT_POSTFIELDSIZE, (long)request->body_size);
	SET(CURLOPT_WRITEFUNCTION, take);
	SET(CURLOPT_WRITEDATA, &exchange);
	SET(CURLOPT_XFERINFOFUNCTION, progress);
	SET(CURLOPT_XFERINFODATA, &exchange);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_ERRORBUFFER, reply->error);
#undef SET
	reply->error[0] = 0;
	if (!code) code = curl.perform(handle);
	if (code) {
		if (!reply->error[0]) snprintf(reply->error, sizeof reply->error, "%s", curl.strerror(code));
		if (reply->outcome == CCURL_DONE) reply->outcome = outcome(code);
	} else {
		curl.getinfo(handle, CURLINFO_RESPONSE_CODE, &reply->status);
		curl.getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
		curl.getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
		reply->retry_after = retry_after > 0 && retry_after < 86400 ? (long)retry_after : retry_after > 0 ? 86400 : 0;
		snprintf(reply->content_type, sizeof reply->content_type, "%s", type ? type : "");
	}
	// It keeps pointers to these and to the error's buffer until here.
	curl.cleanup(handle);
	curl.free_all(headers);
	curl.free_all(resolve);
}
