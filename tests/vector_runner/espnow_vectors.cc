// The ESP-NOW vectors: captured frames, a timed exchange with original nodes, and the forms of the original server.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>

#include "protocols/espnow/filter.h"
#include "protocols/espnow/frame.h"
#include "protocols/espnow/legacy_gateway.h"
#include "protocols/espnow/legacy_log.h"
#include "protocols/espnow/repeats.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

using espnow::Address;
using espnow::Bytes;
using espnow::Packet;
namespace legacy = espnow::legacy;

template <typename Range>
std::string Colons(const Range& bytes) {
  std::string text;
  char hex[4];
  for (const uint8_t b : bytes) {
    std::snprintf(hex, sizeof(hex), "%02x", b);
    text += (text.empty() ? "" : ":") + std::string(hex);
  }
  return text;
}

Address AddressOf(const std::string& text) {
  std::string plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain), [](char c) { return c != ':'; });
  const std::vector<uint8_t> bytes = FromHex(plain);
  Address address{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), address.size()), address.begin());
  return address;
}

const char* NameOf(espnow::Verdict verdict) {
  constexpr const char* kNames[] = {"espnow", "encrypted", "dropped", "malformed", "not-espnow"};
  return kNames[static_cast<size_t>(verdict)];
}

Json Float(float value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Nine digits tell every float apart, so the vectors carry no more.
Json FloatDigits(float value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(value));
  return std::strtod(text, nullptr);
}

Json DescribeMessage(const legacy::Message& m) {
  Json j;
  j["family"] = "vesta";
  switch (m.kind) {
    case legacy::Kind::kPairing:
      j["msg"] = "PAIRING";
      j["network"] = m.pairing.network;
      j["id"] = m.pairing.id;
      j["macAddr"] = Colons(m.pairing.address);
      j["channel"] = m.pairing.channel;
      j["deviceIds"] = m.pairing.device_ids;
      j["deviceTypes"] = m.pairing.device_types;
      j["controlNdx"] = m.pairing.controls;
      return j;
    case legacy::Kind::kData:
    case legacy::Kind::kSetPoints: {
      j["msg"] = m.kind == legacy::Kind::kData ? "DATA" : "SETPOINTS";
      j["deviceId"] = m.data.device_id;
      j["deviceType"] = m.data.device_type;
      j["U"] = m.data.u;
      for (const float f : m.data.f) j["F"].push_back(Float(f));
      j["deviceAddress"] = Colons(m.data.sensor);
      return j;
    }
    case legacy::Kind::kPing:
      j["msg"] = "PING";
      j["msgID"] = m.ping_id;
      return j;
    case legacy::Kind::kReset:
      j["msg"] = "RESET";
      j["id"] = m.reset_server;
      return j;
    case legacy::Kind::kVictron: {
      const legacy::VictronReading& v = m.victron;
      j["family"] = "victron-v1";
      j["deviceType"] = v.device_type;
      j["deviceMAC"] = v.address.data();
      j["voltage"] = FloatDigits(v.voltage);
      j["current"] = FloatDigits(v.current);
      j["power"] = FloatDigits(v.power);
      j["soc"] = FloatDigits(v.charge);
      j["rssi"] = v.rssi_dbm;
      j["timestamp_ms"] = v.uptime_ms;
      return j;
    }
    default:
      return nullptr;
  }
}

Json DescribeRadiotap(const espnow::Radiotap& r) {
  Json j = {{"len", r.size}, {"fcs_present", r.fcs_present()}, {"bad_fcs_flag", r.bad_fcs_flag()}};
  if (r.has_flags) j["flags"] = r.flags;
  if (r.has_rate) j["rate_kbps"] = r.rate_kbps;
  if (r.has_channel) j["freq_mhz"] = r.frequency_mhz;
  if (r.has_channel) j["channel"] = r.channel;
  if (r.has_signal) j["signal_dbm"] = r.signal_dbm;
  if (r.has_mcs) j["mcs"] = r.mcs_index;
  if (r.has_tx_flags) j["tx_flags"] = r.tx_flags;
  return j;
}

