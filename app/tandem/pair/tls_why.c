/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "tls_why.h"

/* Own check of the peer's certificate. */
static void tls_why_verify(SSL *ssl, const char *peer_name, char why[TLS_WHY])
{
	long v = SSL_get_verify_result(ssl);
	X509 *peer = SSL_get0_peer_certificate(ssl);
	char name[80], subject[sizeof(name) + 4] = "";

	/* OpenSSL keeps the certificate of some who were refused, not of all. */
	if (peer != NULL)
		snprintf(subject, sizeof(subject), " (%s)",
			X509_NAME_oneline(X509_get_subject_name(peer), name, sizeof(name)));
	switch (v) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(why, TLS_WHY, "the peer's certificate%s has expired: put a new one there",
			subject);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(why, TLS_WHY,
			"the peer's certificate%s is not valid yet: compare the clocks", subject);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		snprintf(why, TLS_WHY,
			"the peer's certificate%s does not have the name srp.peer-name says, %s",
			subject, peer_name);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(why, TLS_WHY,
			"the peer's certificate%s is not of our CA: compare srp.ca-file on both "
			"chassis",
			subject);
		break;
	default:
		snprintf(why, TLS_WHY, "the peer's certificate%s is refused: %s", subject,
			X509_verify_cert_error_string(v));
	}
}

/* What OpenSSL calls it, and what it means between two chassis. psk NULL: the same as with
 * certificates. */
static const struct {
	int reason;
	const char *certificate, *psk;
} reasons[] = {
	{ SSL_R_WRONG_VERSION_NUMBER,
		"the peer does not speak TLS: is insecure = true set there? Both must say the same",
		NULL },
	{ SSL_R_HTTP_REQUEST, "the peer does not speak TLS", NULL },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "the peer does not speak TLS 1.3", NULL },
	{ SSL_R_BINDER_DOES_NOT_VERIFY,
		"the peer has another pre-shared key: copy srp.psk-file to it",
		"the peer has another pre-shared key: copy srp.psk-file to it" },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
		"the peer shows no certificate: is srp.psk-file set there?", NULL },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
		"the peer's certificate is of a kind that is not used here",
		"the peer has no pre-shared key: is srp.certificate-file set there?" },
	{ SSL_R_NO_SHARED_CIPHER, "the peer and we share no cipher",
		"the peer has no pre-shared key: is srp.certificate-file set there?" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
		"the peer does not know our certificate's CA: compare srp.ca-file on both chassis",
		NULL },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
		"the peer says that our certificate has expired: replace srp.certificate-file",
		NULL },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
		"the peer refuses our certificate, most likely its name: compare its srp.peer-name "
		"with srp.certificate-file",
		NULL },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer refuses our certificate: see its log",
		NULL },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer wants a certificate of us", NULL },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
		"the peer uses a pre-shared key or another cipher: is srp.psk-file set there?",
		"the peer does not take our pre-shared key: the same srp.psk-file on both?" },
	{ SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER, "the peer refuses the handshake: see its log",
		"the peer has another pre-shared key: copy srp.psk-file to it" },
	{ SSL_R_TLSV1_ALERT_DECRYPT_ERROR, "the peer cannot verify our certificate: see its log",
		"the peer has another pre-shared key: copy srp.psk-file to it" },
	{ SSL_R_SSLV3_ALERT_UNEXPECTED_MESSAGE, "the peer refuses the handshake: see its log",
		NULL },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING,
		"the peer closed the connection in the handshake: see its log", NULL },
};

void tls_why(SSL *ssl, bool psk, const char *peer_name, char why[TLS_WHY])
{
	unsigned long e = ERR_peek_error();
	int reason = ERR_GET_REASON(e);
	const char *text;

	if (e == 0) {
		snprintf(why, TLS_WHY,
			"the peer closed the connection in the handshake%s%s: see its log",
			errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
		return;
	}
	if (ERR_GET_LIB(e) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		if (psk)
			snprintf(why, TLS_WHY,
				"the peer shows a certificate, here srp.psk-file is set: the same "
				"kind on both");
		else
			tls_why_verify(ssl, peer_name, why);
		return;
	}
	for (unsigned int i = 0;
		ERR_GET_LIB(e) == ERR_LIB_SSL && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].reason == reason) {
			snprintf(why, TLS_WHY, "%s",
				psk && reasons[i].psk != NULL ? reasons[i].psk
							      : reasons[i].certificate);
			return;
		}
	text = ERR_reason_error_string(e);
	snprintf(why, TLS_WHY, "TLS: %s", text != NULL ? text : "unknown error");
}
