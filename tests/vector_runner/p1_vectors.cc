// The P1 vectors: telegrams, streams and encrypted frames, each fed to a session in chunks of several sizes.
#include <mbedtls/sha256.h>

#include <algorithm>
#include <array>
#include <memory>

#include "protocols/p1/encrypted.h"
#include "protocols/p1/session.h"
#include "protocols/p1/text.h"
#include "tests/vector_runner/formats.h"
#include "tests/vector_runner/p1_telegram.h"

namespace vesta::vectors {
namespace {

constexpr size_t kChunks[] = {1, 7, 64, SIZE_MAX};
constexpr int64_t kEndOfInputPause_us = 200 * kUsPerMs;  // ends a checksum of fewer than four digits

struct SeenReading {
  uint16_t device;
  std::string key;
  Value value;  // not a text
  ValueQuality quality;
  UtcUs time_us;
};

struct SeenFrame {
  FrameVerdict verdict;
  std::string reason;
  std::string raw;
  uint64_t offset;
  bool encrypted;
  std::vector<SeenReading> readings;
};

class Recorder : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override {
    SeenFrame seen{frame.verdict,       frame.reason,         std::string(frame.raw.begin(), frame.raw.end()),
                   frame.stream_offset, frame.link_encrypted, {}};
    for (const Reading& r : frame.readings) {
      const bool text = r.value.kind() == ValueKind::kText;
      seen.readings.push_back(
          {r.device, p1::Fields()[r.field].key, text ? Value::None() : r.value, r.quality, r.time_us});
    }
    frames.push_back(std::move(seen));
  }
  std::vector<SeenFrame> frames;
};

struct Run {
  std::vector<SeenFrame> frames;  // the last one may be what was open at the end
  size_t at_end = 0;              // how many of the frames came only when the link closed
  p1::Counters counters;
};

Run Feed(const p1::Options& options, const std::vector<uint8_t>& bytes, size_t chunk) {
  p1::P1Session session(options);
  Recorder recorder;
  Now now;
  for (size_t i = 0; i < bytes.size();) {
    const size_t n = std::min(chunk, bytes.size() - i);
    session.Receive({bytes.data() + i, n}, now, recorder);
    i += n;
  }
  now.monotonic_us += kEndOfInputPause_us;
  session.Tick(now, recorder);
  const size_t before = recorder.frames.size();
  session.LinkReset(now, recorder);
  return {recorder.frames, recorder.frames.size() - before, session.counters()};
}

std::string Show(const SeenFrame& f) {
  const char* verdict = f.verdict == FrameVerdict::kAccepted   ? "accepted"
                        : f.verdict == FrameVerdict::kRejected ? "rejected"
                                                               : "discarded";
  return std::string(verdict) + (f.reason.empty() ? "" : " " + f.reason) + " at " + std::to_string(f.offset) + " of " +
         std::to_string(f.raw.size());
}

std::string ChunkName(size_t chunk) { return chunk == SIZE_MAX ? "all at once" : "chunks of " + std::to_string(chunk); }

// The events must not depend on how the bytes came: the first run, after having been compared with the others.
Run FeedAll(const p1::Options& options, const std::vector<uint8_t>& bytes, Report* report) {
  const Run first = Feed(options, bytes, kChunks[0]);
  for (const size_t chunk : kChunks) {
    const Run other = Feed(options, bytes, chunk);
    const size_t n = std::max(first.frames.size(), other.frames.size());
    for (size_t i = 0; i < n; ++i) {
      const std::string a = i < first.frames.size() ? Show(first.frames[i]) : "nothing";
      const std::string b = i < other.frames.size() ? Show(other.frames[i]) : "nothing";
      const bool same = a == b && first.frames[i].raw == other.frames[i].raw &&
                        first.frames[i].readings.size() == other.frames[i].readings.size();
      if (!same) report->Differ("event " + std::to_string(i) + " in " + ChunkName(chunk), a, b);
    }
  }
  return first;
}

p1::Options OptionsOf(const Json& expected) {
  p1::Options options;
  const Json& assume = expected.at("assume");
  if (!FindZone(assume.at("zone").get<std::string>(), &options.zone)) Fail("unknown zone");
  const Json rule = assume.contains("tariff_rule") ? assume["tariff_rule"] : Json(nullptr);
  if (rule == "nl") options.tariff_rule = p1::TariffRule::kNl;
  if (rule == "be") options.tariff_rule = p1::TariffRule::kBe;
  if (expected.contains("alternative") && expected["alternative"].contains("strip_bit7")) options.strip_bit7 = true;
  return options;
}

p1::TimeRules RulesOf(const p1::Options& options) { return {options.zone, options.summer_time}; }

Json TariffRuleOf(const Json& expected) {
  const Json& assume = expected.at("assume");
  return assume.contains("tariff_rule") ? assume["tariff_rule"] : Json(nullptr);
}

// What verdict and reason a result of the vectors stands for.
std::string VerdictOf(const std::string& result) {
  if (result == "valid" || result == "valid-no-crc" || result == "ok") return "accepted";
  if (result == "missing-crc") return "rejected missing_crc";
  if (result == "bad-crc") return "rejected crc";
  if (result == "incomplete") return "discarded incomplete";
  if (result == "tag-mismatch") return "rejected tag";
  if (result == "no-key") return "rejected no_key";
  if (result == "decrypt-garbage") return "rejected not_a_telegram";
  return "an unknown result: " + result;
}

std::string VerdictOf(const SeenFrame& f) {
  const std::string shown = Show(f);
  return shown.substr(0, shown.find(" at "));
}

void CompareTelegram(const Json& expected, Json got, const std::string& path, Report* report) {
  CheckFieldsBeyondVectors(expected.at("objects"), &got["fields"], path + ".fields", report);
  // Fields are compared as numbers; the rest as it stands.
  Json expected_fields = expected.at("fields");
  for (auto& [key, value] : expected_fields.items()) {
    if (!got["fields"].contains(key) || !value.contains("value")) continue;
    Json& other = got["fields"][key];
    if (other.contains("value") && SameDecimal(value["value"], other["value"])) other["value"] = value["value"];
  }
  Json e = expected;
  e["fields"] = expected_fields;
  // In which order the oddities stand is of no interest.
  std::sort(e["anomalies"].begin(), e["anomalies"].end());
  Compare(path, e, got, report);
}

const SeenReading* FindReading(const SeenFrame& frame, const std::string& key) {
  for (const SeenReading& r : frame.readings) {
    if (r.key == key) return &r;
  }
  return nullptr;
}

// The session's readings say the same as the vector's fields, but for sentinels, states and thousandths. Sub-meters'
// values are read once, so they are looked for in the first telegram only; one that is stamped more than a day ahead of
// its telegram bears the telegram's time.
void CompareReadings(const Json& telegram, const SeenFrame& frame, bool first, const std::string& path,
                     Report* report) {
  for (const auto& [name, field] : telegram.at("fields").items()) {
    std::string key = name;
    if (key == "limiter_threshold" && field.at("unit") == "kVA") key += "_kva";
    if (key == "limiter_threshold" && field.at("unit") == "A") key += "_a";
    const SeenReading* r = FindReading(frame, key);
    const std::string where = path + ".readings." + key;
    if (r == nullptr) {
      report->Differ(where, "a reading", "none");
    } else if (r->value.kind() == ValueKind::kState) {
      const std::string code = field.contains("value") ? field["value"].get<std::string>() : "1";
      if (std::to_string(r->value.state()) != code) report->Differ(where, code, std::to_string(r->value.state()));
    } else if (r->quality == ValueQuality::kUnavailable) {
      const bool off =
          SameDecimal(field.at("value"), "99.999") || std::stod(field.at("value").get<std::string>()) >= 999;
      if (!off) report->Differ(where, field.at("value"), "unavailable");
    } else {
      std::string value = DecimalText(r->value.decimal());
      if (key.rfind("power_factor", 0) == 0 &&
          SameDecimal(DecimalText(Scale(r->value.decimal(), 3)), field.at("value"))) {
        value = field.at("value");
      }
      if (!SameDecimal(value, field.at("value"))) report->Differ(where, field.at("value"), value);
    }
  }
  for (const Json& channel : telegram.at("mbus")) {
    for (const Json& reading : channel.at("readings")) {
      if (reading.at("usable") != true || !first) continue;
      UtcUs utc = kNoTime;
      ParseIso8601(reading.at("timestamp").at("utc").get<std::string>(), &utc);
      UtcUs clock = kNoTime;
      const bool has_clock = telegram.at("timestamp").is_object() && telegram["timestamp"]["utc"].is_string() &&
                             ParseIso8601(telegram["timestamp"]["utc"].get<std::string>(), &clock);
      if (has_clock && utc > clock + 86400 * kUsPerSecond) utc = clock;
      bool found = false;
      for (const SeenReading& r : frame.readings) {
        if (r.device == 0 || r.value.kind() != ValueKind::kDecimal || r.time_us != utc) continue;
        if (SameDecimal(DecimalText(r.value.decimal()), reading.at("value"))) found = true;
      }
      if (!found) report->Differ(path + ".readings of " + reading.at("obis").get<std::string>(), "a reading", "none");
    }
  }
}

void CheckAlternative(const Json& expected, const std::string& name, p1::Options options,
                      const std::vector<uint8_t>& bytes, Report* report) {
  const std::string path = "alternative." + name;
  if (name == "crc_after_restoring_crlf") {
    options.repair_line_ends = true;
  } else if (name == "crc_x25") {
    options.crc = p1::CrcVariant::kX25;
  } else if (name == "strip_bit7") {
    // Everything else in this vector was compared with the option on; without it there is no telegram.
    options.strip_bit7 = false;
    const Run run = FeedAll(options, bytes, report);
    if (!run.frames.empty()) report->Differ(path, "no telegram without it", Show(run.frames[0]));
    return;
  } else if (name == "lenient_end_mark") {
    options.lenient_end_mark = true;
    p1::P1Session session(options);
    Recorder recorder;
    Now now;
    session.Receive(bytes, now, recorder);
    now.monotonic_us += p1::kNoEndMarkSilence_us;
    session.Tick(now, recorder);
    const bool accepted = recorder.frames.size() == 1 && recorder.frames[0].verdict == FrameVerdict::kAccepted;
    const bool counted = session.counters().repaired_end_mark == 1 && session.counters().telegrams_without_crc == 1;
    if (expected != "valid-no-crc" || !accepted || !counted) {
      report->Differ(path, expected.dump(), recorder.frames.empty() ? "nothing" : Show(recorder.frames[0]));
    }
    return;
  } else {
    report->Differ(path, "an alternative that the runner knows", name);
    return;
  }
  const Run run = FeedAll(options, bytes, report);
  const bool accepted = run.frames.size() == 1 && run.frames[0].verdict == FrameVerdict::kAccepted;
  if (accepted != (expected == "ok")) {
    report->Differ(path, expected.dump(), run.frames.empty() ? "nothing" : Show(run.frames[0]));
  }
}

void RunTelegram(const Json& expected, const std::vector<uint8_t>& bytes, Report* report) {
  const p1::Options options = OptionsOf(expected);
  const Run run = FeedAll(options, bytes, report);
  if (run.frames.size() != 1) {
    report->Differ("events", "one telegram", std::to_string(run.frames.size()) + " events");
    return;
  }
  const SeenFrame& frame = run.frames[0];
  const std::string result = expected.at("result");
  if (VerdictOf(result) != VerdictOf(frame)) report->Differ("result", VerdictOf(result), VerdictOf(frame));
  const bool without_crc = run.counters.telegrams_without_crc == 1;
  if (frame.verdict == FrameVerdict::kAccepted && without_crc != (result == "valid-no-crc")) {
    report->Differ("result", result, without_crc ? "accepted without CRC" : "accepted with CRC");
  }
  TelegramView view;
  view.raw = frame.raw;
  view.complete = frame.verdict != FrameVerdict::kDiscarded;
  view.offset = frame.offset;
  const size_t behind = static_cast<size_t>(frame.offset) + frame.raw.size();
  const int mask = options.strip_bit7 ? 0x7F : 0xFF;
  view.followed_by_junk =
      view.complete && behind < bytes.size() && (bytes[behind] & mask) != '\r' && (bytes[behind] & mask) != '\n';
  const Json& telegram = expected.at("telegram");
  CompareTelegram(telegram, DescribeTelegram(view, RulesOf(options), TariffRuleOf(expected)), "telegram", report);
  if (frame.verdict == FrameVerdict::kAccepted) CompareReadings(telegram, frame, true, "telegram", report);
  if (!expected.contains("alternative")) return;
  for (const auto& [name, value] : expected["alternative"].items()) {
    CheckAlternative(value, name, options, bytes, report);
  }
}

void RunStream(const Json& expected, const std::vector<uint8_t>& bytes, Report* report) {
  const p1::Options options = OptionsOf(expected);
  const Run run = FeedAll(options, bytes, report);
  const Json& events = expected.at("events");
  if (events.size() != run.frames.size()) {
    report->Differ("events", std::to_string(events.size()), std::to_string(run.frames.size()));
  }
  size_t accepted = 0;
  size_t rejected = 0;
  size_t discarded = 0;
  for (size_t i = 0; i < run.frames.size(); ++i) {
    const SeenFrame& frame = run.frames[i];
    ++(frame.verdict == FrameVerdict::kAccepted   ? accepted
       : frame.verdict == FrameVerdict::kRejected ? rejected
                                                  : discarded);
    if (i >= events.size()) continue;
    const Json& event = events[i];
    const std::string path = "events[" + std::to_string(i) + "]";
    const bool at_end = i + run.at_end >= run.frames.size();
    Json got;
    if (frame.verdict != FrameVerdict::kDiscarded) {
      got = DescribeForStream(frame.raw, RulesOf(options));
      got["event"] = "telegram";
      got["result"] = frame.verdict == FrameVerdict::kAccepted ? "valid"
                      : frame.reason == "crc"                  ? "bad-crc"
                                                               : frame.reason;
    } else {
      got["event"] = at_end ? "open-at-end" : "discarded";
    }
    got["offset"] = frame.offset;
    got["length"] = frame.raw.size();
    // An event of the vectors names what matters of a telegram, not all of it.
    for (const auto& [key, value] : event.items()) {
      Compare(path + "." + key, value, got.contains(key) ? got[key] : Json(nullptr), report);
    }
  }
  const Json summary = {{"accepted", accepted}, {"rejected", rejected}, {"discarded", discarded}};
  Compare("summary", expected.at("summary"), summary, report);
}

bool KeyOf(const Json& json, p1::Key* key) {
  if (!json.is_string()) return false;
  const std::string hex = json;
  for (size_t i = 0; i < key->size(); ++i)
    (*key)[i] = static_cast<uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
  return true;
}

std::string Sha256(std::string_view text) {
  std::array<unsigned char, 32> digest;
  mbedtls_sha256_ret(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), 0);
  std::string hex = HexOf(digest);
  std::transform(hex.begin(), hex.end(), hex.begin(), p1::ToLower);
  return hex;
}

