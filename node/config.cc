#include "node/config.h"

#include <algorithm>
#include <new>

#include "node/screens/screen.h"

namespace vesta::node {

namespace {

constexpr std::string_view kTypes[] = {"thermometer", "thermostat", "relay",   "counter",   "ble",
                                       "p1",          "vedirect",   "medibus", "masterbus", "display"};
static_assert(std::size(kTypes) == static_cast<size_t>(FunctionType::kCount));

constexpr uint16_t Of(FunctionType type) { return static_cast<uint16_t>(1u << static_cast<unsigned>(type)); }
constexpr uint16_t kThermometer = Of(FunctionType::kThermometer);
constexpr uint16_t kThermostat = Of(FunctionType::kThermostat);
constexpr uint16_t kRelay = Of(FunctionType::kRelay);
constexpr uint16_t kCounter = Of(FunctionType::kCounter);
constexpr uint16_t kBle = Of(FunctionType::kBle);
constexpr uint16_t kP1 = Of(FunctionType::kP1);
constexpr uint16_t kVedirect = Of(FunctionType::kVedirect);
constexpr uint16_t kMedibus = Of(FunctionType::kMedibus);
constexpr uint16_t kMasterbus = Of(FunctionType::kMasterbus);
constexpr uint16_t kDisplay = Of(FunctionType::kDisplay);

struct NumberKey {
  std::string_view key;
  uint16_t types;
  int32_t FunctionConfig::*member;
  int32_t min;
  int32_t max;
  uint8_t digits = 0;  // behind the point; min, max and the member count in these
};
constexpr NumberKey kNumbers[] = {
    {"period_s", static_cast<uint16_t>(~(kRelay | kDisplay)), &FunctionConfig::period_s, 1, 86400},
    {"pin", kThermometer | kRelay | kCounter, &FunctionConfig::pin, 0, 255},
    {"i2c", kRelay, &FunctionConfig::i2c, 8, 119},
    {"bit", kRelay, &FunctionConfig::bit, 0, 7},
    {"port", kP1 | kVedirect | kMedibus, &FunctionConfig::port, 0, 3},
    {"baud", kP1 | kMedibus | kMasterbus, &FunctionConfig::baud, 1200, 1000000},
    {"resolution", kThermometer, &FunctionConfig::resolution, 9, 12},
    {"max_sensors", kThermometer, &FunctionConfig::max_sensors, 1, static_cast<int32_t>(kMaxSensors)},
    {"set_point", kThermostat, &FunctionConfig::set_point, -55000, 125000, 3},
    {"min", kThermostat, &FunctionConfig::min, -55000, 125000, 3},
    {"max", kThermostat, &FunctionConfig::max, -55000, 125000, 3},
    {"hysteresis", kThermostat, &FunctionConfig::hysteresis, 50, 10000, 3},
    {"exponent", kCounter, &FunctionConfig::exponent, -6, 3},
    {"debounce_ms", kCounter, &FunctionConfig::debounce_ms, 0, 1000},
    {"company", kBle, &FunctionConfig::company, 0, 65535},
    {"max_bytes", kP1, &FunctionConfig::max_bytes, 512, 4096},
    {"turn_s", kDisplay, &FunctionConfig::turn_s, 1, 3600},
};

struct FlagKey {
  std::string_view key;
  uint16_t types;
  bool FunctionConfig::*member;
};
constexpr FlagKey kFlags[] = {
    {"active_low", kRelay, &FunctionConfig::is_active_low}, {"inverted", kP1, &FunctionConfig::is_inverted},
    {"pull_up", kCounter, &FunctionConfig::pull_up},        {"cooling", kThermostat, &FunctionConfig::is_cooling},
    {"from_hub", kDisplay, &FunctionConfig::from_hub},
};

struct NodeKey {
  std::string_view key;
  int32_t NodeConfig::*member;
  int32_t min;
  int32_t max;
};
constexpr NodeKey kNodeKeys[] = {
    {"sleep_s", &NodeConfig::sleep_s, 0, 86400},
    {"awake_s", &NodeConfig::awake_s, 1, 60},
    {"ping_s", &NodeConfig::ping_s, 1, 3600},
};

constexpr std::string_view kPowerOn[] = {"off", "on", "last"};
constexpr std::string_view kCounterOf[] = {"count", "energy", "gas", "water"};

template <typename T>
bool FindWord(std::span<const std::string_view> words, std::string_view word, T* out) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return false;
  *out = static_cast<T>(found - words.begin());
  return true;
}

class Reader {
 public:
  Reader(TextSource& text, NodeConfig* out, Problem* problem) : json_(text), out_(*out), problem_(*problem) {}

