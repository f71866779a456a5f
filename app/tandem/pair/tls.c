/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/secret.h"
#include "pair/tls.h"
#include "tls_why.h"

_Static_assert((int)TLS_WHY >= (int)SECRET_WHY, "room for why a file is none");

enum { PSK_LEAST = 32, PSK_MOST = 64, CERTIFICATES_BYTES = 16384 };

static const char suite[] = "TLS_AES_128_GCM_SHA256", identity[] = "tandem";

struct tls {
	unsigned int users; /* itself, and connections */
	uint64_t files;     /* what tells other files from those that were read */
	SSL_CTX *ctx;
	bool psk;
	uint8_t key[PSK_MOST];
	size_t key_len;
};

struct tls_conn {
	SSL *ssl;
	struct tls *t;
	unsigned int side;
	char peer_name[CONFIG_NAME];
	bool wants_write;
};

/* ---- files ---- */

static int tls_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* One line of hexadecimal digits. */
static bool tls_read_psk(struct tls *t, const char *path, char why[TLS_WHY])
{
	char line[2 * PSK_MOST + 3] = "";
	FILE *f;
	size_t n, i;

	if (!secret_file("srp.psk-file", path, why))
		return false;
	f = fopen(path, "re");
	if (f == NULL) {
		snprintf(why, TLS_WHY, "srp.psk-file: %s: %s", path, strerror(errno));
		return false;
	}
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		n--;
	for (i = 0; i + 1 < n && i / 2 < PSK_MOST && tls_digit(line[i]) >= 0 &&
		    tls_digit(line[i + 1]) >= 0;
		i += 2)
		t->key[i / 2] = (uint8_t)(tls_digit(line[i]) << 4 | tls_digit(line[i + 1]));
	t->key_len = i / 2;
	OPENSSL_cleanse(line, sizeof(line));
	if (i == n && t->key_len >= PSK_LEAST)
		return true;
	snprintf(why, TLS_WHY,
		"srp.psk-file: %s: expected one line of %d to %d hexadecimal digits, as `openssl "
		"rand -hex 32` prints them; the same file on both chassis",
		path, 2 * PSK_LEAST, 2 * PSK_MOST);
	return false;
}

static bool tls_file_failed(const char *key, const char *path, char why[TLS_WHY])
{
	unsigned long e = ERR_peek_last_error();

	if (access(path, R_OK) < 0)
		snprintf(why, TLS_WHY, "srp.%s: %s: %s", key, path, strerror(errno));
	else
		snprintf(why, TLS_WHY, "srp.%s: %s: expected a PEM file: %s", key, path,
			ERR_reason_error_string(e) != NULL ? ERR_reason_error_string(e)
							   : "not one");
	return false;
}

static bool tls_read_certificates(struct tls *t, const struct tls_files *f, char why[TLS_WHY])
{
	if (!secret_file("srp.key-file", f->key, why))
		return false;
	if (SSL_CTX_load_verify_file(t->ctx, f->ca) != 1)
		return tls_file_failed("ca-file", f->ca, why);
	if (SSL_CTX_use_certificate_chain_file(t->ctx, f->certificate) != 1)
		return tls_file_failed("certificate-file", f->certificate, why);
	if (SSL_CTX_use_PrivateKey_file(t->ctx, f->key, SSL_FILETYPE_PEM) == 1)
		return true;
	if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
		return tls_file_failed("key-file", f->key, why);
	snprintf(why, TLS_WHY, "srp.key-file: %s is not the key of %s", f->key, f->certificate);
	return false;
}

