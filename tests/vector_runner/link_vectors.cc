// The node link's vectors: frames of every message, good and bad, keys, signatures and the window of counters.
#include <algorithm>
#include <functional>

#include "protocols/link/seal.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

using link::Bytes;
using link::Direction;

template <size_t n = 32>
std::array<uint8_t, n> Array(const Json& hex) {
  const std::vector<uint8_t> bytes = FromHex(hex.get<std::string>());
  if (bytes.size() != n) Fail("not " + std::to_string(n) + " bytes: " + Shown(hex));
  std::array<uint8_t, n> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Json Describe(const link::Item& i) {
  Json value;
  switch (i.type) {
    case link::ValueType::kNone:
      break;
    case link::ValueType::kFloat:
      value = i.real;
      break;
    case link::ValueType::kBytes:
      value = ToHex(i.bytes);
      break;
    default:
      value = i.integer;
      break;
  }
  return {{"index", i.index}, {"type", int(i.type)}, {"status", int(i.status)}, {"value", value}};
}
Json Describe(const link::NodeInfo& i) {
  return {{"firmware", i.firmware},
          {"description_hash", i.description_hash},
          {"configuration", i.configuration},
          {"epoch", i.epoch},
          {"hardware", i.hardware},
          {"capabilities", i.capabilities},
          {"channel", i.channel},
          {"name", std::string(i.name.data(), i.name_size)}};
}
Json Describe(const link::Hello& m) {
  return {{"commit", ToHex(m.commit)}, {"secret_id", m.secret_id}, {"info", Describe(m.info)}};
}
Json Describe(const link::Offer& m) {
  return {{"cookie", ToHex(m.cookie)}, {"hub_key", ToHex(m.hub_key)}, {"hub_address", ToHex(m.hub_address)},
          {"channel", m.channel},      {"mode", int(m.mode)},         {"commit", ToHex(m.commit)}};
}
Json Describe(const link::Refuse& m) { return {{"reason", int(m.reason)}, {"channel", m.channel}}; }
Json Describe(const link::Accept& m) { return {{"result", int(m.result)}, {"node", m.node}, {"channel", m.channel}}; }
Json Describe(const link::Resume& m) { return {{"node_random", ToHex(m.node_random)}, {"info", Describe(m.info)}}; }
Json Describe(const link::Resumed& m) {
  return {{"node_random", ToHex(m.node_random)},
          {"hub_random", ToHex(m.hub_random)},
          {"hub_address", ToHex(m.hub_address)},
          {"session", m.session},
          {"channel", m.channel},
          {"received", m.received}};
}
Json Describe(const link::ResumeWanted& m) { return {{"tag", ToHex(m.tag)}, {"reason", int(m.reason)}}; }
Json Describe(const link::Data& m) {
  Json j = {{"sequence", m.sequence}, {"age_ms", m.age_ms}, {"items", Json::array()}};
  link::ItemReader reader(m.items);
  link::Item item;
  while (reader.Next(&item)) j["items"].push_back(Describe(item));
  return j;
}
Json Describe(const link::Ack& m) {
  return {{"counter", m.counter},    {"sequence", m.sequence}, {"kept", m.kept},       {"time_ms", m.time_ms},
          {"result", int(m.result)}, {"flags", m.flags},       {"channel", m.channel}, {"waiting", m.waiting}};
}
Json Describe(const link::Command& m) { return {{"version", m.version}, {"item", Describe(m.item)}}; }
Json Describe(const link::Result& m) {
  return {{"version", m.version}, {"outcome", int(m.outcome)}, {"item", Describe(m.item)}};
}
Json Describe(const link::Describe& m) { return {{"chunk", m.chunk}}; }
Json Describe(const link::Description& m) {
  return {{"hash", m.hash}, {"chunk", m.chunk}, {"count", m.count}, {"bytes", ToHex(m.bytes)}};
}
Json Describe(const link::BlobManifest& m) {
  return {{"kind", int(m.kind)}, {"target", m.target},        {"version", m.version},
          {"size", m.size},      {"digest", ToHex(m.digest)}, {"signature", ToHex(m.signature)}};
}
Json Describe(const link::BlobRequest& m) {
  return {{"kind", int(m.kind)}, {"version", m.version}, {"first", m.first}, {"wanted", m.wanted}};
}
Json Describe(const link::BlobBlock& m) {
  return {{"kind", int(m.kind)}, {"version", m.version}, {"block", m.block}, {"bytes", ToHex(m.bytes)}};
}
Json Describe(const link::BlobStatus& m) {
  return {{"kind", int(m.kind)}, {"version", m.version}, {"result", int(m.result)}};
}

// What a body says, and its bytes when it is written again; false when it is not that message.
template <typename Message>
bool Through(Bytes body, Json* says, std::vector<uint8_t>* again) {
  Message message;
  if (!Read(body, &message)) return false;
  *says = Describe(message);
  std::array<uint8_t, link::kMaxBody> out;
  const size_t size = Write(message, out);
  again->assign(out.begin(), out.begin() + static_cast<ptrdiff_t>(size));
  return true;
}

bool ReadBody(link::Type type, Bytes body, Json* says, std::vector<uint8_t>* again) {
  switch (type) {
    case link::Type::kHello:
      return Through<link::Hello>(body, says, again);
    case link::Type::kOffer:
      return Through<link::Offer>(body, says, again);
    case link::Type::kRefuse:
      return Through<link::Refuse>(body, says, again);
    case link::Type::kJoin:
      return Through<link::NodeInfo>(body, says, again);
    case link::Type::kAccept:
      return Through<link::Accept>(body, says, again);
    case link::Type::kResume:
      return Through<link::Resume>(body, says, again);
    case link::Type::kResumed:
      return Through<link::Resumed>(body, says, again);
    case link::Type::kResumeWanted:
      return Through<link::ResumeWanted>(body, says, again);
    case link::Type::kData:
      return Through<link::Data>(body, says, again);
    case link::Type::kAck:
      return Through<link::Ack>(body, says, again);
    case link::Type::kCommand:
      return Through<link::Command>(body, says, again);
    case link::Type::kResult:
      return Through<link::Result>(body, says, again);
    case link::Type::kDescribe:
      return Through<link::Describe>(body, says, again);
    case link::Type::kDescription:
      return Through<link::Description>(body, says, again);
    case link::Type::kBlobOffer:
      return Through<link::BlobManifest>(body, says, again);
    case link::Type::kBlobRequest:
      return Through<link::BlobRequest>(body, says, again);
    case link::Type::kBlobBlock:
      return Through<link::BlobBlock>(body, says, again);
    case link::Type::kBlobStatus:
      return Through<link::BlobStatus>(body, says, again);
  }
  return false;
}

void RunMessage(const Json& file, const Json& message, Report* report) {
  const link::Key key = Array(file.at("key"));
  const bool is_up = message.at("direction") == "up";
  link::Addresses addresses{Array<6>(file.at("node")), Array<6>(file.at("hub"))};
  if (!is_up) std::swap(addresses.sender, addresses.receiver);
  const Direction direction = is_up ? Direction::kUp : Direction::kDown;
  const std::vector<uint8_t> frame = FromHex(message.at("frame").get<std::string>());
  const size_t clear_size = message.value("clear_size", size_t{0});

  link::Header header;
  std::array<uint8_t, link::kMaxBody> scratch;
  Bytes body;
  std::string verdict = "ok";
  Json says;
  std::vector<uint8_t> again;
  if (const char* reason = link::ReadHeader(frame, &header)) {
    verdict = reason;
  } else if ((header.flags & link::kFlagSealed) != 0 &&
             !OpenFrame(frame, header, direction, key, addresses, clear_size, scratch, &body)) {
    verdict = "tag";
  } else {
    if ((header.flags & link::kFlagSealed) == 0) body = Bytes(frame).subspan(link::kHeaderSize);
    if (!ReadBody(header.type, body, &says, &again)) verdict = "body";
  }
  Compare("verdict", message.at("verdict"), verdict, report);
  if (verdict != "ok" || message.at("verdict") != "ok") return;
  Compare("body", message.at("body"), says, report);

  const Bytes clear = Bytes(frame).subspan(link::kHeaderSize, clear_size);
  if (header.type == link::Type::kJoin) {
    link::JoinHead head;
    Read(clear, &head);
    const Json got = {
        {"node_key", ToHex(head.node_key)}, {"node_random", ToHex(head.node_random)}, {"cookie", ToHex(head.cookie)}};
    Compare("head", message.at("head"), got, report);
  }
  link::FrameBuffer out;
  const size_t size = (header.flags & link::kFlagSealed) != 0
                          ? SealFrame(header, direction, key, addresses, clear, again, &out)
                          : ClearFrame(header, again, &out);
  Compare("written again", message.at("frame"), ToHex(Bytes(out).first(size)), report);
}

void RunJoining(const Json& j, Report* report) {
  link::JoinTranscript t;
  t.network = j.at("network");
  t.node = Array<6>(j.at("node"));
  t.hub = Array<6>(j.at("hub"));
  t.cookie = Array<16>(j.at("cookie"));
  t.node_random = Array<16>(j.at("node_random"));
  const link::Key node_private = Array(j.at("node_private"));
  const link::Key hub_private = Array(j.at("hub_private"));
  link::Key shared{};
  link::Key same{};
  crypto::X25519PublicKey(node_private, &t.node_key);
  crypto::X25519PublicKey(hub_private, &t.hub_key);
  crypto::X25519(node_private, t.hub_key, &shared);
  crypto::X25519(hub_private, t.node_key, &same);
  if (shared != same) report->Differ("shared secret", ToHex(shared), ToHex(same));
  const link::Secret secret = Array<16>(j.at("secret"));
  const link::JoinKeys keys = DeriveJoinKeys(t, shared, secret);
  const Json got = {{"node_key", ToHex(t.node_key)},
                    {"hub_key", ToHex(t.hub_key)},
                    {"commit", ToHex(link::CommitOf(t.node_key, t.node_random))},
                    {"secret_id", link::SecretIdOf(secret)},
                    {"root", ToHex(keys.root)},
                    {"join", ToHex(keys.join)},
                    {"pair", ToHex(keys.pair)},
                    {"code", keys.code},
                    {"session", ToHex(keys.SessionKey(0x11223344))}};
  Compare("expect", j.at("expect"), got, report);
}

void RunKeys(const Json& file, Results* results) {
  for (const Json& j : file.at("joining")) RunJoining(j, results->Add("joining " + j.at("name").get<std::string>()));
  for (const Json& j : file.at("resuming")) {
    const link::Key pair = Array(j.at("pair"));
    const Json got = {{"resume", ToHex(link::ResumeKey(pair))},
                      {"session", ToHex(link::ResumedSessionKey(pair, Array<16>(j.at("node_random")),
                                                                Array<16>(j.at("hub_random")), j.at("session")))}};
    Compare("expect", j.at("expect"), got, results->Add("resuming"));
  }
  for (const Json& j : file.at("signing")) {
    Report* report = results->Add("signing " + j.at("name").get<std::string>());
    link::BlobManifest manifest;
    if (!Read(FromHex(j.at("manifest").get<std::string>()), &manifest)) report->Differ("manifest", "one", "none");
    const crypto::Digest digest = ManifestDigest(manifest);
    if (j.contains("digest")) Compare("digest", j["digest"], ToHex(digest), report);
    const bool is_valid = crypto::VerifyP256(Array<64>(j.at("signer")), digest, manifest.signature);
    Compare("valid", j.at("valid"), is_valid, report);
  }
  Report* report = results->Add("window");
  link::ReplayWindow window;
  for (const Json& j : file.at("window")) {
    const uint32_t counter = j.at("counter");
    const bool is_new = window.IsNew(counter);
    Compare(std::to_string(counter), j.at("taken"), is_new, report);
    if (is_new) window.Mark(counter);
  }
}

}  // namespace

bool ClaimsLink(const VectorFile& file) {
  return file.json.is_object() && file.json.value("schema", "") == "vesta-link/1";
}

void RunLink(const VectorFile& file, Results* results) {
  if (!file.json.contains("messages")) return RunKeys(file.json, results);
  for (const Json& message : file.json["messages"]) RunMessage(file.json, message, results->Add(message.at("name")));
}

}  // namespace vesta::vectors
