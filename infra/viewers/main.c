/*
 * Many WebRTC receivers in one process: one UDP socket each, one thread, no signalling of its own. README.md says what it reads and prints.
 */
#define _GNU_SOURCE
#include "viewers.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { maxViewers = 4096, batch = 32, tickMs = 10, checkEveryMs = 50, consentEveryMs = 2500, connectMs = 15000, reportEveryMs = 1000, feedbackEveryMs = 100 };

Totals totals;
double lossShare;
uint64_t lineBps;
static Viewer *viewers[maxViewers];
static int poller, highestId = -1;
static uint64_t realtimeAheadNs;

static uint64_t clockNs(clockid_t id) {
  struct timespec at;
  clock_gettime(id, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}
uint64_t monotonicNs(void) { return clockNs(CLOCK_MONOTONIC); }
uint32_t nowMs(void) { return (uint32_t)(monotonicNs() / 1000000); }

void fail(Viewer *viewer, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("{\"event\":\"failed\",\"id\":%u,\"message\":\"%s\"}\n", viewer->id, text);
  viewer->isClosed = true;
}

void sendDatagram(Viewer *viewer, const uint8_t *bytes, size_t length) {
  /* What does not fit into the socket is lost, as on any path. */
  (void)!send(viewer->fd, bytes, length, MSG_DONTWAIT);
}

/* The word behind `name=` in a line of words; the default where it is not there. */
static const char *word(char **words, const char *name, const char *otherwise) {
  size_t length = strlen(name);
  for (; *words != NULL; words++) {
    if (strncmp(*words, name, length) == 0 && (*words)[length] == '=') return *words + length + 1;
  }
  return otherwise;
}
static uint32_t number(char **words, const char *name) { return (uint32_t)strtoul(word(words, name, "0"), NULL, 10); }
static void copyWord(char **words, const char *name, char *into, size_t size) { snprintf(into, size, "%s", word(words, name, "")); }

static bool openSocket(Viewer *viewer, const char *address, int port, int receiveBuffer) {
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&viewer->remote;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&viewer->remote;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET, v4->sin_port = htons((uint16_t)port), viewer->remoteLength = sizeof *v4;
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6, v6->sin6_port = htons((uint16_t)port), viewer->remoteLength = sizeof *v6;
  } else {
    return false;
  }
  int on = 1;
  viewer->fd = socket(viewer->remote.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(viewer->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(viewer->fd, SOL_SOCKET, receiveBuffer < 1 << 20 ? SO_RCVBUF : SO_RCVBUFFORCE, &receiveBuffer, sizeof receiveBuffer);
  return connect(viewer->fd, (struct sockaddr *)&viewer->remote, viewer->remoteLength) == 0;
}

static void discard(Viewer *viewer, bool says) {
  endDtls(viewer, says);
  if (says) {
    close(viewer->fd);
  } else {
    /* Nobody answers there any more, as behind a cut cable; and nobody else gets its port, whom the server would take for him. */
    epoll_ctl(poller, EPOLL_CTL_DEL, viewer->fd, NULL);
  }
  viewers[viewer->id] = NULL;
  free(viewer);
}

static void watch(char **words) {
  uint32_t id = number(words, "id");
  if (id >= maxViewers || viewers[id] != NULL) {
    printf("{\"event\":\"failed\",\"id\":%u,\"message\":\"id: not free, or not below %d\"}\n", id, maxViewers);
    return;
  }
  Viewer *viewer = viewers[id] = calloc(1, sizeof *viewer);
  if ((int)id > highestId) highestId = (int)id;
  viewer->id = id;
  viewer->bornMs = viewer->nextCheckMs = nowMs();
  /* Staggered, as people who came one after the other are. */
  viewer->nextReportMs = viewer->bornMs + id * 37 % reportEveryMs;
  viewer->nextFeedbackMs = viewer->bornMs + id * 7 % feedbackEveryMs;
  copyWord(words, "ufrag", viewer->ufrag, sizeof viewer->ufrag);
  copyWord(words, "password", viewer->password, sizeof viewer->password);
  copyWord(words, "remoteUfrag", viewer->remoteUfrag, sizeof viewer->remoteUfrag);
  copyWord(words, "remotePassword", viewer->remotePassword, sizeof viewer->remotePassword);
  copyWord(words, "fingerprint", viewer->fingerprint, sizeof viewer->fingerprint);
  viewer->isLite = number(words, "lite") != 0;
  viewer->isDtlsClient = strcmp(word(words, "role", "server"), "client") == 0;
  viewer->checksPayload = number(words, "check") != 0;
  viewer->everyMs = (int)number(words, "everyMs");
  viewer->transportCcId = (int)number(words, "transportCc");
  viewer->video.ssrc = number(words, "video"), viewer->video.rtxSsrc = number(words, "rtx"), viewer->video.audioSsrc = number(words, "audio");
  int receiveBuffer = (int)number(words, "receiveBuffer");
  if (!openSocket(viewer, word(words, "address", ""), (int)number(words, "port"), receiveBuffer > 0 ? receiveBuffer : 2 << 20)) {
    fail(viewer, "address %s can not be reached", word(words, "address", "(none)"));
  } else if (!beginDtls(viewer, word(words, "profiles", "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"))) {
    fail(viewer, "profiles: none that OpenSSL knows");
  } else if (viewer->everyMs == 0) {
    epoll_ctl(poller, EPOLL_CTL_ADD, viewer->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = viewer});
  }
}

static uint32_t quantile(const uint32_t *histogram, double share) {
  uint64_t all = 0, sum = 0;
  for (int i = 0; i < histogramSlots; i++) all += histogram[i];
  for (int i = 0; i < histogramSlots; i++) {
    sum += histogram[i];
    if (all > 0 && (double)sum >= share * (double)all) return (uint32_t)exp2((i + 0.5) / 16);
  }
  return 0;
}

static void report(void) {
  uint64_t least = UINT64_MAX, most = 0;
  int watching = 0, connectedCount = 0, waiting = 0;
  for (int id = 0; id <= highestId; id++) {
    Viewer *viewer = viewers[id];
    if (viewer == NULL) continue;
    watching += 1;
    if (!viewer->isConnected || viewer->isClosed) continue;
    connectedCount += 1;
    waiting += viewer->video.isStarted && viewer->video.next <= viewer->video.highest;
    if (viewer->windowPackets < least) least = viewer->windowPackets;
    if (viewer->windowPackets > most) most = viewer->windowPackets;
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpuMs = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
  printf("{\"event\":\"report\",\"viewers\":%d,\"connected\":%d,\"waiting\":%d,\"least\":%llu,\"most\":%llu,\"cpuMs\":%.1f", watching, connectedCount,
         waiting, connectedCount ? (unsigned long long)least : 0, (unsigned long long)most, cpuMs);
#define sum(name) printf(",\"" #name "\":%llu", (unsigned long long)totals.name)
  sum(datagrams), sum(packets), sum(bytes), sum(audioPackets), sum(otherPackets), sum(frames), sum(keyFrames), sum(starts), sum(switches);
  sum(lost), sum(simulatedLosses), sum(reordered), sum(duplicates), sum(damaged), sum(outOfPlace), sum(authFailures);
  sum(retransmitted), sum(nacks), sum(feedbacks), sum(reports), sum(senderReports), sum(stunErrors);
#undef sum
  for (int last = 0; last < 2; last++) {
    const uint32_t *histogram = last ? totals.lastUs : totals.firstUs;
    printf(",\"%s\":{\"p50\":%u,\"p95\":%u,\"p99\":%u}", last ? "lastUs" : "firstUs", quantile(histogram, 0.5), quantile(histogram, 0.95), quantile(histogram, 0.99));
  }
  printf("}\n");
}

static void reset(void) {
  memset(&totals, 0, sizeof totals);
  for (int id = 0; id <= highestId; id++) {
    if (viewers[id] != NULL) viewers[id]->windowPackets = 0;
  }
}

static void obey(char *line) {
  char *words[64] = {NULL}, *rest = NULL;
  int count = 0;
  for (char *at = strtok_r(line, " \r", &rest); at != NULL && count < 63; at = strtok_r(NULL, " \r", &rest)) words[count++] = at;
  if (count == 0) return;
  uint32_t id = number(words, "id");
  Viewer *viewer = id < maxViewers ? viewers[id] : NULL;
  if (strcmp(words[0], "watch") == 0) {
    watch(words);
  } else if (strcmp(words[0], "close") == 0 || strcmp(words[0], "vanish") == 0) {
    if (viewer != NULL) discard(viewer, words[0][0] == 'c');
  } else if (strcmp(words[0], "video") == 0) {
    if (viewer != NULL) {
      memset(&viewer->video, 0, sizeof viewer->video);
      viewer->video.ssrc = number(words, "video"), viewer->video.rtxSsrc = number(words, "rtx"), viewer->video.audioSsrc = number(words, "audio");
      viewer->transportCcId = (int)number(words, "transportCc");
      viewer->arrivalCount = 0;
    }
  } else if (strcmp(words[0], "loss") == 0) {
    lossShare = strtod(word(words, "share", "0"), NULL);
  } else if (strcmp(words[0], "rate") == 0) {
    lineBps = strtoull(word(words, "bps", "0"), NULL, 10);
  } else if (strcmp(words[0], "report") == 0) {
    report();
  } else if (strcmp(words[0], "reset") == 0) {
    reset();
  } else {
    printf("{\"event\":\"failed\",\"message\":\"unknown word\"}\n");
  }
}

/* False at the end of stdin: whoever started this has gone. */
static bool readCommands(void) {
  static char buffer[65536];
  static size_t held;
  ssize_t got = read(0, buffer + held, sizeof buffer - 1 - held);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  held += (size_t)got;
  buffer[held] = 0;
  char *line = buffer;
  for (char *end; (end = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL; line = end + 1) {
    *end = 0;
    obey(line);
  }
  held -= (size_t)(line - buffer);
  memmove(buffer, line, held);
  return held < sizeof buffer - 1;
}

/* RFC 7983 §7: the first byte tells what it is; RTCP differs from RTP in its type (RFC 5761 §4). */
static void dispatch(Viewer *viewer, uint8_t *bytes, int length, uint64_t arrivedNs) {
  totals.datagrams += 1;
  if (length < 12) return;
  if (bytes[0] < 4) {
    bool wasOpen = viewer->isPathOpen;
    receiveStun(viewer, bytes, (size_t)length);
    if (viewer->isPathOpen && !wasOpen && viewer->isDtlsClient) advanceDtls(viewer);
  } else if (bytes[0] >= 20 && bytes[0] < 64) {
    receiveDtls(viewer, bytes, (size_t)length);
  } else if (bytes[0] >= 128 && bytes[0] < 192) {
    if (bytes[1] >= 192 && bytes[1] <= 223) {
      receiveRtcp(viewer, bytes, length);
    } else {
      receiveRtp(viewer, bytes, length, arrivedNs);
    }
  }
}

/* Reads what waits: all of it, or one batch, where others wait, too. */
static void drain(Viewer *viewer, bool all) {
  static uint8_t buffers[batch][maxDatagram];
  static uint8_t controls[batch][64];
  struct mmsghdr messages[batch];
  struct iovec vectors[batch];
  int got;
  do {
    for (int i = 0; i < batch; i++) {
      vectors[i] = (struct iovec){buffers[i], maxDatagram};
      messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = sizeof controls[i]}};
    }
    got = recvmmsg(viewer->fd, messages, batch, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got && !viewer->isClosed; i++) {
      /* The kernel's time of arrival: how late this process reads does not count. */
      struct cmsghdr *control = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      uint64_t arrivedNs = 0;
      if (control != NULL && control->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec at;
        memcpy(&at, CMSG_DATA(control), sizeof at);
        arrivedNs = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec - realtimeAheadNs;
      }
      dispatch(viewer, buffers[i], (int)messages[i].msg_len, arrivedNs);
    }
  } while (all && got == batch && !viewer->isClosed);
}

static bool isDue(uint32_t *at, uint32_t now, uint32_t everyMs) {
  if ((int32_t)(now - *at) < 0) return false;
  *at = now + everyMs;
  return true;
}

static void tick(uint32_t now) {
  for (int id = 0; id <= highestId; id++) {
    Viewer *viewer = viewers[id];
    if (viewer == NULL || viewer->isClosed) continue;
    if (isDue(&viewer->nextCheckMs, now, viewer->isPathOpen ? consentEveryMs : checkEveryMs)) sendCheck(viewer);
    if (viewer->everyMs > 0 && isDue(&viewer->nextReadMs, now, (uint32_t)viewer->everyMs)) drain(viewer, true);
    if (viewer->isClosed) continue;
    if (!viewer->isConnected) {
      if (viewer->isPathOpen) advanceDtls(viewer);
      if (!viewer->isClosed && !viewer->isConnected && now - viewer->bornMs > connectMs) {
        fail(viewer, viewer->isPathOpen ? "no DTLS within %d ms" : "no answer to the checks within %d ms", connectMs);
      }
      continue;
    }
    watchGaps(viewer);
    if (isDue(&viewer->nextReportMs, now, reportEveryMs)) sendReceiverReport(viewer);
    if (isDue(&viewer->nextFeedbackMs, now, feedbackEveryMs)) sendTransportFeedback(viewer);
  }
}

static void tickWhenDue(void) {
  static uint32_t nextTickMs;
  uint32_t now = nowMs();
  if (nextTickMs == 0) nextTickMs = now;
  if (isDue(&nextTickMs, now, tickMs)) tick(now);
}

int main(void) {
  srtp_init();
  setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  fcntl(0, F_SETFL, O_NONBLOCK);
  realtimeAheadNs = clockNs(CLOCK_REALTIME) - monotonicNs();
  poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN});
  struct rlimit files = {maxViewers + 64, maxViewers + 64};
  setrlimit(RLIMIT_NOFILE, &files);
  printf("{\"event\":\"ready\",\"fingerprint\":\"%s\"}\n", openDtls());
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, tickMs);
    bool hasCommands = false;
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        hasCommands = true;
      } else {
        drain(events[i].data.ptr, false);
        /* In between, too: where so much waits that one round takes seconds, the server must hear of each viewer all the same. */
        tickWhenDue();
      }
    }
    /* After the sockets: a command may free a viewer that is still in the list. */
    if (hasCommands && !readCommands()) return 0;
    tickWhenDue();
  }
}
