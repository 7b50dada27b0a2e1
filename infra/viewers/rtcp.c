/* What a receiver says of what it gets: receiver reports (RFC 3550 §6.4.2), NACKs (RFC 4585 §6.2.1), transport-wide feedback. */
#include "viewers.h"
#include <string.h>

enum { senderReport = 200, receiverReport = 201, transportFeedback = 205, genericNack = 1, transportWide = 15 };

static void sendRtcp(Viewer *viewer, uint8_t *packet, int length) {
  put16(packet + 2, (uint32_t)length / 4 - 1);
  if (viewer->isConnected && !viewer->isClosed && srtp_protect_rtcp(viewer->out, packet, &length) == srtp_err_status_ok) {
    sendDatagram(viewer, packet, (size_t)length);
  }
}

static void begin(Viewer *viewer, uint8_t *packet, int format, int type) {
  packet[0] = (uint8_t)(0x80 | format);
  packet[1] = (uint8_t)type;
  put32(packet + 4, viewer->id + 1);
  put32(packet + 8, viewer->video.ssrc);
}

void receiveRtcp(Viewer *viewer, uint8_t *packet, int length) {
  if (!viewer->isConnected) return;
  if (srtp_unprotect_rtcp(viewer->in, packet, &length) != srtp_err_status_ok) {
    totals.authFailures += 1;
    return;
  }
  for (int at = 0, size; at + 8 <= length; at += size) {
    size = 4 * (be16(packet + at + 2) + 1);
    if (packet[at + 1] == senderReport && at + 28 <= length && be32(packet + at + 4) == viewer->video.ssrc) {
      totals.senderReports += 1;
      viewer->video.lastReportNtp = be32(packet + at + 10);
      viewer->video.lastReportMs = nowMs();
    }
  }
}

void sendReceiverReport(Viewer *viewer) {
  uint8_t packet[128] = {0};
  Stream *video = &viewer->video;
  if (!video->isStarted) return;
  uint32_t expected = video->highest - video->first + 1, lost = expected > video->received ? expected - video->received : 0;
  uint32_t expectedNow = expected - video->expectedBefore, receivedNow = video->received - video->receivedBefore;
  uint32_t fraction = expectedNow > receivedNow ? ((expectedNow - receivedNow) << 8) / expectedNow : 0;
  video->expectedBefore = expected;
  video->receivedBefore = video->received;
  begin(viewer, packet, 1, receiverReport);
  put32(packet + 12, (fraction > 255 ? 255 : fraction) << 24 | (lost & 0xffffff));
  put32(packet + 16, video->highest - 0x10000u); /* the cycles count from the first packet */
  put32(packet + 24, video->lastReportNtp);
  put32(packet + 28, video->lastReportNtp == 0 ? 0 : (uint32_t)((uint64_t)(nowMs() - video->lastReportMs) * 65536 / 1000));
  totals.reports += 1;
  sendRtcp(viewer, packet, 32);
}

void sendNack(Viewer *viewer, const uint32_t *missing, int count) {
  uint8_t packet[12 + 4 * 64 + 64] = {0};
  int length = 12;
  begin(viewer, packet, genericNack, transportFeedback);
  for (int i = 0; i < count; length += 4) {
    uint32_t base = missing[i++], mask = 0;
    for (; i < count && missing[i] - base <= 16; i++) mask |= 1u << (missing[i] - base - 1);
    put16(packet + length, base);
    put16(packet + length + 2, mask);
  }
  totals.nacks += (uint64_t)count;
  sendRtcp(viewer, packet, length);
}

/* draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, all in chunks of seven two-bit symbols: short, whatever is missing in between. */
void sendTransportFeedback(Viewer *viewer) {
  uint8_t packet[24 + 2 * maxArrivals + 2 * maxArrivals + 64] = {0}, deltas[2 * maxArrivals];
  if (viewer->arrivalCount == 0) return;
  uint16_t base = viewer->arrivals[0].sequence;
  uint64_t reference = viewer->arrivals[0].us / 64000, before = reference * 64000 / 250;
  int length = 20, deltaLength = 0, i = 0, span = 0;
  for (; i < viewer->arrivalCount && span < maxArrivals; length += 2) {
    uint32_t chunk = 0xc000;
    for (int place = 0; place < 7 && i < viewer->arrivalCount; place++, span++) {
      if (viewer->arrivals[i].sequence != (uint16_t)(base + span)) continue;
      uint64_t ticks = viewer->arrivals[i++].us / 250;
      int64_t delta = (int64_t)(ticks - before);
      before = ticks;
      if (delta >= 0 && delta <= 255) {
        chunk |= 1u << (12 - 2 * place);
        deltas[deltaLength++] = (uint8_t)delta;
      } else {
        chunk |= 2u << (12 - 2 * place);
        put16(deltas + deltaLength, (uint32_t)(delta > 32767 ? 32767 : delta < -32768 ? -32768 : delta));
        deltaLength += 2;
      }
    }
    put16(packet + length, chunk);
  }
  viewer->arrivalCount = 0;
  begin(viewer, packet, transportWide, transportFeedback);
  put16(packet + 12, base);
  put16(packet + 14, (uint32_t)span);
  put32(packet + 16, (uint32_t)(reference & 0xffffff) << 8 | viewer->feedbackCount++);
  memcpy(packet + length, deltas, (size_t)deltaLength);
  length += deltaLength;
  int padding = -length & 3;
  if (padding > 0) {
    packet[0] |= 0x20;
    packet[length + padding - 1] = (uint8_t)padding;
  }
  totals.feedbacks += 1;
  sendRtcp(viewer, packet, length + padding);
}
