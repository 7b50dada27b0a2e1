/* Many WebRTC receivers in one process: what its files share. README.md has the words of stdin and stdout. */
#pragma once
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { maxDatagram = 2048, ringSlots = 4096, histogramSlots = 512, maxArrivals = 512 };

/* One packet of the video that has come or is missing, under its extended sequence number. */
typedef struct {
  uint32_t index;
  enum { slotFree, slotMissing, slotHere } state;
  union {
    struct { uint32_t counter; uint8_t layer, flags; bool isChecked; } here;
    struct { uint32_t sinceMs, askedMs; } missing;
  };
} Slot;

/* Sums over all viewers since the last reset; times in microseconds in buckets of 16 an octave. */
typedef struct {
  uint64_t datagrams, packets, bytes, audioPackets, frames, keyFrames, retransmitted, otherPackets, simulatedLosses;
  uint64_t lost, reordered, duplicates, damaged, outOfPlace, starts, switches;
  uint64_t nacks, feedbacks, reports, senderReports, authFailures, stunErrors;
  uint32_t firstUs[histogramSlots], lastUs[histogramSlots];
} Totals;

typedef struct {
  uint32_t ssrc, rtxSsrc, audioSsrc;
  bool isStarted, hasPrevious;
  uint32_t first, highest, next, received;
  uint32_t previousCounter;
  uint8_t previousLayer;
  uint32_t expectedBefore, receivedBefore;
  uint32_t lastReportNtp, lastReportMs;
  Slot ring[ringSlots];
} Stream;

typedef struct {
  uint32_t id;
  int fd;
  struct sockaddr_storage remote;
  socklen_t remoteLength;
  char ufrag[64], password[64], remoteUfrag[64], remotePassword[64], fingerprint[128];
  bool isLite, isDtlsClient, checksPayload, isPathOpen, isConnected, isClosed, hasPicture;
  int everyMs; /* > 0: a slow receiver, who reads so often */
  uint8_t transaction[12];
  uint32_t bornMs, nextCheckMs, nextReportMs, nextFeedbackMs, nextReadMs;
  SSL *ssl;
  srtp_t in, out;
  Stream video;
  int transportCcId; /* 0 = none */
  struct { uint16_t sequence; uint64_t us; } arrivals[maxArrivals];
  int arrivalCount;
  uint8_t feedbackCount;
  uint64_t windowPackets;
  uint64_t lineFreeNs; /* when its line has carried all that came before */
} Viewer;

extern Totals totals;
extern double lossShare; /* of the media packets, thrown away as if the path had lost them */
extern uint64_t lineBps; /* what the line to each viewer carries, in bit/s; 0: everything */

uint32_t nowMs(void);
uint64_t monotonicNs(void);
void fail(Viewer *viewer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sendDatagram(Viewer *viewer, const uint8_t *bytes, size_t length);

static inline uint16_t be16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t be32(const uint8_t *at) { return (uint32_t)be16(at) << 16 | be16(at + 2); }
static inline void put16(uint8_t *at, uint32_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static inline void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

/* stun.c */
void sendCheck(Viewer *viewer);
void receiveStun(Viewer *viewer, const uint8_t *bytes, size_t length);

/* dtls.c */
const char *openDtls(void); /* gives the fingerprint of the certificate that all viewers share */
bool beginDtls(Viewer *viewer, const char *profiles);
void advanceDtls(Viewer *viewer);
void receiveDtls(Viewer *viewer, const uint8_t *bytes, size_t length);
void endDtls(Viewer *viewer, bool says);

/* stream.c */
void receiveRtp(Viewer *viewer, uint8_t *packet, int length, uint64_t arrivedNs);
void watchGaps(Viewer *viewer);

/* rtcp.c */
void receiveRtcp(Viewer *viewer, uint8_t *packet, int length);
void sendReceiverReport(Viewer *viewer);
void sendTransportFeedback(Viewer *viewer);
void sendNack(Viewer *viewer, const uint32_t *missing, int count);
