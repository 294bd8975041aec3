#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pkcs7.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// What OpenSSL offers as macros, which Swift cannot see.

static inline int copenssl_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

// The certificate's first common name in UTF-8, cut to the buffer; the number of bytes, or -1 if there is none.
static inline int copenssl_common_name(const X509_NAME *name, char *buffer, int size) {
    return X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, buffer, size);
}

// The name that the server is asked for (SNI).
static inline int copenssl_set_host(SSL *ssl, const char *host) {
    return SSL_set_tlsext_host_name(ssl, host) == 1;
}

static inline int copenssl_chain_count(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }
static inline X509 *copenssl_chain_at(const STACK_OF(X509) *chain, int index) {
    return sk_X509_value(chain, index);
}

// The first DNS name of the certificate's subjectAltName, cut to the buffer; 0 if there is none.
static inline int copenssl_first_dns_name(const X509 *certificate, char *buffer, int size) {
    int length = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS) continue;
        length = ASN1_STRING_length(name->d.dNSName);
        if (length > size) length = size;
        memcpy(buffer, ASN1_STRING_get0_data(name->d.dNSName), length);
        break;
    }
    GENERAL_NAMES_free(names);
    return length;
}

// SHA-256 over the public key as it stands in the certificate (SubjectPublicKeyInfo, RFC 7469 section 2.4).
static inline int copenssl_spki_sha256(const X509 *certificate, unsigned char digest[32]) {
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0) return 0;
    unsigned int size = 32;
    int ok = EVP_Digest(der, length, digest, &size, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return ok && size == 32;
}

// A new key pair on the curve P-256, or NULL.
static inline EVP_PKEY *copenssl_new_p256(void) { return EVP_EC_gen("P-256"); }

// The certificates of a signed PKCS#7 message, which go with it; NULL if it is none, or holds none.
static inline STACK_OF(X509) *copenssl_certificates(const PKCS7 *message) {
    if (!PKCS7_type_is_signed(message) || !message->d.sign) return NULL;
    return message->d.sign->cert;
}

// Seconds since 1970; 0 if it cannot be read.
static inline int64_t copenssl_seconds(const ASN1_TIME *time) {
    struct tm parts;
    return time && ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}
