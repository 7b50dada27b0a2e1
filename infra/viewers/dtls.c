/* DTLS-SRTP (RFC 5764): the handshake, the check of the server's certificate, and the keys. */
#include "viewers.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static SSL_CTX *context;

static int acceptAny(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1; /* self-signed by nature; its fingerprint is what counts */
}

static void hexOf(X509 *certificate, char *text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  for (unsigned int i = 0; i < size; i++) sprintf(text + 3 * i, i + 1 < size ? "%02X:" : "%02X", digest[i]);
}

const char *openDtls(void) {
  static char fingerprint[128];
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * 86400);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"viewers", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  context = SSL_CTX_new(DTLS_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, acceptAny);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  hexOf(certificate, fingerprint);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return fingerprint;
}

bool beginDtls(Viewer *viewer, const char *profiles) {
  viewer->ssl = SSL_new(context);
  /* Written straight to the socket, so that each flight keeps its datagrams; read from memory, because media share the socket. */
  BIO *out = BIO_new_dgram(viewer->fd, BIO_NOCLOSE);
  BIO_ctrl(out, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &viewer->remote);
  BIO *in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(viewer->ssl, in, out);
  SSL_set_mtu(viewer->ssl, 1200);
  if (SSL_set_tlsext_use_srtp(viewer->ssl, profiles) != 0) return false;
  viewer->isDtlsClient ? SSL_set_connect_state(viewer->ssl) : SSL_set_accept_state(viewer->ssl);
  return true;
}

static bool setPolicy(srtp_policy_t *policy, unsigned long profile) {
  memset(policy, 0, sizeof *policy);
  switch (profile) {
    case SRTP_AEAD_AES_256_GCM:
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
      return true;
    case SRTP_AEAD_AES_128_GCM:
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
      return true;
    case SRTP_AES128_CM_SHA1_80:
      srtp_crypto_policy_set_rtp_default(&policy->rtp);
      srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
      return true;
    default:
      return false;
  }
}

typedef struct { size_t key, salt; } Sizes;

static bool makeSession(srtp_t *session, srtp_policy_t policy, Sizes sizes, const uint8_t *key, const uint8_t *salt) {
  uint8_t joined[64];
  memcpy(joined, key, sizes.key);
  memcpy(joined + sizes.key, salt, sizes.salt);
  policy.key = joined;
  policy.window_size = 1024;
  policy.allow_repeat_tx = 1;
  return srtp_create(session, &policy) == srtp_err_status_ok;
}

/* The material is: client's key, server's key, client's salt, server's salt (RFC 5764 §4.2). */
static bool takeKeys(Viewer *viewer, unsigned long profile) {
  srtp_policy_t policy;
  uint8_t material[2 * 46];
  if (!setPolicy(&policy, profile)) return false;
  Sizes sizes = {.salt = profile == SRTP_AES128_CM_SHA1_80 ? 14 : 12};
  sizes.key = (size_t)policy.rtp.cipher_key_len - sizes.salt;
  size_t length = 2 * (sizes.key + sizes.salt);
  if (SSL_export_keying_material(viewer->ssl, material, length, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1) return false;
  const uint8_t *keys = material, *salts = material + 2 * sizes.key;
  int own = viewer->isDtlsClient ? 0 : 1, other = 1 - own;
  policy.ssrc.type = ssrc_any_outbound;
  if (!makeSession(&viewer->out, policy, sizes, keys + own * (int)sizes.key, salts + own * (int)sizes.salt)) return false;
  policy.ssrc.type = ssrc_any_inbound;
  return makeSession(&viewer->in, policy, sizes, keys + other * (int)sizes.key, salts + other * (int)sizes.salt);
}

static void connected(Viewer *viewer) {
  char text[128] = "";
  X509 *certificate = SSL_get1_peer_certificate(viewer->ssl);
  if (certificate != NULL) hexOf(certificate, text);
  X509_free(certificate);
  const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(viewer->ssl);
  if (strcasecmp(text, viewer->fingerprint) != 0) {
    fail(viewer, "the certificate is not the announced one");
  } else if (profile == NULL || !takeKeys(viewer, profile->id)) {
    fail(viewer, "no SRTP profile in common, or no keys");
  } else {
    viewer->isConnected = true;
    printf("{\"event\":\"connected\",\"id\":%u,\"profile\":\"%s\",\"ms\":%u}\n", viewer->id, profile->name, nowMs() - viewer->bornMs);
  }
}

void advanceDtls(Viewer *viewer) {
  if (viewer->isConnected || viewer->isClosed) return;
  DTLSv1_handle_timeout(viewer->ssl);
  ERR_clear_error();
  int result = SSL_do_handshake(viewer->ssl);
  if (result == 1) {
    connected(viewer);
  } else if (SSL_get_error(viewer->ssl, result) == SSL_ERROR_SSL) {
    fail(viewer, "DTLS: %s", ERR_reason_error_string(ERR_get_error()));
  }
}

void receiveDtls(Viewer *viewer, const uint8_t *bytes, size_t length) {
  BIO_write(SSL_get_rbio(viewer->ssl), bytes, (int)length);
  if (!viewer->isConnected) {
    advanceDtls(viewer);
    return;
  }
  /* What comes later is SCTP, which nobody here speaks, or the end. */
  uint8_t ignored[maxDatagram];
  int result = SSL_read(viewer->ssl, ignored, sizeof ignored);
  if (result <= 0 && SSL_get_error(viewer->ssl, result) == SSL_ERROR_ZERO_RETURN) {
    printf("{\"event\":\"closed\",\"id\":%u}\n", viewer->id);
    viewer->isClosed = true;
  }
}

void endDtls(Viewer *viewer, bool says) {
  if (says && viewer->isConnected) SSL_shutdown(viewer->ssl);
  SSL_free(viewer->ssl);
  if (viewer->in != NULL) srtp_dealloc(viewer->in);
  if (viewer->out != NULL) srtp_dealloc(viewer->out);
}
