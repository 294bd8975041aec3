#include "ctls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ctls {
	SSL_CTX *context;
	SSL *ssl;
	struct ctls_report report;
};

static void name(X509_NAME *from, char *text, int size)
{
	if (X509_NAME_get_text_by_NID(from, NID_commonName, text, size) > 0)
		return;
	if (X509_NAME_get_text_by_NID(from, NID_organizationName, text, size) > 0)
		return;
	X509_NAME_oneline(from, text, size);
}

static int64_t seconds(const ASN1_TIME *time)
{
	struct tm parts;
	memset(&parts, 0, sizeof parts);
	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

// Notes what is wrong and goes on: who is there is the question, not whether to talk to them.
static int note(X509_STORE_CTX *store, void *context)
{
	struct ctls_report *report = context;
	X509 *certificate = X509_STORE_CTX_get0_cert(store);
	if (X509_verify_cert(store) <= 0) {
		report->verify_code = X509_STORE_CTX_get_error(store);
		strncpy(report->verify_words, X509_verify_cert_error_string(report->verify_code),
			sizeof report->verify_words - 1);
	}
	if (certificate) {
		report->has_certificate = 1;
		name(X509_get_subject_name(certificate), report->subject, sizeof report->subject);
		name(X509_get_issuer_name(certificate), report->issuer, sizeof report->issuer);
		report->not_before = seconds(X509_get0_notBefore(certificate));
		report->not_after = seconds(X509_get0_notAfter(certificate));
	}
	return 1;
}

struct ctls *ctls_begin(int socket, const char *host, const char *authority)
{
	struct ctls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return NULL;
	ERR_clear_error();
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context || SSL_CTX_load_verify_locations(tls->context, authority, NULL) != 1)
		goto failed;
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls->context, note, &tls->report);
	tls->ssl = SSL_new(tls->context);
	if (!tls->ssl || SSL_set_tlsext_host_name(tls->ssl, host) != 1 || SSL_set1_host(tls->ssl, host) != 1 ||
	    SSL_set_fd(tls->ssl, socket) != 1)
		goto failed;
	return tls;
failed:
	ctls_end(tls);
	return NULL;
}

int ctls_step(struct ctls *tls)
{
	ERR_clear_error();
	int result = SSL_connect(tls->ssl);
	if (result == 1)
		return 0;
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return 1;
	case SSL_ERROR_WANT_WRITE:
		return 2;
	default: {
		unsigned long code = ERR_get_error();
		const char *words = code ? ERR_reason_error_string(code) : NULL;
		strncpy(tls->report.error, words ? words : "the connection was closed",
			sizeof tls->report.error - 1);
		return -1;
	}
	}
}

void ctls_report(const struct ctls *tls, struct ctls_report *report) { *report = tls->report; }

void ctls_end(struct ctls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

int ctls_is_foreign(int code)
{
	return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

int ctls_is_untimely(int code)
{
	return code == X509_V_ERR_CERT_NOT_YET_VALID || code == X509_V_ERR_CERT_HAS_EXPIRED;
}
