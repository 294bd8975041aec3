// Looks at the certificate that a server shows, over OpenSSL: for a diagnosis, never for a session.
// No key of ours takes part and nothing is sent after the handshake.
#ifndef CTLS_H
#define CTLS_H

#include <stdint.h>

struct ctls;

struct ctls_report {
	/// Whether the server has shown a certificate; what follows is about it.
	int has_certificate;
	/// 0, or why we do not trust it: an X509_V_ERR_ code, and OpenSSL's words for it.
	int verify_code;
	char verify_words[128];
	/// Common name, else organisation, of whom the server's certificate is for and of who issued it.
	char subject[128];
	char issuer[128];
	/// Its validity, in seconds since 1970.
	int64_t not_before;
	int64_t not_after;
	/// What OpenSSL says of a handshake that failed.
	char error[160];
};

/// Begins on a connected, non-blocking socket, which the caller keeps open; NULL when OpenSSL cannot, for example
/// because `authority` is no PEM file.
struct ctls *ctls_begin(int socket, const char *host, const char *authority);

/// Goes on: 0 done, 1 wait until readable, 2 wait until writable, -1 failed.
int ctls_step(struct ctls *tls);

void ctls_report(const struct ctls *tls, struct ctls_report *report);

void ctls_end(struct ctls *tls);

/// What a certificate's verification says when its authority is not ours, and when its time is not now.
int ctls_is_foreign(int verify_code);
int ctls_is_untimely(int verify_code);

#endif
