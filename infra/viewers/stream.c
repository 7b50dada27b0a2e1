/*
 * What arrives as media: decrypted, restored where it is a retransmission, and put in order. Packets of the synthetic source (synthetic-payload.ts)
 * say themselves what they should be, so that a wrong byte, a gap and a wrong order are all seen.
 */
#include "viewers.h"
#include <math.h>
#include <string.h>

enum { giveUpMs = 2000, askAgainMs = 60, lineQueueMs = 200 };
enum { payloadHeader = 26, magic = 0x6f6b656e };
enum { flagFirst = 1, flagKey = 2, flagLast = 4 };

typedef struct {
  uint32_t ssrc;
  uint16_t sequence;
  bool isLast;
  int transportSequence; /* -1 without */
  const uint8_t *payload;
  size_t length;
} Packet;

static uint32_t le32(const uint8_t *at) { return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }

/* The value of a header extension with one- or two-byte headers (RFC 8285); -1 where the packet has none. */
static int extensionOf(const uint8_t *at, size_t length, uint16_t profile, int id) {
  bool isShort = profile == 0xbede;
  if (!isShort && (profile & 0xfff0) != 0x1000) return -1;
  for (size_t i = 0; i + 1 < length;) {
    if (at[i] == 0) {
      i += 1;
      continue;
    }
    int found = isShort ? at[i] >> 4 : at[i];
    size_t size = isShort ? (at[i] & 15u) + 1 : at[i + 1], start = i + (isShort ? 1 : 2);
    if (start + size > length) return -1;
    if (found == id && size >= 2) return be16(at + start);
    i = start + size;
  }
  return -1;
}

static bool parse(const uint8_t *bytes, size_t length, int transportCcId, Packet *packet) {
  size_t at = 12u + 4u * (bytes[0] & 15u);
  *packet = (Packet){.ssrc = be32(bytes + 8), .sequence = be16(bytes + 2), .isLast = bytes[1] >> 7, .transportSequence = -1};
  if (bytes[0] & 0x10) {
    if (at + 4 > length) return false;
    size_t size = 4u * be16(bytes + at + 2);
    if (at + 4 + size > length) return false;
    if (transportCcId != 0) packet->transportSequence = extensionOf(bytes + at + 4, size, be16(bytes + at), transportCcId);
    at += 4 + size;
  }
  size_t padding = bytes[0] & 0x20 ? bytes[length - 1] : 0;
  if (at + padding > length) return false;
  packet->payload = bytes + at;
  packet->length = length - at - padding;
  return true;
}

/* FNV-1a over words instead of bytes: the same in synthetic-payload.ts. */
static uint32_t digest(const uint8_t *payload, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t at = 2; at + 4 <= 22; at += 4) hash = (hash ^ le32(payload + at)) * 16777619u;
  size_t at = payloadHeader;
  for (; at + 4 <= length; at += 4) hash = (hash ^ le32(payload + at)) * 16777619u;
  for (; at < length; at++) hash = (hash ^ payload[at]) * 16777619u;
  return hash;
}

static bool isWhole(const Packet *packet) {
  return packet->length >= payloadHeader && le32(packet->payload + 2) == magic && le32(packet->payload + 22) == digest(packet->payload, packet->length);
}

static void noteDelay(uint32_t *histogram, const uint8_t *payload, uint64_t arrivedNs) {
  uint64_t sentNs = le32(payload + 10) | (uint64_t)le32(payload + 14) << 32;
  double us = arrivedNs > sentNs ? (double)(arrivedNs - sentNs) / 1000 : 1;
  int slot = (int)(16 * log2(us < 1 ? 1 : us));
  histogram[slot < histogramSlots ? slot : histogramSlots - 1] += 1;
}

/* In order now: one packet must follow the other, and another layer or a new start begins with a key frame. */
static void deliver(Stream *video, const Slot *slot) {
  if (slot->here.isChecked) {
    bool beginsKeyFrame = (slot->here.flags & (flagFirst | flagKey)) == (flagFirst | flagKey);
    bool isOther = video->hasPrevious && slot->here.layer != video->previousLayer;
    bool follows = video->hasPrevious && !isOther && slot->here.counter == video->previousCounter + 1;
    totals.keyFrames += beginsKeyFrame;
    if (!follows && beginsKeyFrame) {
      *(isOther ? &totals.switches : &totals.starts) += 1;
    } else if (!follows && video->hasPrevious) {
      totals.outOfPlace += 1;
    }
    video->previousCounter = slot->here.counter;
    video->previousLayer = slot->here.layer;
    video->hasPrevious = true;
  }
}

static void advance(Stream *video) {
  for (Slot *slot; video->next <= video->highest; video->next++, slot->state = slotFree) {
    slot = &video->ring[video->next % ringSlots];
    if (slot->state != slotHere) return;
    deliver(video, slot);
  }
}

static void begin(Stream *video, uint16_t sequence) {
  /* Away from 0, so that a packet from before the first one has a number, too. */
  video->first = video->highest = video->next = 0x10000u + sequence;
  video->isStarted = true;
}

static uint32_t extend(const Stream *video, uint16_t sequence) {
  return video->highest + (uint32_t)(int16_t)(uint16_t)(sequence - (uint16_t)video->highest);
}

/* Gives up what does not fit any more: a gap as long as the ring is no loss to be mended. */
static void makeRoom(Stream *video, uint32_t index) {
  if (index - video->next < ringSlots) return;
  totals.lost += index - video->next;
  memset(video->ring, 0, sizeof video->ring);
  video->next = video->highest = index;
  video->hasPrevious = false;
}