Json DescribePacket(const Packet& p) {
  Json j;
  if (p.has_radiotap) j["radiotap"] = DescribeRadiotap(p.radiotap);
  constexpr const char* kFcs[] = {"", "ok", "bad", "absent", "not-captured"};
  if (p.fcs != espnow::Fcs::kUnknown) j["fcs"] = kFcs[static_cast<size_t>(p.fcs)];
  if (p.has_mac_header) {
    j["retry"] = p.retry;
    j["addr1"] = Colons(p.receiver);
    j["addr2"] = Colons(p.sender);
    j["addr3"] = Colons(p.third);
    j["seq"] = p.sequence;
    j["frag"] = p.fragment;
    j["duration_us"] = p.duration_us;
  }
  if (p.has_random) j["random"] = ToHex(p.random);
  if (!p.ccmp_header.empty()) j["ccmp_header"] = ToHex(p.ccmp_header);
  j["verdict"] = NameOf(p.verdict);
  if (*p.reason != '\0') j["reason"] = p.reason;
  if (p.has_random) {
    j["elements"] = Json::array();
    for (size_t i = 0; i < p.element_count; ++i) {
      const espnow::Element& e = p.elements[i];
      j["elements"].push_back({{"version", e.version}, {"more", e.more}, {"body_len", e.body.size()}});
    }
  }
  if (p.verdict == espnow::Verdict::kEspNow) {
    std::array<uint8_t, espnow::kMaxBody2> scratch;
    const Bytes body = JoinBody(p, scratch);
    j["body_len"] = p.body_size;
    j["body_hex"] = ToHex(body);
    const Json app = DescribeMessage(legacy::ReadMessage(body));
    if (!app.is_null()) j["app"] = app;
  }
  if (p.trailing_bytes > 0) j["warnings"] = {"trailing-bytes:" + std::to_string(p.trailing_bytes)};
  return j;
}

void RunFrames(const Json& file, Results* results) {
  for (const Json& frame : file.at("frames")) {
    Report* report = results->Add(frame.at("id"));
    const std::vector<uint8_t> bytes = FromHex(frame.at("hex").get<std::string>());
    const Packet packet = espnow::ReadPacket(bytes, frame.value("orig_len", bytes.size()));
    Json expected = frame.at("expect");
    // What stands in a frame without an action header's end is not said by the vectors.
    Json got = DescribePacket(packet);
    if (expected.contains("elements") && expected["elements"].empty() && !got.contains("elements")) {
      got["elements"] = Json::array();
    }
    Compare("expect", expected, got, report);
  }
}

Json DescribeEvent(int64_t t_ms, const legacy::GatewayEvent& e) {
  using Kind = legacy::GatewayEvent::Kind;
  Json j = {{"t_ms", t_ms}, {"peer", e.peer}};
  switch (e.kind) {
    case Kind::kPairRequest:
      j["event"] = "pair-request";
      j["body_channel"] = e.body_channel;
      j["answer"] = e.is_answered;
      break;
    case Kind::kPaired:
      j["event"] = "paired";
      j["mac"] = Colons(e.address);
      break;
    case Kind::kReading:
      j["event"] = "reading";
      j["device"] = e.data.device_id;
      j["type"] = e.data.device_type;
      j["F1"] = Float(e.data.f[0]);
      j["F2"] = e.data.device_type == 0 ? Float(e.data.f[1]) : Json(nullptr);
      j["U1"] = e.data.u[0];
      j["sensor"] = Colons(e.data.sensor);
      break;
    case Kind::kSetPointSent:
      j["event"] = "setpoint-sent";
      j["device"] = e.data.device_id;
      j["value"] = e.value;
      break;
    case Kind::kSetPointConfirmed:
      j["event"] = "setpoint-confirmed";
      j["device"] = e.data.device_id;
      j["F2"] = Float(e.data.f[1]);
      break;
    case Kind::kResetSent:
      j["event"] = "reset-sent";
      break;
    default:
      j["event"] = "another";
      break;
  }
  return j;
}

class EventList : public legacy::GatewayEvents {
 public:
  void OnEvent(const legacy::GatewayEvent& event) override { events.push_back(DescribeEvent(t_ms, event)); }
  int64_t t_ms = 0;
  Json events = Json::array();
};

legacy::Peer PeerOf(const Json& id, const Json& devices, const char* id_key, const char* type_key,
                    const char* control_key) {
  // Numbers of the original's files may be texts.
  const auto number = [](const Json& j) {
    return static_cast<uint8_t>(j.is_string() ? std::stoi(j.get<std::string>()) : j.get<int>());
  };
  legacy::Peer peer;
  peer.id = number(id);
  for (const Json& d : devices) {
    if (peer.device_count == legacy::kSlots) Fail("more than 12 devices");
    peer.devices[peer.device_count++] = {number(d.at(id_key)), number(d.at(type_key)), number(d.at(control_key))};
  }
  return peer;
}