Json DescribeFrame(const SeenFrame& seen, const p1::Options& options) {
  const std::span<const uint8_t> raw(reinterpret_cast<const uint8_t*>(seen.raw.data()), seen.raw.size());
  size_t total = 0;
  if (p1::CheckEncryptedHeader(raw, p1::kMaxMaxTelegram, &total) != p1::HeaderCheck::kYes) return nullptr;
  std::vector<uint8_t> whole(raw.begin(), raw.end());
  whole.resize(total);
  const p1::EncryptedFrame frame = p1::SplitEncryptedFrame(whole);
  const bool complete = raw.size() == total;
  Json j = {{"event", "frame"}, {"offset", seen.offset}, {"length", total}};
  j["system_title"] = HexOf(frame.system_title);
  j["declared_length"] = frame.declared_length;
  j["security_control"] = HexOf(std::array<uint8_t, 1>{frame.security});
  j["frame_counter"] = frame.frame_counter;
  j["ciphertext_bytes"] = frame.ciphertext.size();
  j["tag"] = complete && !frame.tag.empty() ? Json(HexOf(frame.tag)) : Json(nullptr);
  const std::string verdict = VerdictOf(seen);
  for (const char* result : {"ok", "tag-mismatch", "decrypt-garbage", "no-key", "incomplete"}) {
    if (VerdictOf(std::string(result)) == verdict) j["result"] = result;
  }
  if (!j.contains("result")) j["result"] = verdict;
  if (!complete || !options.has_key) return j;

  p1::FrameCipher cipher;
  cipher.SetKeys(options.key, options.has_authentication_key, options.authentication_key);
  std::vector<uint8_t> plain(frame.ciphertext.size());
  j["tag_ok"] = frame.tag.empty() ? Json(nullptr) : Json(cipher.DecryptChecked(frame, plain.data()));
  cipher.DecryptUnchecked(frame, plain.data());
  const std::string text(plain.begin(), plain.end());
  j["plaintext_sha256"] = Sha256(text);
  if (text.empty() || text.front() != '/') {
    j["inner_result"] = "not-a-telegram";
    return j;
  }
  // The inner telegram is a vector of its own.
  p1::Options inner = options;
  inner.has_key = false;
  const Run run = Feed(inner, plain, SIZE_MAX);
  if (run.frames.empty()) return j;
  j["inner_result"] = run.frames[0].verdict == FrameVerdict::kAccepted ? "valid"
                      : run.frames[0].reason == "crc"                  ? "bad-crc"
                                                                       : run.frames[0].reason;
  TelegramView view;
  view.raw = run.frames[0].raw;
  j["telegram"] = DescribeTelegram(view, RulesOf(options), nullptr);
  return j;
}