static void place(Viewer *viewer, const Packet *packet, uint16_t sequence, bool isRetransmission) {
  Stream *video = &viewer->video;
  if (!video->isStarted) begin(video, sequence);
  uint32_t index = extend(video, sequence);
  if (index < video->next) {
    totals.duplicates += 1;
    return;
  }
  makeRoom(video, index);
  for (uint32_t missing = video->highest + 1; missing < index; missing++) {
    video->ring[missing % ringSlots] = (Slot){.index = missing, .state = slotMissing, .missing = {.sinceMs = nowMs()}};
  }
  Slot *slot = &video->ring[index % ringSlots];
  if (slot->state == slotHere) {
    totals.duplicates += 1;
    return;
  }
  if (index < video->highest && !isRetransmission) totals.reordered += 1;
  if (index > video->highest) video->highest = index;
  video->received += !isRetransmission;
  *slot = (Slot){.index = index, .state = slotHere};
  if (viewer->checksPayload) {
    bool isGood = isWhole(packet);
    totals.damaged += !isGood;
    slot->here.isChecked = isGood;
    if (isGood) {
      slot->here.counter = le32(packet->payload + 6);
      slot->here.layer = packet->payload[18];
      slot->here.flags = packet->payload[19];
    }
  }
  advance(video);
}

/* Asks for what is missing, and gives it up in the end. */
void watchGaps(Viewer *viewer) {
  Stream *video = &viewer->video;
  uint32_t missing[64], now = nowMs();
  int count = 0;
  if (!video->isStarted || video->next > video->highest) return;
  Slot *oldest = &video->ring[video->next % ringSlots];
  while (video->next <= video->highest && oldest->state == slotMissing && now - oldest->missing.sinceMs >= giveUpMs) {
    totals.lost += 1;
    oldest->state = slotFree;
    video->hasPrevious = false;
    video->next += 1;
    advance(video);
    oldest = &video->ring[video->next % ringSlots];
  }
  for (uint32_t index = video->next; index <= video->highest && count < 64; index++) {
    Slot *slot = &video->ring[index % ringSlots];
    if (slot->state == slotMissing && (slot->missing.askedMs == 0 || now - slot->missing.askedMs >= askAgainMs)) {
      slot->missing.askedMs = now;
      missing[count++] = index;
    }
  }
  if (count > 0) sendNack(viewer, missing, count);
}

static bool isLostOnTheWay(void) {
  static uint64_t state = 88172645463325252u; /* xorshift64: the same losses in each run */
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return lossShare > 0 && (double)(state >> 11) * 0x1p-53 < lossShare;
}

/* The line to the viewer is a queue before what it carries: a packet arrives when those before it have, or finds the queue full and is lost. */
static bool isTooMuchForTheLine(Viewer *viewer, int length, uint64_t *arrivedNs) {
  if (lineBps == 0) return false;
  uint64_t free = viewer->lineFreeNs > *arrivedNs ? viewer->lineFreeNs : *arrivedNs;
  if (free - *arrivedNs > lineQueueMs * 1000000u) return true;
  viewer->lineFreeNs = *arrivedNs = free + (uint64_t)length * 8000000000u / lineBps;
  return false;
}

static void noteArrival(Viewer *viewer, int sequence, uint64_t arrivedNs) {
  int last = viewer->arrivalCount - 1;
  bool isNewer = last < 0 || (int16_t)(uint16_t)((uint16_t)sequence - viewer->arrivals[last].sequence) > 0;
  if (sequence < 0 || !isNewer || viewer->arrivalCount == maxArrivals) return;
  viewer->arrivals[viewer->arrivalCount].sequence = (uint16_t)sequence;
  viewer->arrivals[viewer->arrivalCount++].us = arrivedNs / 1000;
}

void receiveRtp(Viewer *viewer, uint8_t *bytes, int length, uint64_t arrivedNs) {
  Packet packet;
  if (!viewer->isConnected) return;
  if (isLostOnTheWay() || isTooMuchForTheLine(viewer, length, &arrivedNs)) {
    totals.simulatedLosses += 1;
    return;
  }
  srtp_err_status_t status = srtp_unprotect(viewer->in, bytes, &length);
  if (status != srtp_err_status_ok) {
    /* A number that was there already is the same packet once more; anything else is none of the server's. */
    *(status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old ? &totals.duplicates : &totals.authFailures) += 1;
    return;
  }
  if (!parse(bytes, (size_t)length, viewer->transportCcId, &packet)) return;
  noteArrival(viewer, packet.transportSequence, arrivedNs);
  if (packet.ssrc == viewer->video.ssrc) {
    if (!viewer->hasPicture) {
      viewer->hasPicture = true;
      printf("{\"event\":\"picture\",\"id\":%u,\"ms\":%u}\n", viewer->id, nowMs() - viewer->bornMs);
    }
    totals.packets += 1;
    totals.bytes += (uint64_t)length;
    totals.frames += packet.isLast;
    viewer->windowPackets += 1;
    place(viewer, &packet, packet.sequence, false);
    if (viewer->checksPayload && packet.length >= payloadHeader) {
      if (packet.payload[19] & flagFirst) noteDelay(totals.firstUs, packet.payload, arrivedNs);
      if (packet.isLast) noteDelay(totals.lastUs, packet.payload, arrivedNs);
    }
  } else if (packet.ssrc == viewer->video.rtxSsrc && packet.length > 2) {
    /* RFC 4588 §4: the number that the packet had stands before what it carried. */
    uint16_t sequence = be16(packet.payload);
    packet.payload += 2;
    packet.length -= 2;
    totals.retransmitted += 1;
    place(viewer, &packet, sequence, true);
  } else if (packet.ssrc == viewer->video.audioSsrc) {
    totals.audioPackets += 1;
  } else {
    totals.otherPackets += 1;
  }
}
