/* ICE as a viewer needs it (RFC 8445, RFC 8489): checks towards the one candidate that the server named, and answers to its checks. */
#include "viewers.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { request = 0x0001, response = 0x0101, refusal = 0x0111 };
enum {
  attrUsername = 0x0006, attrIntegrity = 0x0008, attrErrorCode = 0x0009, attrMapped = 0x0020, attrPriority = 0x0024,
  attrUseCandidate = 0x0025, attrFingerprint = 0x8028, attrControlled = 0x8029, attrControlling = 0x802a
};
static const uint32_t cookie = 0x2112a442;

typedef struct { uint8_t bytes[512]; size_t length; } Message;

static void begin(Message *message, int type, const uint8_t transaction[12]) {
  put16(message->bytes, (uint32_t)type);
  put32(message->bytes + 4, cookie);
  memcpy(message->bytes + 8, transaction, 12);
  message->length = 20;
}

static void add(Message *message, int type, const void *value, size_t length) {
  uint8_t *at = message->bytes + message->length;
  put16(at, (uint32_t)type);
  put16(at + 2, (uint32_t)length);
  memset(at + 4, 0, (length + 3) & ~3u);
  memcpy(at + 4, value, length);
  message->length += 4 + ((length + 3) & ~3u);
}

static uint32_t crc32(const uint8_t *bytes, size_t length) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void hmac(const char *key, const uint8_t *bytes, size_t length, uint8_t digest[20]) {
  HMAC(EVP_sha1(), key, (int)strlen(key), bytes, length, digest, NULL);
}

/* Both attributes are computed over a length that already counts themselves (RFC 8489 §14.5, §14.7). */
static void finish(Viewer *viewer, Message *message, const char *key) {
  uint8_t digest[20], crc[4];
  put16(message->bytes + 2, (uint32_t)message->length + 24 - 20);
  hmac(key, message->bytes, message->length, digest);
  add(message, attrIntegrity, digest, sizeof digest);
  put16(message->bytes + 2, (uint32_t)message->length + 8 - 20);
  put32(crc, crc32(message->bytes, message->length) ^ 0x5354554e);
  add(message, attrFingerprint, crc, sizeof crc);
  sendDatagram(viewer, message->bytes, message->length);
}

/* With an ICE-lite server the viewer controls and nominates at once; a full one, who made the offer, controls himself. */
void sendCheck(Viewer *viewer) {
  Message message;
  char name[130];
  uint8_t priority[4], tie[8];
  /* Repeated as it is until it is answered; then each is a new one (RFC 7675 §5.1). */
  if (viewer->isPathOpen || viewer->transaction[0] == 0) {
    RAND_bytes(viewer->transaction, sizeof viewer->transaction);
    viewer->transaction[0] |= 1;
  }
  begin(&message, request, viewer->transaction);
  add(&message, attrUsername, name, (size_t)snprintf(name, sizeof name, "%s:%s", viewer->remoteUfrag, viewer->ufrag));
  put32(priority, 0x6effffff);
  add(&message, attrPriority, priority, sizeof priority);
  put32(tie, viewer->id), put32(tie + 4, viewer->bornMs);
  add(&message, viewer->isLite ? attrControlling : attrControlled, tie, sizeof tie);
  if (viewer->isLite) add(&message, attrUseCandidate, "", 0);
  finish(viewer, &message, viewer->remotePassword);
}

static const uint8_t *find(const uint8_t *bytes, size_t length, int type, size_t *valueLength) {
  for (size_t at = 20; at + 4 <= length;) {
    size_t size = be16(bytes + at + 2);
    if (at + 4 + size > length) return NULL;
    if (be16(bytes + at) == type) {
      *valueLength = size;
      return bytes + at + 4;
    }
    at += 4 + ((size + 3) & ~3u);
  }
  return NULL;
}

static bool isGenuine(const uint8_t *bytes, size_t length, const char *key) {
  uint8_t copy[maxDatagram], digest[20];
  size_t size;
  const uint8_t *integrity = find(bytes, length, attrIntegrity, &size);
  if (integrity == NULL || size != 20) return false;
  size_t covered = (size_t)(integrity - 4 - bytes);
  memcpy(copy, bytes, covered);
  put16(copy + 2, (uint32_t)covered + 24 - 20);
  hmac(key, copy, covered, digest);
  return memcmp(digest, integrity, 20) == 0;
}

static void answerCheck(Viewer *viewer, const uint8_t *bytes) {
  Message message;
  const struct sockaddr_in *remote = (const struct sockaddr_in *)&viewer->remote;
  begin(&message, response, bytes + 8);
  if (viewer->remote.ss_family == AF_INET) {
    uint8_t mapped[8] = {0, 1};
    put16(mapped + 2, ntohs(remote->sin_port) ^ cookie >> 16);
    put32(mapped + 4, ntohl(remote->sin_addr.s_addr) ^ cookie);
    add(&message, attrMapped, mapped, sizeof mapped);
  }
  finish(viewer, &message, viewer->password);
}

void receiveStun(Viewer *viewer, const uint8_t *bytes, size_t length) {
  if (length < 20 || be32(bytes + 4) != cookie || 20u + be16(bytes + 2) != length) return;
  int type = be16(bytes);
  if (type == request) {
    if (isGenuine(bytes, length, viewer->password)) answerCheck(viewer, bytes);
  } else if (memcmp(bytes + 8, viewer->transaction, 12) != 0) {
    return;
  } else if (type == response && isGenuine(bytes, length, viewer->remotePassword)) {
    viewer->isPathOpen = true;
  } else if (type == refusal) {
    size_t size;
    const uint8_t *code = find(bytes, length, attrErrorCode, &size);
    totals.stunErrors += 1;
    if (!viewer->isPathOpen) fail(viewer, "the check was refused with %d", code != NULL && size >= 4 ? code[2] * 100 + code[3] : 0);
  }
}