static uint64_t tls_text_hash(uint64_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t tls_files_now(const struct tls_files *f)
{
	const char *const path[] = { f->psk, f->ca, f->certificate, f->key };
	/* a reload may change it, and which files they are */
	uint64_t h = tls_text_hash(0, f->peer_name);
	struct stat st;

	for (unsigned int i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		if (path[i][0] != '\0' && stat(path[i], &st) == 0)
			h = (tls_text_hash(h + i, path[i]) ^ (uint64_t)st.st_ino ^
				    (uint64_t)st.st_size << 40 ^ (uint64_t)st.st_mtim.tv_sec << 30 ^
				    (uint64_t)st.st_mtim.tv_nsec) *
			    UINT64_C(0x9e3779b97f4a7c15);
	return h;
}

/* ---- pre-shared key ---- */

static SSL_SESSION *tls_psk_session(const struct tls *t, SSL *ssl)
{
	static const unsigned char cipher[] = { 0x13, 0x01 };
	SSL_SESSION *s = SSL_SESSION_new();

	if (s != NULL && SSL_SESSION_set1_master_key(s, t->key, t->key_len) == 1 &&
		SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, cipher)) == 1 &&
		SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

static int tls_psk_use(
	SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len, SSL_SESSION **s)
{
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)md;
	*id = (const unsigned char *)identity;
	*len = sizeof(identity) - 1;
	*s = tls_psk_session(t, ssl);
	return *s != NULL;
}

static int tls_psk_find(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **s)
{
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	*s = NULL;
	if (len != sizeof(identity) - 1 || memcmp(id, identity, len) != 0)
		return 1; /* not ours: the handshake ends for want of a certificate */
	*s = tls_psk_session(t, ssl);
	return *s != NULL;
}

/* ---- context ---- */

static bool tls_set_up(struct tls *t, const struct tls_files *f, char why[TLS_WHY])
{
	t->ctx = SSL_CTX_new(TLS_method());
	if (t->ctx == NULL || SSL_CTX_set_min_proto_version(t->ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(t->ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(t->ctx, suite) != 1 ||
		SSL_CTX_set_num_tickets(t->ctx, 0) != 1) {
		snprintf(why, TLS_WHY, "srp: OpenSSL does not offer %s", suite);
		return false;
	}
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_max_cert_list(t->ctx, CERTIFICATES_BYTES);
	SSL_CTX_set_mode(
		t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(t->ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_app_data(t->ctx, t);
	if (!t->psk)
		return tls_read_certificates(t, f, why);
	SSL_CTX_set_psk_use_session_callback(t->ctx, tls_psk_use);
	SSL_CTX_set_psk_find_session_callback(t->ctx, tls_psk_find);
	return tls_read_psk(t, f->psk, why);
}

struct tls *tls_create(const struct tls_files *f, char why[TLS_WHY])
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		snprintf(why, TLS_WHY, "no memory");
		return NULL;
	}
	t->users = 1;
	t->files = tls_files_now(f);
	t->psk = f->psk[0] != '\0';
	ERR_clear_error();
	if (tls_set_up(t, f, why))
		return t;
	tls_destroy(t);
	return NULL;
}

bool tls_changed(struct tls *t, const struct tls_files *f)
{
	uint64_t was = t->files;

	t->files = tls_files_now(f);
	return t->files != was;
}

bool tls_pre_shared(const struct tls *t)
{
	return t->psk;
}

void tls_destroy(struct tls *t)
{
	if (t == NULL || --t->users > 0)
		return;
	SSL_CTX_free(t->ctx);
	OPENSSL_cleanse(t->key, sizeof(t->key));
	free(t);
}

/* ---- connection ---- */

struct tls_conn *tls_open(struct tls *t, int fd, unsigned int side, const char *peer_name)
{
	struct tls_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct tls_conn){ .ssl = SSL_new(t->ctx), .t = t, .side = side };
	snprintf(c->peer_name, sizeof(c->peer_name), "%s", peer_name);
	t->users++;
	if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1 ||
		(!t->psk && SSL_set1_host(c->ssl, c->peer_name) != 1)) {
		tls_close(c);
		return NULL;
	}
	if (side == 0) {
		SSL_set_accept_state(c->ssl);
		/* Else a server that may ask for certificates takes no session up, which a
		 * pre-shared key is to OpenSSL. */
		SSL_set_session_id_context(
			c->ssl, (const unsigned char *)identity, sizeof(identity) - 1);
	} else
		SSL_set_connect_state(c->ssl);
	return c;
}

void tls_close(struct tls_conn *c)
{
	if (c == NULL)
		return;
	if (c->ssl != NULL && SSL_is_init_finished(c->ssl))
		SSL_shutdown(c->ssl);
	ERR_clear_error();
	SSL_free(c->ssl);
	tls_destroy(c->t);
	free(c);
}

static bool tls_again(struct tls_conn *c, int ret)
{
	int e = SSL_get_error(c->ssl, ret);

	c->wants_write = e == SSL_ERROR_WANT_WRITE;
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

/* Nothing rests on the defaults of a library: what was proven is asked again. */
static bool tls_proven(const struct tls_conn *c)
{
	X509 *peer = SSL_get0_peer_certificate(c->ssl);

	return SSL_version(c->ssl) == TLS1_3_VERSION &&
	       (c->t->psk ? SSL_session_reused(c->ssl) == 1
			  : peer != NULL && SSL_get_verify_result(c->ssl) == X509_V_OK);
}

enum tls_step tls_handshake(struct tls_conn *c, char why[TLS_WHY])
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(c->ssl);
	if (ret == 1 && tls_proven(c))
		return TLS_DONE;
	if (ret != 1 && tls_again(c, ret))
		return TLS_AGAIN;
	tls_why(c->ssl, c->t->psk, c->peer_name, why);
	return TLS_FAILED;
}

bool tls_wants_write(const struct tls_conn *c)
{
	return c->wants_write;
}

ssize_t tls_recv(struct tls_conn *c, void *to, size_t n, char why[TLS_WHY])
{
	size_t got = 0;
	int ret;

	ERR_clear_error();
	errno = 0;
	why[0] = '\0';
	ret = SSL_read_ex(c->ssl, to, n, &got);
	if (ret == 1)
		return (ssize_t)got;
	if (tls_again(c, ret))
		return 0;
	if (ERR_peek_error() != 0)
		tls_why(c->ssl, c->t->psk, c->peer_name, why);
	return -1;
}

ssize_t tls_send(struct tls_conn *c, const void *from, size_t n)
{
	size_t sent = 0;
	int ret;

	ERR_clear_error();
	ret = SSL_write_ex(c->ssl, from, n, &sent);
	if (ret == 1)
		return (ssize_t)sent;
	return tls_again(c, ret) ? 0 : -1;
}

int tls_secrets(struct tls_conn *c, uint8_t tx[KEYS_SECRET], uint8_t rx[KEYS_SECRET], uint16_t *id)
{
	static const char *const label[] = { "EXPORTER-tandem-side-0", "EXPORTER-tandem-side-1" };
	static const char id_label[] = "EXPORTER-tandem-key-id";
	const char *mine = label[c->side], *theirs = label[1 - c->side];
	uint8_t b[2];

	if (SSL_export_keying_material(c->ssl, tx, KEYS_SECRET, mine, strlen(mine), NULL, 0, 0) !=
			1 ||
		SSL_export_keying_material(
			c->ssl, rx, KEYS_SECRET, theirs, strlen(theirs), NULL, 0, 0) != 1 ||
		SSL_export_keying_material(
			c->ssl, b, sizeof(b), id_label, strlen(id_label), NULL, 0, 0) != 1)
		return -EPROTO;
	*id = (uint16_t)(b[0] << 8 | b[1]);
	if (*id == 0)
		*id = 1;
	return 0;
}

const struct tls_ops tls_openssl = { tls_create, tls_destroy, tls_changed, tls_pre_shared, tls_open,
	tls_close, tls_handshake, tls_wants_write, tls_recv, tls_send, tls_secrets };

const struct tls_ops *tls_ops = &tls_openssl;