  bool Read() {
    Clear(&out_);
    problem_.Clear();
    return ReadNode() && Check();
  }

 private:
  bool Fail(std::string_view what, std::string_view of = {}) {
    if (!problem_.empty()) return false;
    problem_.Add("line ").Add(json_.line()).Add(", column ").Add(json_.column()).Add(": ").Add(what);
    if (!of.empty()) problem_.Add(" '").Add(of).Add("'");
    return false;
  }
  bool FailAt(const FunctionConfig& f, std::string_view what) {
    problem_.Add(NameOf(f.type)).Add(" '").Add(f.name.view()).Add("': ").Add(what);
    return false;
  }
  // The reader's own error goes first.
  bool Is(Token token, Token wanted, std::string_view what) {
    if (token == wanted) return true;
    return Fail(token == Token::kError ? std::string_view(json_.error()) : what, token == Token::kError ? "" : key());
  }
  std::string_view key() const { return {key_.data(), key_size_}; }
  void KeepKey() { key_size_ = json_.text().copy(key_.data(), key_.size()); }
  // Each key once: `place` is the number of the key.
  bool Once(uint32_t* seen, size_t place) {
    if ((*seen >> place & 1) != 0) return Fail("given twice:", key());
    *seen |= 1u << place;
    return true;
  }

