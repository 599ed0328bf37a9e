// Prints whether the link keeps its bars: "bar NAME VALUE LIMIT ok|short".
//
// link_frames_per_second: captured packets (radiotap, 802.11 with checksum, ESP-NOW) to an opened and decoded report.
// link_reports_per_second: the same through a hub of 1,000 nodes in turn, with sealing the acknowledgement.
// link_join_ms: a whole joining, both sides and all messages. link_peer_bytes: what the hub keeps of a node in memory.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "protocols/espnow/frame.h"
#include "protocols/link/air_for_test.h"

namespace {

using namespace vesta;        // NOLINT
using namespace vesta::link;  // NOLINT

constexpr int kRounds = 5;  // the median counts
constexpr uint16_t kNodes = 1000;
constexpr uint32_t kFramesPerNode = 40;
constexpr double kMinFramesPerSecond = 200000;
// 10,000 nodes at one report a minute in 5 % of a core need 3,400; the air carries some 1,000.
constexpr double kMinReportsPerSecond = 50000;
constexpr double kMaxJoin_ms = 50;
constexpr Address kHubAddress = {2, 0, 0, 0, 0, 1};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Address AddressOf(uint16_t node) { return {2, 1, 0, 0, static_cast<uint8_t>(node >> 8), static_cast<uint8_t>(node)}; }

class Sink : public HubEvents {
 public:
  void Send(uint8_t, const Address&, const Address&, Bytes frame) override {
    std::copy(frame.begin(), frame.end(), last.begin());
    size = frame.size();
    ++sent;
  }
  JoinPolicy OnJoinRequest(const JoinRequest&) override { return {JoinPolicy::Rule::kBySecret, {}, 0}; }
  void OnRefused(const Address&, Refusal, const NodeInfo&) override {}
  void OnCode(const Address&, uint32_t, const NodeInfo&) override {}
  void OnJoined(const PeerRecord&, const NodeInfo&) override {}
  void OnSession(uint16_t, const NodeInfo&) override {}
  bool OnReport(uint16_t, const Report& report) override {
    ItemReader reader(report.items);
    Item item;
    while (reader.Next(&item)) ++items;
    ++reports;
    return true;
  }
  void OnResult(uint16_t, const Result&) override {}
  void OnDescription(uint16_t, const Description&) override {}
  size_t ReadBlob(size_t, uint32_t, std::span<uint8_t>) override { return 0; }
  void OnBlobStatus(uint16_t, const BlobStatus&) override {}
  FrameBuffer last;
  size_t size = 0;
  uint64_t sent = 0;
  uint64_t items = 0;
  uint64_t reports = 0;
};

struct Flood {
  std::vector<std::vector<uint8_t>> packets;  // as captured
};

// A link frame as a monitor interface hands it on: with its checksum.
std::vector<uint8_t> AsHeard(uint16_t node, Bytes frame) {
  espnow::SendOptions options;
  options.receiver = kHubAddress;
  options.sender = AddressOf(node);
  std::vector<uint8_t> packet(espnow::kMaxSentSize);
  packet.resize(WritePacket(options, frame, packet));
  constexpr uint8_t kRadiotap[] = {0, 0, 9, 0, 2, 0, 0, 0, espnow::kFlagFcsAtEnd};
  std::vector<uint8_t> heard;
  heard.reserve(espnow::kMaxSentSize);
  heard.assign(std::begin(kRadiotap), std::end(kRadiotap));
  heard.insert(heard.end(), packet.begin() + espnow::kTransmitRadiotapSize, packet.end());
  uint8_t fcs[4];
  wire::Put32(fcs, espnow::FrameChecksum(Bytes(heard).subspan(sizeof(kRadiotap))));
  heard.insert(heard.end(), fcs, fcs + 4);
  return heard;
}

// Resumes a session for each node by hand and seals its reports.
Flood Prepare(Hub& hub, test::SeededRandom& random, Sink& sink) {
  Flood flood;
  std::vector<SessionKeys> sessions(kNodes);
  for (uint16_t n = 1; n <= kNodes; ++n) {
    PeerRecord record;
    record.node = n;
    record.address = AddressOf(n);
    random.Fill(record.pair_key);
    hub.Restore(record);
    Resume resume;
    random.Fill(resume.node_random);
    resume.info.epoch = n;
    std::array<uint8_t, kMaxBody> body;
    FrameBuffer frame;
    const size_t size = SealFrame({0, Type::kResume, 1, n, 1, 2}, Direction::kUp, ResumeKey(record.pair_key),
                                  {record.address, kHubAddress}, {}, Bytes(body).first(Write(resume, body)), &frame);
    hub.Receive({0, record.address, kHubAddress, 1, -50, Bytes(frame).first(size)}, {kUsPerSecond, 0, {}}, sink);
    Header header;
    Bytes opened;
    Resumed resumed;
    const Bytes answer = Bytes(sink.last).first(sink.size);
    if (ReadHeader(answer, &header) != nullptr ||
        !OpenFrame(answer, header, Direction::kDown, ResumeKey(record.pair_key), {kHubAddress, record.address}, 0,
                   std::span<uint8_t, kMaxBody>(body), &opened) ||
        !Read(opened, &resumed)) {
      std::fprintf(stderr, "link_bench: no session\n");
      return flood;
    }
    sessions[n - 1u].id = resumed.session;
    sessions[n - 1u].key = ResumedSessionKey(record.pair_key, resumed.node_random, resumed.hub_random, resumed.session);
  }
  for (uint32_t i = 1; i <= kFramesPerNode; ++i) {
    for (uint16_t n = 1; n <= kNodes; ++n) {
      // Five measurements, as a room's node has them.
      std::array<uint8_t, kMaxBody> items;
      size_t at = 0;
      for (uint8_t index = 1; index <= 5; ++index) WriteItem(IntegerItem(index, 2150 + index), items, &at);
      const Data data{i, 20, Bytes(items).first(at)};
      std::array<uint8_t, kMaxBody> body;
      FrameBuffer frame;
      const Header header{0, Type::kData, 1, n, sessions[n - 1u].id, i};
      const size_t size = SealFrame(header, Direction::kUp, sessions[n - 1u].key, {AddressOf(n), kHubAddress}, {},
                                    Bytes(body).first(Write(data, body)), &frame);
      flood.packets.push_back(AsHeard(n, Bytes(frame).first(size)));
    }
  }
  return flood;
}

double ReportsPerSecond() {
  test::SeededRandom random(1);
  HubOptions options;
  options.max_nodes = kNodes;
  options.keeps_at_once = true;
  Hub hub(options, random);
  hub.SetGateway(0, kHubAddress, 1);
  Sink sink;
  const Flood flood = Prepare(hub, random, sink);
  const Now now{2 * kUsPerSecond, 1800000000 * kUsPerSecond, ClockQuality::kSynchronised};
  const double start = Seconds();
  for (const std::vector<uint8_t>& bytes : flood.packets) {
    const espnow::Packet packet = espnow::ReadPacket(bytes);
    std::array<uint8_t, espnow::kMaxBody2> scratch;
    hub.Receive({0, packet.sender, packet.receiver, 1, -50, JoinBody(packet, scratch)}, now, sink);
  }
  const double seconds = Seconds() - start;
  if (sink.reports != uint64_t{kNodes} * kFramesPerNode || sink.items != 5 * sink.reports) {
    std::fprintf(stderr, "link_bench: %llu reports\n", static_cast<unsigned long long>(sink.reports));
    return 0;
  }
  return static_cast<double>(flood.packets.size()) / seconds;
}

double FramesPerSecond() {
  Key key = {1};
  std::array<uint8_t, kMaxBody> items;
  size_t at = 0;
  for (uint8_t index = 1; index <= 5; ++index) WriteItem(IntegerItem(index, 2150 + index), items, &at);
  std::array<uint8_t, kMaxBody> body;
  const size_t body_size = Write(Data{1, 20, Bytes(items).first(at)}, body);
  FrameBuffer frame;
  const size_t size = SealFrame({0, Type::kData, 1, 1, 1, 1}, Direction::kUp, key, {AddressOf(1), kHubAddress}, {},
                                Bytes(body).first(body_size), &frame);
  const std::vector<uint8_t> heard = AsHeard(1, Bytes(frame).first(size));
  constexpr int kLoops = 100000;
  const double start = Seconds();
  int opened = 0;
  for (int i = 0; i < kLoops; ++i) {
    const espnow::Packet packet = espnow::ReadPacket(heard);
    std::array<uint8_t, espnow::kMaxBody2> joined;
    const Bytes bytes = JoinBody(packet, joined);
    Header header;
    std::array<uint8_t, kMaxBody> scratch;
    Bytes out;
    Data data;
    if (ReadHeader(bytes, &header) == nullptr &&
        OpenFrame(bytes, header, Direction::kUp, key, {packet.sender, packet.receiver}, 0, scratch, &out) &&
        Read(out, &data)) {
      ++opened;
    }
  }
  return opened == kLoops ? kLoops / (Seconds() - start) : 0;
}

double JoinMs() {
  // Everything but the air: virtual time costs nothing here.
  double total = 0;
  constexpr int kLoops = 5;
  for (int i = 0; i < kLoops; ++i) {
    test::World world(static_cast<uint64_t>(i) + 1);
    test::TestHub& hub = world.AddHub(1, 1);
    test::TestNode& node = world.AddNode();
    const double start = Seconds();
    if (!world.RunUntil([&] { return node.flash.is_joined; }, 2000) || hub.joins != 1) return 1e9;
    total += Seconds() - start;
  }
  return total / kLoops * 1000;
}

bool PrintBar(const char* name, double value, double limit, bool higher_is_better) {
  const bool ok = higher_is_better ? value >= limit : value <= limit;
  std::printf("bar %s %.2f %.2f %s\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

}  // namespace

int main() {
  std::vector<double> frames;
  std::vector<double> reports;
  std::vector<double> join;
  for (int i = 0; i < kRounds; ++i) {
    frames.push_back(FramesPerSecond());
    reports.push_back(ReportsPerSecond());
    join.push_back(JoinMs());
  }
  std::printf("hub: %zu bytes a node; node: %zu bytes beside its outbox\n", sizeof(Peer), sizeof(Node));
  bool ok = PrintBar("link_frames_per_second", Median(frames), kMinFramesPerSecond, true);
  ok = PrintBar("link_reports_per_second", Median(reports), kMinReportsPerSecond, true) && ok;
  ok = PrintBar("link_join_ms", Median(join), kMaxJoin_ms, false) && ok;
  ok = PrintBar("link_peer_bytes", static_cast<double>(sizeof(Peer)), 1024, false) && ok;
  return ok ? 0 : 1;
}
