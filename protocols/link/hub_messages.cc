// What the hub does with the messages of a session, and what it sends down.
#include <algorithm>

#include "protocols/link/hub.h"

namespace vesta::link {

namespace {

// A report that waited longer than this at the node is not news.
constexpr int64_t kLate_us = 30 * kUsPerSecond;

}  // namespace

bool Hub::SendSealed(Peer& peer, uint16_t node, Type type, Bytes body, HubEvents& events) {
  const uint32_t counter = peer.session.NextCounter();
  if (counter == 0) return false;
  Header header = HeaderFor(type, node);
  header.session = peer.session.id;
  header.counter = counter;
  FrameBuffer frame;
  const size_t size =
      SealFrame(header, Direction::kDown, peer.session.key, {peer.hub_address, peer.address}, {}, body, &frame);
  if (size == 0) return false;
  events.Send(peer.gateway, peer.hub_address, peer.address, Bytes(frame).first(size));
  return true;
}

void Hub::SendAck(Peer& peer, uint16_t node, uint32_t counter, uint32_t sequence, AckResult result, const Now& now,
                  HubEvents& events) {
  Ack ack;
  ack.counter = counter;
  ack.sequence = sequence;
  ack.kept = peer.kept;
  ack.time_ms = now.utc_us > 0 ? static_cast<uint64_t>(now.utc_us / kUsPerMs) : 0;
  ack.result = result;
  ack.flags = now.clock == ClockQuality::kSynchronised ? kAckTimeSynchronised : 0;
  ack.channel = gateways_[peer.gateway].channel;
  ack.waiting = static_cast<uint8_t>(std::min<size_t>(peer.Waiting(), 255));
  std::array<uint8_t, kMaxBody> body;
  SendSealed(peer, node, Type::kAck, Bytes(body).first(Write(ack, body)), events);
}

void Hub::SendNext(Peer& peer, uint16_t node, const Now& now, HubEvents& events) {
  std::array<uint8_t, kMaxBody> body;
  MailboxSlot* next = nullptr;
  for (MailboxSlot& slot : peer.mailbox) {
    if (slot.version != 0 && (next == nullptr || slot.sent_us < next->sent_us)) next = &slot;
  }
  if (next != nullptr) {
    Command command;
    command.version = next->version;
    command.item = {next->index, next->type, Status::kOk, next->integer, next->real, {}};
    next->sent_us = now.monotonic_us;
    SendSealed(peer, node, Type::kCommand, Bytes(body).first(Write(command, body)), events);
  } else if (peer.wants_description) {
    const Describe describe{peer.describe_chunk};
    SendSealed(peer, node, Type::kDescribe, Bytes(body).first(Write(describe, body)), events);
  } else if (peer.blob_offers != 0) {
    size_t blob = 0;
    while ((peer.blob_offers >> blob & 1) == 0) ++blob;
    SendSealed(peer, node, Type::kBlobOffer, Bytes(body).first(Write(blobs_[blob], body)), events);
  } else {
    return;
  }
  peer.down_us = now.monotonic_us;
  next_tick_us_ = std::min(next_tick_us_, now.monotonic_us + 250 * kUsPerMs);
}

void Hub::HandleData(Peer& peer, uint16_t node, const Header& header, const Data& data, const Now& now,
                     HubEvents& events) {
  AckResult result = AckResult::kTaken;
  if (data.sequence != 0) {
    if (!peer.reports.IsNew(data.sequence)) {
      // Its acknowledgement was lost. A node sends in order, so what lies behind the window came before, too.
      ++peer.repeated_reports;
      ++repeated_reports_;
    } else {
      Report report;
      report.epoch = peer.epoch;
      report.sequence = data.sequence;
      if (data.age_ms != kAgeUnknown) {
        const int64_t age_us = int64_t{data.age_ms} * kUsPerMs;
        report.time_us = now.utc_us - age_us;
        report.is_late = age_us > kLate_us;
      }
      report.items = data.items;
      report.rssi_dbm = peer.rssi_dbm;
      report.channel = peer.channel;
      if (events.OnReport(node, report)) {
        ++reports_;
        peer.reports.Mark(data.sequence);
        if (options_.keeps_at_once) peer.kept = std::max(peer.kept, data.sequence);
      } else {
        result = AckResult::kBusy;
      }
    }
  }
  SendAck(peer, node, header.counter, data.sequence, result, now, events);
  SendNext(peer, node, now, events);
}

void Hub::HandleResult(Peer& peer, uint16_t node, const Result& result, HubEvents& events) {
  for (MailboxSlot& slot : peer.mailbox) {
    if (slot.version == 0 || slot.index != result.item.index) continue;
    if (result.outcome == Outcome::kOlder) {
      // Overtaken by a newer one: that will be answered, too. Or the hub lost count (restored from an old copy): then
      // it goes on above what the node has seen.
      if (result.version <= slot.version) return;
      peer.command_version = std::max(peer.command_version, result.version) + 1;
      slot.version = peer.command_version;
      slot.sent_us = 0;
      return;
    }
    if (slot.version != result.version) return;  // the answer to a value that a newer one replaced
    slot = {};
    events.OnResult(node, result);
    return;
  }
}

void Hub::HandleDescription(Peer& peer, uint16_t node, const Description& description, HubEvents& events) {
  if (!peer.wants_description || description.chunk != peer.describe_chunk) return;
  events.OnDescription(node, description);
  ++peer.describe_chunk;
  if (peer.describe_chunk >= description.count) {
    peer.wants_description = false;
    peer.describe_chunk = 0;
  }
}

void Hub::HandleBlobRequest(Peer& peer, uint16_t node, const BlobRequest& request, HubEvents& events) {
  for (size_t blob = 0; blob < kMaxBlobs; ++blob) {
    const BlobManifest& manifest = blobs_[blob];
    const bool is_offered = (peer.blob_offers >> blob & 1) != 0;
    if (!is_offered || manifest.kind != request.kind || manifest.version != request.version) continue;
    events.OnBlobRequested(node, manifest, request.first);
    size_t sent = 0;
    for (size_t i = 0; i < kBlocksAhead && sent < kBlocksPerRequest; ++i) {
      if ((request.wanted >> i & 1) == 0) continue;
      const uint32_t block = request.first + static_cast<uint32_t>(i);
      const uint32_t offset = block * static_cast<uint32_t>(kBlockSize);
      if (block > 0xFFFF || offset >= manifest.size) break;
      std::array<uint8_t, kBlockSize> bytes;
      const size_t size = std::min<size_t>(kBlockSize, manifest.size - offset);
      if (events.ReadBlob(blob, offset, std::span(bytes).first(size)) != size) return;
      BlobBlock message{manifest.kind, manifest.version, static_cast<uint16_t>(block), Bytes(bytes).first(size)};
      std::array<uint8_t, kMaxBody> body;
      SendSealed(peer, node, Type::kBlobBlock, Bytes(body).first(Write(message, body)), events);
      ++sent;
    }
    return;
  }
}

void Hub::HandleBlobStatus(Peer& peer, uint16_t node, const BlobStatus& status, HubEvents& events) {
  for (size_t blob = 0; blob < kMaxBlobs; ++blob) {
    if ((peer.blob_offers >> blob & 1) == 0 || blobs_[blob].kind != status.kind ||
        blobs_[blob].version != status.version) {
      continue;
    }
    peer.blob_offers = static_cast<uint8_t>(peer.blob_offers & ~(1u << blob));
    events.OnBlobStatus(node, status);
    return;
  }
}

uint32_t Hub::SetItem(uint16_t node, const Item& item, const Now& now, HubEvents& events) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr || item.type == ValueType::kBytes) return 0;
  MailboxSlot* slot = nullptr;
  for (MailboxSlot& s : peer->mailbox) {
    if (s.version != 0 && s.index == item.index) {
      slot = &s;
      break;
    }
    if (s.version == 0 && slot == nullptr) slot = &s;
  }
  if (slot == nullptr) return 0;
  // Seconds of UTC keep versions rising even for a hub that lost its store.
  const auto seconds = static_cast<uint32_t>(std::max<int64_t>(now.utc_us, 0) / kUsPerSecond);
  peer->command_version = std::max(peer->command_version + 1, seconds);
  *slot = {peer->command_version, 0, item.index, item.type, item.real, item.integer};
  if (!peer->is_sleepy && peer->session.id != 0) {
    peer->tries = 0;
    SendNext(*peer, node, now, events);
  }
  return peer->command_version;
}

bool Hub::CancelItem(uint16_t node, uint8_t index) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr) return false;
  for (MailboxSlot& s : peer->mailbox) {
    if (s.version == 0 || s.index != index) continue;
    s = {};
    return true;
  }
  return false;
}

bool Hub::AskDescription(uint16_t node) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr) return false;
  peer->wants_description = true;
  peer->describe_chunk = 0;
  return true;
}

void Hub::SetKept(uint16_t node, uint32_t epoch, uint32_t sequence) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr || peer->epoch != epoch) return;
  peer->kept = std::max(peer->kept, std::min(sequence, peer->reports.highest()));
}

bool Hub::SetBlob(size_t blob, const BlobManifest& manifest) {
  if (blob >= kMaxBlobs || manifest.size > kMaxBlobSize) return false;
  blobs_[blob] = manifest;
  for (Peer& peer : peers_) peer.blob_offers = static_cast<uint8_t>(peer.blob_offers & ~(1u << blob));
  return true;
}

bool Hub::OfferBlob(uint16_t node, size_t blob) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr || blob >= kMaxBlobs || blobs_[blob].size == 0) return false;
  peer->blob_offers = static_cast<uint8_t>(peer->blob_offers | 1u << blob);
  return true;
}

}  // namespace vesta::link