  bool Number(int32_t min, int32_t max, uint8_t digits, int32_t* out) {
    if (!Is(json_.Next(), Token::kNumber, "a number expected for")) return false;
    Decimal d = json_.number();
    for (; d.exponent > -digits; --d.exponent) {
      if (d.mantissa > INT32_MAX || d.mantissa < -INT32_MAX) return Fail("out of range:", key());
      d.mantissa *= 10;
    }
    for (; d.exponent < -digits; ++d.exponent) {
      if (d.mantissa % 10 != 0) return Fail("too many digits behind the point:", key());
      d.mantissa /= 10;
    }
    if (d.mantissa < min || d.mantissa > max) return Fail("out of range:", key());
    *out = static_cast<int32_t>(d.mantissa);
    return true;
  }
  bool Flag(bool* out) {
    const Token token = json_.Next();
    if (token != Token::kTrue && token != Token::kFalse) return Is(token, Token::kTrue, "true or false expected for");
    *out = token == Token::kTrue;
    return true;
  }
  bool Text() { return Is(json_.Next(), Token::kText, "a text expected for"); }
  bool ReadName(Name* out) {
    if (!Text()) return false;
    const std::string_view text = json_.text();
    const bool is_clean = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; });
    if (text.empty() || !is_clean || !out->Set(text)) return Fail("a name of 1 to 24 bytes expected for", key());
    return true;
  }
  bool ReadSensorId(SensorId* out) {
    return Text() &&
           (ParseSensorId(json_.text(), out) || Fail("16 hex digits with a right checksum expected for", key()));
  }

  bool ReadNode() {
    if (!Is(json_.Next(), Token::kObject, "an object expected")) return false;
    uint32_t seen = 0;
    Token token;
    while ((token = json_.Next()) == Token::kKey) {
      KeepKey();
      size_t place = 0;
      while (place < std::size(kNodeKeys) && kNodeKeys[place].key != key()) ++place;
      if (place < std::size(kNodeKeys)) {
        const NodeKey& k = kNodeKeys[place];
        if (!Once(&seen, place) || !Number(k.min, k.max, 0, &(out_.*k.member))) return false;
      } else if (key() == "version") {
        int32_t version = 0;
        if (!Once(&seen, 29) || !Number(1, INT32_MAX, 0, &version)) return false;
        out_.version = static_cast<uint32_t>(version);
      } else if (key() == "name") {
        if (!Once(&seen, 30) || !ReadName(&out_.name)) return false;
      } else if (key() == "functions") {
        if (!Once(&seen, 31) || !ReadFunctions()) return false;
      } else {
        return Fail("unknown key", key());
      }
    }
    return Is(token, Token::kObjectEnd, "a key expected behind") && Is(json_.Next(), Token::kEnd, "the end expected");
  }

  bool ReadFunctions() {
    if (!Is(json_.Next(), Token::kArray, "an array expected for")) return false;
    Token token;
    while ((token = json_.Next()) == Token::kObject) {
      if (out_.function_count == kMaxFunctions) return Fail("more than 12 functions");
      if (!ReadFunction(&out_.functions[out_.function_count])) return false;
      ++out_.function_count;
    }
    return Is(token, Token::kArrayEnd, "an object expected for each of");
  }

  // The type comes first: it says which keys there are.
  bool ReadFunction(FunctionConfig* f) {
    Token token = json_.Next();
    if (token == Token::kKey) KeepKey();
    if (token != Token::kKey || key() != "type") return Is(token, Token::kError, "the first key must be type, not");
    if (!Text()) return false;
    if (!FindWord(kTypes, json_.text(), &f->type)) return Fail("unknown type", json_.text());
    SetDefaults(f);
    uint32_t seen = 0;
    while ((token = json_.Next()) == Token::kKey) {
      KeepKey();
      if (!ReadKey(f, &seen)) return false;
    }
    return Is(token, Token::kObjectEnd, "a key expected behind");
  }

  static void SetDefaults(FunctionConfig* f) {
    constexpr int32_t kPeriods[] = {30, 60, 0, 60, 5, 10, 10, 5, 10, 0};
    f->period_s = kPeriods[static_cast<size_t>(f->type)];
    f->baud = f->type == FunctionType::kP1 ? 115200 : f->type == FunctionType::kMedibus ? 9600 : 250000;
    if (f->type == FunctionType::kDisplay) f->screens = kAllScreens;
    f->name.Set(NameOf(f->type));
  }

  bool ReadKey(FunctionConfig* f, uint32_t* seen) {
    const uint16_t type = Of(f->type);
    for (size_t i = 0; i < std::size(kNumbers); ++i) {
      const NumberKey& k = kNumbers[i];
      if (k.key != key() || (k.types & type) == 0) continue;
      return Once(seen, i) && Number(k.min, k.max, k.digits, &(f->*k.member));
    }
    constexpr size_t kFlagPlace = std::size(kNumbers);
    for (size_t i = 0; i < std::size(kFlags); ++i) {
      const FlagKey& k = kFlags[i];
      if (k.key == key() && (k.types & type) != 0) return Once(seen, kFlagPlace + i) && Flag(&(f->*k.member));
    }
    constexpr size_t kOthers = kFlagPlace + std::size(kFlags);
    static_assert(kOthers + 7 <= 32, "bits of the keys seen");
    if (key() == "name") return Once(seen, kOthers) && ReadName(&f->name);
    if (key() == "sensor" && type == kThermostat) {
      f->has_sensor = true;
      return Once(seen, kOthers + 1) && ReadSensorId(&f->sensor);
    }
    if (key() == "relay" && type == kThermostat) return Once(seen, kOthers + 2) && ReadName(&f->relay);
    if (key() == "power_on" && type == kRelay) {
      return Once(seen, kOthers + 3) && Text() &&
             (FindWord(kPowerOn, json_.text(), &f->power_on) || Fail("off, on or last expected for", key()));
    }
    if (key() == "counts" && type == kCounter) {
      return Once(seen, kOthers + 4) && Text() &&
             (FindWord(kCounterOf, json_.text(), &f->counts) ||
              Fail("count, energy, gas or water expected for", key()));
    }
    if (key() == "sensors" && type == kThermometer) return Once(seen, kOthers + 5) && ReadSensors();
    if (key() == "screens" && type == kDisplay) return Once(seen, kOthers + 6) && ReadScreens(f);
    return Fail("unknown key", key());
  }

  bool ReadSensors() {
    if (!Is(json_.Next(), Token::kArray, "an array expected for")) return false;
    Token token;
    while ((token = json_.Next()) == Token::kObject) {
      if (out_.sensor_count == kMaxSensors) return Fail("more than 8 sensors");
      SensorConfig& sensor = out_.sensors[out_.sensor_count++];
      sensor.function = out_.function_count;
      uint32_t seen = 0;
      while ((token = json_.Next()) == Token::kKey) {
        KeepKey();
        if (key() == "id") {
          if (!Once(&seen, 0) || !ReadSensorId(&sensor.id)) return false;
        } else if (key() == "name") {
          if (!Once(&seen, 1) || !ReadName(&sensor.name)) return false;
        } else {
          return Fail("unknown key", key());
        }
      }
      if (!Is(token, Token::kObjectEnd, "a key expected behind")) return false;
      if ((seen & 1) == 0) return Fail("a sensor without id");
      for (size_t i = 0; i + 1 < out_.sensor_count; ++i) {
        if (out_.sensors[i].id == sensor.id) return Fail("two sensors with the same id");
      }
    }
    return Is(token, Token::kArrayEnd, "an object expected for each of");
  }

  bool ReadScreens(FunctionConfig* f) {
    if (!Is(json_.Next(), Token::kArray, "an array expected for")) return false;
    f->screens = 0;
    Token token;
    while ((token = json_.Next()) == Token::kText) {
      Screen screen;
      if (!FindWord(kScreenNames, json_.text(), &screen)) return Fail("unknown screen", json_.text());
      f->screens = static_cast<uint8_t>(f->screens | 1u << static_cast<unsigned>(screen));
    }
    if (f->screens == 0) return Fail("no screen given");
    return Is(token, Token::kArrayEnd, "a text expected for each of");
  }

  bool Check() {
    if (out_.version == 0) return Fail("version is missing");
    for (size_t i = 0; i < out_.function_count; ++i) {
      const FunctionConfig& f = out_.functions[i];
      for (size_t other = 0; other < i; ++other) {
        const FunctionConfig& g = out_.functions[other];
        if (g.type == f.type && g.name.view() == f.name.view()) return FailAt(f, "another one has this name");
      }
      if (!CheckFunction(f)) return false;
    }
    return true;
  }

  bool CheckFunction(const FunctionConfig& f) {
    switch (f.type) {
      case FunctionType::kThermometer:
      case FunctionType::kCounter:
        return f.pin >= 0 || FailAt(f, "pin is missing");
      case FunctionType::kRelay:
        return (f.pin >= 0) != (f.i2c >= 0) || FailAt(f, "either pin or i2c is to be given");
      case FunctionType::kThermostat: {
        if (!f.has_sensor) return FailAt(f, "sensor is missing");
        if (f.min >= f.max || f.set_point < f.min || f.set_point > f.max) {
          return FailAt(f, "min < max, and set_point between them, expected");
        }
        const auto functions = std::span(out_.functions).first(out_.function_count);
        const bool is_there = std::any_of(functions.begin(), functions.end(), [&f](const FunctionConfig& g) {
          return g.type == FunctionType::kRelay && g.name.view() == f.relay.view();
        });
        return is_there || FailAt(f, "there is no relay of this name");
      }
      default:
        return true;
    }
  }

  JsonReader json_;
  NodeConfig& out_;
  Problem& problem_;
  std::array<char, kMaxJsonText> key_ = {};
  size_t key_size_ = 0;
};

}  // namespace

void Clear(NodeConfig* config) { new (config) NodeConfig(); }

std::string_view NameOf(FunctionType type) { return kTypes[static_cast<size_t>(type)]; }

Problem& Problem::Add(std::string_view text) {
  size_ = static_cast<uint8_t>(size_ + text.copy(text_.data() + size_, text_.size() - size_));
  return *this;
}

Problem& Problem::Add(int64_t number) {
  std::array<char, kDecimalTextSize> text;
  return Add({text.data(), FormatDecimal({number, 0}, text.data())});
}

bool ReadConfig(TextSource& text, NodeConfig* out, Problem* problem) { return Reader(text, out, problem).Read(); }

}  // namespace vesta::node