void RunSession(const Json& file, Results* results) {
  Report* report = results->Add(file.at("name"));
  const Json& server = file.at("server");
  const Address station = AddressOf(server.at("sta"));
  const Address soft_ap = AddressOf(server.at("ap"));
  std::vector<legacy::Peer> peers;
  for (const Json& p : file.at("config").at("peers")) {
    peers.push_back(PeerOf(p.at("id"), p.at("devices"), "id", "type", "ctrl"));
  }
  legacy::Gateway gateway({server.at("id"), soft_ap, file.at("monitor_channel")}, peers);
  espnow::RepeatFilter repeats;
  EventList list;
  std::vector<uint8_t> reply_due;
  for (const Json& frame : file.at("frames")) {
    list.t_ms = frame.at("t_ms");
    const std::vector<uint8_t> bytes = FromHex(frame.at("hex").get<std::string>());
    const Packet packet = espnow::ReadPacket(bytes);
    const std::string at = "t_ms " + std::to_string(list.t_ms);
    if (frame.at("verdict") != NameOf(packet.verdict)) {
      report->Differ(at, frame.at("verdict"), NameOf(packet.verdict));
    }
    const std::optional<Address> acknowledged = espnow::ReadAcknowledgement(bytes);
    if (acknowledged == station) gateway.Acknowledged(list);
    if (packet.verdict != espnow::Verdict::kEspNow || repeats.IsRepeat(packet, list.t_ms * kUsPerMs)) continue;
    std::array<uint8_t, espnow::kMaxBody2> scratch;
    const Bytes body = JoinBody(packet, scratch);
    if (packet.sender == station || packet.sender == soft_ap) {
      if (!reply_due.empty() && ToHex(body) != ToHex(reply_due)) report->Differ(at, ToHex(body), ToHex(reply_due));
      reply_due.clear();
      gateway.Sent(packet.receiver, body, list);
      continue;
    }
    gateway.Receive(packet.sender, body, list.t_ms * kUsPerMs, list);
    const legacy::Message message = legacy::ReadMessage(body);
    std::array<uint8_t, legacy::kPairingSize> reply;
    if (message.kind == legacy::Kind::kPairing && gateway.MakeReply(message.pairing, reply)) {
      reply_due.assign(reply.begin(), reply.end());
    }
  }
  Json expected = file.at("events");
  for (Json& e : expected) e.erase("note");
  Compare("events", expected, list.events, report);
}

struct Network {
  std::vector<legacy::Peer> peers;
  const legacy::Peer* Find(int id) const {
    for (const legacy::Peer& p : peers) {
      if (p.id == id) return &p;
    }
    return nullptr;
  }
};

Network NetworkOf(const Json& file) {
  Network network;
  for (const Json& p : file.at("Peers")) {
    network.peers.push_back(PeerOf(p.at("PeerID"), p.at("Devices"), "ID", "Type", "CtrlID"));
  }
  return network;
}

Json ReadJson(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadBytes(path);
  return Json::parse(bytes.begin(), bytes.end());
}

std::string NameOf(std::string_view name, uint8_t peer, uint8_t device) {
  char text[legacy::kNameSize];
  return std::string(text, legacy::WriteName(name, peer, device, text));
}

void RunNetwork(const Json& file, const Json& expected, Results* results) {
  Report* report = results->Add("tables, keys and cards");
  const Network network = NetworkOf(file);
  Json got = {{"peers", Json::array()}, {"log_keys", Json::array()}, {"cards", Json::array()}};
  std::vector<std::string> keys;
  for (size_t i = 0; i < network.peers.size(); ++i) {
    const legacy::Peer& peer = network.peers[i];
    legacy::Pairing tables;
    FillTables(peer, &tables);
    got["peers"].push_back({{"PeerID", peer.id},
                            {"deviceIds", tables.device_ids},
                            {"deviceTypes", tables.device_types},
                            {"controlNdx", tables.controls}});
    for (size_t d = 0; d < peer.device_count; ++d) {
      const legacy::Device& device = peer.devices[d];
      Json ids = Json::array();
      for (const auto& [name, flag] : file.at("DataTypes").at(device.type).items()) {
        ids.push_back(NameOf(name, peer.id, device.id));
        if (flag == "L") keys.push_back(ids.back());
      }
      got["cards"].push_back({{"card_id", NameOf("S", peer.id, device.id)},
                              {"type", device.type},
                              {"title", file["Peers"][i]["Devices"][d]["Title"]},
                              {"element_ids", ids}});
    }
  }
  std::sort(keys.begin(), keys.end());
  got["log_keys"] = keys;
  Compare("", expected, got, report);
}