void RunEncrypted(const Json& expected, const std::vector<uint8_t>& bytes, Report* report) {
  p1::Options options = OptionsOf(expected);
  options.has_key = KeyOf(expected.at("key"), &options.key);
  options.has_authentication_key = KeyOf(expected.at("authentication_key"), &options.authentication_key);
  const Run run = FeedAll(options, bytes, report);
  const Json& frames = expected.at("frames");
  if (frames.size() != run.frames.size()) {
    report->Differ("frames", std::to_string(frames.size()), std::to_string(run.frames.size()));
  }
  for (size_t i = 0; i < std::min(frames.size(), run.frames.size()); ++i) {
    const std::string path = "frames[" + std::to_string(i) + "]";
    Json got = DescribeFrame(run.frames[i], options);
    Json want = frames[i];
    if (got.contains("telegram") && want.contains("telegram")) {
      CompareTelegram(want["telegram"], got["telegram"], path + ".telegram", report);
      if (run.frames[i].verdict == FrameVerdict::kAccepted) {
        CompareReadings(want["telegram"], run.frames[i], i == 0, path, report);
      }
      got.erase("telegram");
      want.erase("telegram");
    }
    Compare(path, want, got, report);
  }
}

// The input file that the vector names, checked against the size that it states.
std::vector<uint8_t> ReadInput(const VectorFile& file, Report* report) {
  const Json& input = file.json.at("input");
  std::vector<uint8_t> bytes = ReadBytes(file.Beside(input.at("file").get<std::string>()));
  if (input.contains("bytes") && input["bytes"] != bytes.size()) {
    report->Differ("input.bytes", Shown(input["bytes"]), std::to_string(bytes.size()));
  }
  return bytes;
}

}  // namespace

bool ClaimsP1(const VectorFile& file) {
  return file.json.is_object() && file.json.value("schema", "") == "dsmr-p1-vector/1";
}

void RunP1(const VectorFile& file, Results* results) {
  Report* report = results->Add("");
  const std::vector<uint8_t> bytes = ReadInput(file, report);
  const std::string kind = file.json.at("kind");
  if (kind == "telegram") {
    RunTelegram(file.json, bytes, report);
  } else if (kind == "stream") {
    RunStream(file.json, bytes, report);
  } else if (kind == "encrypted") {
    RunEncrypted(file.json, bytes, report);
  } else {
    report->Differ("kind", "telegram, stream or encrypted", kind);
  }
}

}  // namespace vesta::vectors
