// Feeds a hub and a node that are joined any frames: raw ones, and bodies sealed with their own session's key, so that
// what stands behind the tag is reached.
//
// Input: records of a first byte (bit 0: to the node, bit 1: sealed, bit 2: time passes), for sealed ones a type byte,
// a length byte, content. Checked besides memory: raw frames change nothing of a session; after them a report still
// gets through.
#include <cstdint>
#include <cstdlib>

#include "protocols/link/air_for_test.h"

namespace {

using namespace vesta;              // NOLINT
using namespace vesta::link;        // NOLINT
using namespace vesta::link::test;  // NOLINT

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Joined once: the key agreement would cost most of the time.
  static const auto* const kJoined = [] {
    auto* joined = new std::pair<NodeRecord, PeerRecord>;
    World world(1);
    TestHub& hub = world.AddHub(1, 1);
    TestNode& node = world.AddNode();
    Require(world.RunUntil([&] { return node.flash.is_joined; }, 3000));
    *joined = {node.flash, hub.hub->RecordOf(1)};
    return joined;
  }();
  World world(2);
  TestHub& hub = world.AddHub(1, 1);
  TestNode& node = world.AddNode();
  hub.hub->Restore(kJoined->second);
  node.flash = kJoined->first;
  node.Boot();
  node.description.assign(300, 1);
  hub.blob.assign(1000, 2);
  BlobManifest manifest;
  manifest.kind = BlobKind::kConfiguration;
  manifest.version = 2;
  manifest.size = 1000;
  manifest.digest = crypto::Sha256(hub.blob);
  hub.hub->SetBlob(0, manifest);
  hub.hub->OpenWindow(world.now(), 60 * kUsPerSecond);
  Require(world.RunUntil([&] { return node.node->state() == Node::State::kLinked && hub.sessions == 1; }, 500));
  world.Run(5);
  uint32_t counter = 1000;
  bool is_key_shared = false;
  for (size_t at = 0; at + 3 <= size;) {
    const uint8_t bits = data[at];
    const auto type = data[at + 1];
    const size_t n = std::min<size_t>(data[at + 2], size - at - 3);
    const Bytes content(data + at + 3, n);
    at += 3 + n;
    const bool to_node = (bits & 1) != 0;
    const Address from = to_node ? hub.address : node.options.address;
    const Address to = to_node ? node.options.address : hub.address;
    FrameBuffer frame;
    size_t length = n;
    if ((bits & 2) != 0) {
      is_key_shared = true;
      const SessionKeys& session = node.node->record().session;
      const Header header{0, static_cast<Type>(type), 1, node.node->record().node, session.id, ++counter};
      length =
          SealFrame(header, to_node ? Direction::kDown : Direction::kUp, session.key, {from, to}, {}, content, &frame);
    } else {
      std::copy(content.begin(), content.end(), frame.begin());
      // Most raw frames should get past the mark.
      if (n >= 4 && (bits & 8) != 0) {
        frame[0] = 0x56;
        frame[1] = 0x4C;
        frame[2] = static_cast<uint8_t>((frame[2] & 0xF0) | 1);
        frame[3] = type;
      }
    }
    if (length > kMaxFrame) continue;
    const AirFrame air{0, 0, 1, from, to, {frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length)}};
    const size_t taken = hub.taken.size();
    const size_t applied = node.applied.size();
    world.Deliver(air);
    if ((bits & 2) == 0) Require(hub.taken.size() == taken && node.applied.size() == applied);
    world.Run((bits & 4) != 0 ? 70 : 1);
  }
  // Who has the key can spoil the session and the numbers of the reports; nobody else can.
  if (is_key_shared) return 0;
  for (auto& flying : world.flying) flying.at_us = world.now_us;
  node.Measure();
  const int64_t value = node.next_value;
  const auto arrived = [&] {
    return std::any_of(hub.taken.begin(), hub.taken.end(), [&](const auto& t) { return t.value == value; });
  };
  Require(world.RunUntil(arrived, 40000));
  return 0;
}