void RunDashboard(const VectorFile& file, Results* results) {
  const Network network = NetworkOf(ReadJson(file.Beside("vesta-network.json")));
  for (const Json& e : file.json.at("events")) {
    Report* report = results->Add("event of " + std::to_string(e.at("peer").get<int>()));
    const legacy::Message message = legacy::ReadMessage(FromHex(e.at("body_hex").get<std::string>()));
    char text[legacy::kEventSize];
    const size_t n = legacy::WriteEvent(e.at("peer"), e.at("rssi"), message.data, text);
    Compare("data", e.at("data"), Json::parse(text, text + n), report);
  }
  for (const Json& c : file.json.at("commands")) {
    Report* report = results->Add("command " + Shown(c.at("ws")));
    const auto number = [&c](const char* key) {
      const Json& j = c.at("ws").at(key);
      return j.is_string() ? std::stoi(j.get<std::string>()) : j.get<int>();
    };
    const int peer = number("peerID");
    Json got = c;
    if (peer == legacy::kResetAllPeer) {
      got["action"] = "reset-all";
      got["body_hex"] = nullptr;
      got.erase("peer");
      uint8_t reset[legacy::kResetSize];
      legacy::WriteReset(10, reset);
      if (ToHex(reset) != "040a") report->Differ("reset", "040a", ToHex(reset));
    } else {
      uint8_t body[legacy::kDataSize];
      const legacy::Data data = legacy::MakeSetPoint(network.Find(peer), static_cast<uint8_t>(number("DevID")),
                                                     static_cast<uint8_t>(number("value")));
      legacy::WriteData(data, true, body);
      got["action"] = "setpoint";
      got["peer"] = peer;
      got["body_hex"] = ToHex(body);
    }
    Compare("", c, got, report);
  }
}

UtcUs UtcOf(const Json& text) {
  UtcUs us = kNoTime;
  if (!ParseIso8601(text.get<std::string>() + "Z", &us)) Fail("no time: " + Shown(text));
  return us;
}

void RunLog(const Json& file, Results* results) {
  Report* report = results->Add("rows");
  legacy::DayLog log;
  Json rows = Json::array();
  size_t next = 0;
  const Json& readings = file.at("readings");
  for (const Json& write : file.at("writes_utc")) {
    const UtcUs now = UtcOf(write);
    for (; next < readings.size() && UtcOf(readings[next].at("utc")) <= now; ++next) {
      log.Add(readings[next].at("key").get<std::string>(), readings[next].at("value"));
    }
    std::vector<char> text(legacy::DayLog::kRowSize);
    const size_t n = log.WriteRow(now, std::span<char, legacy::DayLog::kRowSize>(text));
    if (n > 0) rows.push_back(Json::parse(text.begin(), text.begin() + static_cast<ptrdiff_t>(n)));
  }
  Compare("rows", file.at("rows"), rows, report);
  // The product gets the local date; here the C library works it out.
  setenv("TZ", file.at("time_zone").get<std::string>().c_str(), 1);
  tzset();
  const auto t = static_cast<time_t>(UtcOf(file.at("writes_utc")[0]) / kUsPerSecond);
  struct tm local {};
  localtime_r(&t, &local);
  char name[legacy::kFileNameSize];
  const CivilTime date{local.tm_year + 1900, static_cast<uint8_t>(local.tm_mon + 1),
                       static_cast<uint8_t>(local.tm_mday)};
  Compare("file", file.at("file"), std::string(name, legacy::WriteFileName(date, name)), report);
}

// What an ESP-NOW vector file holds, by its name in the set.
std::string NameOf(const VectorFile& file) { return std::string(file.name()); }

}  // namespace

bool ClaimsEspNow(const VectorFile& file) { return file.folder() == "espnow"; }

void RunEspNow(const VectorFile& file, Results* results) {
  const std::string name = NameOf(file);
  if (name == "frames.json") {
    RunFrames(file.json, results);
  } else if (name == "session.json") {
    RunSession(file.json, results);
  } else if (name == "vesta-network.json") {
    RunNetwork(file.json, ReadJson(file.Beside("vesta-network.expect.json")), results);
  } else if (name == "vesta-network.expect.json") {
    // Named with its input, of which it is the second half.
    RunNetwork(ReadJson(file.Beside("vesta-network.json")), file.json, results);
  } else if (name == "vesta-dashboard.json") {
    RunDashboard(file, results);
  } else if (name == "vesta-log.json") {
    RunLog(file.json, results);
  } else {
    results->Add("")->Differ("", "a file that the README names", name);
  }
}

}  // namespace vesta::vectors
