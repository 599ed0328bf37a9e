#include "hub/config/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "hub/config/json_tree.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<std::string> NothingInEnvironment(const std::string&) { return std::nullopt; }

LoadedConfig Load(std::string_view text) { return LoadConfig(text, "/etc/vesta", NothingInEnvironment); }

std::vector<std::string> Messages(const LoadedConfig& loaded) {
  std::vector<std::string> messages;
  for (const ConfigProblem& problem : loaded.problems) messages.push_back(FormatProblem("v", problem));
  return messages;
}

std::string Joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& entry : list) text += (text.empty() ? "" : " ") + entry;
  return text;
}

// All of a configuration, secrets included: a key that is forgotten on the way shows up here.
std::string ConfigText(const Config& c) {
  const StorageConfig& s = c.storage;
  const HttpConfig& h = c.http;
  std::string text =
      fmt::format("hub {} \"{}\" {} {} {}\n", c.hub_id, c.hub_name, c.site_zone, c.log_level, c.keys_file);
  text += fmt::format("storage {} {} {} {} {} {} {}\n", s.directory, s.commit_s, s.commit_readings, s.keep_days,
                      s.archive_mb, s.url, s.password.Reveal());
  text += fmt::format("http {} {} {} {} {} {} {}\n", h.enabled, h.address, h.port, h.cert_file, h.key_file,
                      h.password_hash, Joined(h.allowed_hosts));
  for (const HttpConfig::Token& t : h.tokens) text += fmt::format("token {} {} {}\n", t.name, t.hash, t.scope);
  for (const SourceConfig& o : c.sources) {
    text += fmt::format("source {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", o.name, o.type,
                        o.protocol, o.enabled, o.port, o.baud, o.framing, o.host, o.tcp_port, o.listen, o.exposed,
                        Joined(o.allow), o.silence_timeout_s, Joined(o.adapters), o.mode, o.file, o.speed, o.repeat,
                        o.original_time, o.archive, o.commit_each_frame);
    const P1Config& p = o.p1;
    text += fmt::format("p1 {} {} {} {} {} {} {} {} {} {} {} {}\n", p.zone, p.tariff_rule, p.offset_rule, p.crc,
                        p.encryption_key.Reveal(), p.authentication_key.Reveal(), p.check_tag, p.accept_missing_crc,
                        p.strip_bit7, p.repair_line_ends, p.lenient_end_mark, p.max_telegram_bytes);
  }
  for (const OutputConfig& o : c.outputs) {
    const MqttConfig& m = o.mqtt;
    text += fmt::format("output {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} ", o.name, o.type, o.enabled, m.host,
                        m.port, m.client_id, m.username, m.password.Reveal(), m.version, m.keepalive_s, m.tls,
                        m.ca_file, m.cert_file, m.key_file, m.verify_host);
    text += fmt::format("{} {} {} {} {} {} {} {} {}\n", o.base, o.history, o.send, o.interval_s, o.in_flight,
                        o.home_assistant, o.discovery_prefix, o.discovery_form, o.birth_topic);
  }
  for (const DeviceConfig& d : c.devices) text += fmt::format("device {} \"{}\" \"{}\"\n", d.key, d.name, d.place);
  return text;
}

// A folder for secret files, removed at the end.
class Folder {
 public:
  Folder() {
    char name[] = "config_test_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    files_.push_back(path_ + "/" + name);
    std::ofstream(files_.back()) << text;
    chmod(files_.back().c_str(), mode);
    return files_.back();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

TEST(LoadConfig, AnEmptyObjectIsAllDefaults) {
  const LoadedConfig loaded = Load("{}");
  EXPECT_THAT(Messages(loaded), IsEmpty());
  EXPECT_THAT(loaded.off, IsEmpty());
  EXPECT_TRUE(loaded.usable);
  EXPECT_EQ(ConfigText(loaded.config), ConfigText(Config()));
}

TEST(LoadConfig, DefaultsOfTheSchemaAreThoseOfTheStructs) {
  const LoadedConfig loaded = Load(R"({
    "sources": [{"name": "", "type": "serial", "protocol": "p1", "port": "/dev/ttyUSB0"}],
    "outputs": [{"name": "b", "type": "mqtt"}], "devices": [{"key": "d"}]})");
  EXPECT_EQ(loaded.problems.size(), 1U);  // the empty name
  Config expected;
  OutputConfig& output = expected.outputs.emplace_back();
  output.name = "b";
  output.type = "mqtt";
  expected.devices.emplace_back().key = "d";
  EXPECT_EQ(ConfigText(loaded.config), ConfigText(expected));

  const char* required[] = {R"("type": "serial", "port": "/dev/ttyUSB0")", R"("type": "tcp", "host": "h", "port": 1)",
                            R"("type": "tcp-listen", "port": 1)", R"("type": "capture", "file": "/f")"};
  for (const char* keys : required) {
    const LoadedConfig one = Load(std::string(R"({"sources": [{"name": "s", "protocol": "p1", )") + keys + "}]}");
    ASSERT_EQ(one.config.sources.size(), 1U) << testing::PrintToString(Messages(one));
    const SourceConfig& got = one.config.sources[0];
    SourceConfig plain;
    plain.name = "s";
    plain.protocol = "p1";
    plain.type = got.type;
    plain.port = got.port;
    plain.host = got.host;
    plain.tcp_port = got.tcp_port;
    plain.file = got.file;
    Config a;
    Config b;
    a.sources.push_back(got);
    b.sources.push_back(plain);
    EXPECT_EQ(ConfigText(a), ConfigText(b));
  }
}

// Every key, each with a value that is not its default.
constexpr char kFull[] = R"({
  "$schema": "vesta.schema.json",
  "hub": {"id": "boat", "name": "Böat", "zone": "Europe/Berlin", "log_level": "debug", "keys_file": "k.json"},
  "storage": {"directory": "data", "commit_s": 0.5, "commit_readings": 100, "keep_days": 30, "archive_mb": 1,
              "url": "postgresql://vesta@db.lan/home", "password": "pg"},
  "http": {"enabled": true, "address": "0.0.0.0", "port": 80, "cert_file": "/dev/null", "key_file": "/dev/zero",
           "password_hash": "$argon2id$v=19$m=16384,t=2,p=1$c2FsdA$aGFzaA",
           "tokens": [{"name": "grafana",
                       "hash": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "scope": "operate"}],
           "allowed_hosts": ["boat.local"]},
  "sources": [
    {"name": "a", "type": "serial", "protocol": "p1", "enabled": false, "port": "/dev/ttyUSB*", "baud": 9600,
     "framing": "7E1", "archive": "all", "commit_each_frame": true,
     "p1": {"zone": "Europe/Vienna", "tariff_rule": "be", "offset_rule": "calendar", "crc": "x25",
            "encryption_key": "00112233445566778899aabbccddeeff",
            "authentication_key": "FFEEDDCCBBAA99887766554433221100", "check_tag": false, "accept_missing_crc": true,
            "strip_bit7": true, "repair_line_ends": true, "lenient_end_mark": true, "max_telegram_bytes": 2048}},
    {"name": "b", "type": "tcp", "protocol": "p1", "host": "garage.local", "port": 2001, "silence_timeout_s": 30},
    {"name": "c", "type": "tcp-listen", "protocol": "p1", "listen": "::", "port": 2002, "exposed": true,
     "allow": ["192.168.1.0/24", "fe80::/10"], "silence_timeout_s": 31},
    {"name": "d", "type": "capture", "protocol": "p1", "file": "day.jsonl", "speed": 0, "repeat": true,
     "original_time": false, "archive": "none"},
    {"name": "e", "type": "udp", "protocol": "victron", "listen": "::", "port": 2003, "exposed": true,
     "allow": ["10.0.0.0/8"]},
    {"name": "f", "type": "bluetooth", "protocol": "victron", "adapters": ["hci1", "00:1A:7D:DA:71:13"],
     "mode": "passive", "archive": "all"}],
  "outputs": [{"name": "m", "type": "mqtt", "enabled": false, "host": "broker", "port": 8883, "client_id": "x",
     "username": "u", "password": "p", "version": "3.1.1", "keepalive_s": 60, "tls": true, "ca_file": "/dev/null",
     "cert_file": "/dev/null", "key_file": "/dev/zero", "verify_host": false, "base": "a/b", "history": false,
     "send": "mean", "interval_s": 60, "in_flight": 10, "home_assistant": false, "discovery_prefix": "ha",
     "discovery_form": "entity", "birth_topic": "ha/status"}],
  "devices": [{"key": "p1_e0044", "name": "Main", "place": "Cellar"}]
})";

TEST(LoadConfig, TakesEveryKey) {
  const LoadedConfig loaded = Load(kFull);
  EXPECT_THAT(Messages(loaded), IsEmpty());
  EXPECT_EQ(ConfigText(loaded.config), R"(hub boat "Böat" Europe/Berlin debug /etc/vesta/k.json
storage /etc/vesta/data 0.5 100 30 1 postgresql://vesta@db.lan/home pg
http true 0.0.0.0 80 /dev/null /dev/zero $argon2id$v=19$m=16384,t=2,p=1$c2FsdA$aGFzaA boat.local
token grafana 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef operate
source a serial p1 false /dev/ttyUSB* 9600 7E1  0 127.0.0.1 false  0  auto  1 false true all true
p1 Europe/Vienna be calendar x25 00112233445566778899aabbccddeeff FFEEDDCCBBAA99887766554433221100 false true true true true 2048
source b tcp p1 true  115200 8N1 garage.local 2001 127.0.0.1 false  30  auto  1 false true sampled false
p1 Europe/Berlin nl letter arc   true false false false false 16384
source c tcp-listen p1 true  115200 8N1  2002 :: true 192.168.1.0/24 fe80::/10 31  auto  1 false true sampled false
p1 Europe/Berlin nl letter arc   true false false false false 16384
source d capture p1 true  115200 8N1  0 127.0.0.1 false  0  auto /etc/vesta/day.jsonl 0 true false none false
p1 Europe/Berlin nl letter arc   true false false false false 16384
source e udp victron true  115200 8N1  2003 :: true 10.0.0.0/8 0  auto  1 false true sampled false
p1 Europe/Berlin nl letter arc   true false false false false 16384
source f bluetooth victron true  115200 8N1  0 127.0.0.1 false  0 hci1 00:1A:7D:DA:71:13 passive  1 false true all false
p1 Europe/Berlin nl letter arc   true false false false false 16384
output m mqtt false broker 8883 x u p 3.1.1 60 true /dev/null /dev/null /dev/zero false a/b false mean 60 10 false ha entity ha/status
device p1_e0044 "Main" "Cellar"
)");
}

TEST(LoadConfig, TheExampleIsRight) {
  const LoadedConfig loaded = LoadConfigFile(VESTA_SOURCE_DIR "/packaging/vesta.example.json");
  EXPECT_THAT(Messages(loaded), IsEmpty());
  EXPECT_EQ(loaded.config.sources.size(), 1U);
  EXPECT_EQ(loaded.config.outputs.size(), 1U);
}

TEST(LoadConfig, OneWrongSourceLeavesTheOthers) {
  const LoadedConfig loaded = Load(R"({"sources": [
    {"name": "good", "type": "serial", "protocol": "p1", "port": "/dev/ttyUSB0"},
    {"name": "bad", "type": "serial", "protocol": "p1", "port": "/dev/ttyUSB1", "baud": 9601},
    {"name": "fine", "type": "tcp", "protocol": "p1", "host": "h", "port": 23}]})");
  ASSERT_EQ(loaded.config.sources.size(), 2U);
  EXPECT_EQ(loaded.config.sources[0].name, "good");
  EXPECT_EQ(loaded.config.sources[1].name, "fine");
  EXPECT_THAT(loaded.off, ElementsAre("sources[1] (bad): left out"));
  EXPECT_TRUE(loaded.usable);
  EXPECT_EQ(loaded.problems[0].part, "sources[1]");
  EXPECT_EQ(loaded.problems[0].suggestion, "9600");
}

TEST(LoadConfig, AWrongHttpPartSwitchesThePageOffAndKeepsTheSources) {
  const LoadedConfig loaded = Load(R"({"http": {"address": "0.0.0.0"}, "sources": [
    {"name": "good", "type": "serial", "protocol": "p1", "port": "/dev/ttyUSB0"}]})");
  EXPECT_FALSE(loaded.config.http.enabled);
  EXPECT_EQ(loaded.config.http.address, "127.0.0.1");
  EXPECT_EQ(loaded.config.sources.size(), 1U);
  EXPECT_TRUE(loaded.usable);
  EXPECT_THAT(loaded.off, ElementsAre("http: no page and no API"));
}

TEST(LoadConfig, AWrongHubOrStorageStops) {
  EXPECT_FALSE(Load(R"({"hub": {"id": "My House"}})").usable);
  EXPECT_FALSE(Load(R"({"storage": {"directory": 7}})").usable);
  EXPECT_FALSE(Load(R"({"hub": {)").usable);
  EXPECT_FALSE(Load("").usable);
  EXPECT_FALSE(Load("[]").usable);
}

TEST(LoadConfig, AnUnknownKeyAtTheTopIsNamedAndIgnored) {
  const LoadedConfig loaded = Load(R"({"source": []})");
  EXPECT_TRUE(loaded.usable);
  EXPECT_THAT(loaded.off, ElementsAre("\"source\": unknown, ignored"));
  EXPECT_EQ(loaded.problems[0].suggestion, "sources");
}

TEST(LoadConfig, NamesFaultsOfAllPartsAtOnceInTheOrderOfTheText) {
  const LoadedConfig loaded = Load(R"({
  "outputs": [{"name": "m", "type": "mqtt", "prot": 1}],
  "http": {"port": 0},
  "hub": {"zone": "Europe/Amsterdm"}
})");
  EXPECT_THAT(Messages(loaded),
              ElementsAre(HasSubstr("v:2:45: outputs[0]: unknown key \"prot\"; did you mean port?"),
                          HasSubstr("v:3:20: http.port: 0 is too small (allowed: a whole number from 1 to 65535)"),
                          HasSubstr("v:4:19: hub.zone: \"Europe/Amsterdm\" is not one of the allowed values; did you "
                                    "mean Europe/Amsterdam?")));
}

TEST(LoadConfig, ManyFaultsAreCounted) {
  std::string text = R"({"devices": [)";
  for (int i = 0; i < 300; ++i) text += R"({"key": "A"},)";
  text.back() = ']';
  const LoadedConfig loaded = Load(text + "}");
  EXPECT_EQ(loaded.problems.size(), kMaxProblems + 1);
  EXPECT_EQ(loaded.problems.back().what, "100 more faults; correct these first");
  EXPECT_EQ(loaded.off.size(), 300U);
  EXPECT_TRUE(loaded.usable);
}

TEST(LoadConfig, SecretsComeFromFilesAndTheEnvironment) {
  Folder folder;
  folder.Write("mqtt", "from file\n");
  const auto environment = [](const std::string& name) {
    return name == "KEY" ? std::optional<std::string>("00112233445566778899AABBCCDDEEFF") : std::nullopt;
  };
  const LoadedConfig loaded = LoadConfig(R"({
    "sources": [{"name": "s", "type": "serial", "protocol": "p1", "port": "/dev/a", "p1": {"encryption_key_env": "KEY"}}],
    "outputs": [{"name": "m", "type": "mqtt", "username": "u", "password_file": "mqtt"}]})",
                                         folder.path(), environment);
  EXPECT_THAT(Messages(loaded), IsEmpty());
  EXPECT_EQ(loaded.config.outputs[0].mqtt.password.Reveal(), "from file");
  EXPECT_EQ(loaded.config.sources[0].p1.encryption_key.Reveal(), "00112233445566778899AABBCCDDEEFF");
}

TEST(LoadConfig, ASecretThatCannotBeHadPutsItsPartOff) {
  Folder folder;
  folder.Write("empty", "\n");
  folder.Write("long", "two\nlines\n");
  const auto load = [&](const std::string& keys) {
    return LoadConfig("{\"outputs\": [{\"name\": \"m\", \"type\": \"mqtt\", \"username\": \"u\",\n" + keys + "}]}",
                      folder.path(), NothingInEnvironment);
  };
  const auto only_message = [&](const std::string& keys) {
    const LoadedConfig loaded = load(keys);
    EXPECT_THAT(loaded.config.outputs, testing::SizeIs(0));
    EXPECT_EQ(loaded.problems.size(), 1U);
    return Messages(loaded)[0];
  };
  EXPECT_EQ(only_message(R"("password_file": "nothing")"),
            "v:2:18: outputs[0].password_file: " + folder.path() +
                "/nothing: No such file or directory (allowed: a file that the hub may read)");
  EXPECT_THAT(only_message(R"("password_file": "empty")"), HasSubstr("/empty is empty"));
  EXPECT_THAT(only_message(R"("password_file": "long")"), HasSubstr("holds more than one line"));
  EXPECT_THAT(only_message(R"("password_file": ".")"), HasSubstr("is not an ordinary file"));
  EXPECT_THAT(only_message(R"("password_env": "NOT_SET")"),
              HasSubstr("v:2:17: outputs[0].password_env: this environment variable is not set"));
  EXPECT_THAT(only_message(R"("password": "a", "password_env": "B")"),
              HasSubstr("the secret \"password\" is given more than once (allowed: one of password, password_file, "
                        "password_env)"));
}

TEST(LoadConfig, SecretsThatEveryoneCanReadAreAWarning) {
  Folder folder;
  folder.Write("mqtt", "secret", 0644);
  const LoadedConfig loaded = LoadConfig(
      R"({"outputs": [{"name": "m", "type": "mqtt", "username": "u", "password_file": "mqtt"}]})", folder.path());
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_FALSE(loaded.problems[0].fatal_for_part);
  EXPECT_EQ(loaded.config.outputs.size(), 1U);
  EXPECT_THAT(loaded.off, IsEmpty());

  const char* text = R"({"outputs": [{"name": "m", "type": "mqtt", "username": "u", "password": "hush"}]})";
  const LoadedConfig open_file = LoadConfigFile(folder.Write("open.json", text, 0644));
  EXPECT_THAT(Messages(open_file), ElementsAre(HasSubstr("warning: outputs[0].password: every user")));
  EXPECT_THAT(Messages(LoadConfigFile(folder.Write("closed.json", text, 0600))), IsEmpty());
}

TEST(LoadConfig, AFileThatCannotBeReadIsAProblem) {
  const LoadedConfig loaded = LoadConfigFile("/nowhere/vesta.json");
  EXPECT_FALSE(loaded.usable);
  EXPECT_THAT(Messages(loaded), ElementsAre("v: cannot read this file: No such file or directory"));
  EXPECT_FALSE(LoadConfigFile(".").usable);
}

TEST(LoadConfig, NoMessageRepeatsASecret) {
  constexpr char kSecret[] = "hunter2hunter2";
  const char* texts[] = {
      R"({"storage": {"url": "postgresql://vesta:hunter2hunter2@db/home"}})",
      R"({"storage": {"url": "postgresql://vesta@db/home?password=hunter2hunter2"}})",
      R"({"storage": {"url": "mysql://vesta:hunter2hunter2@db/home"}})",
      R"({"storage": {"password": "hunter2hunter2", "pasword": "hunter2hunter2"}})",
      R"({"http": {"password_hash": "hunter2hunter2"}})",
      R"({"http": {"password_hash_env": "hunter2hunter2!"}})",
      R"({"http": {"password": "hunter2hunter2"}})",
      R"({"http": {"tokens": [{"name": "a", "hash": "hunter2hunter2"}]}})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "password": ["hunter2hunter2"]}]})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "password": 'hunter2hunter2'}]})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "password": hunter2hunter2}]})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "password": "hunter2hunter2}]})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "password": "hunter2hunter2"}]})",
      R"({"outputs": [{"name": "m", "type": "mqtt", "pasword": "hunter2hunter2"}]})",
      R"({"sources": [{"name": "m", "type": "serial", "protocol": "p1", "port": "/dev/a",
          "p1": {"encryption_key": "hunter2hunter2"}}]})",
  };
  for (const char* text : texts) {
    const LoadedConfig loaded = Load(text);
    EXPECT_THAT(loaded.problems, Not(IsEmpty())) << text;
    for (const std::string& message : Messages(loaded)) EXPECT_THAT(message, Not(HasSubstr(kSecret)));
    for (const std::string& off : loaded.off) EXPECT_THAT(off, Not(HasSubstr(kSecret)));
  }
}

TEST(LoadConfig, EveryCutOfAGoodTextIsSurvived) {
  const std::string full = kFull;
  for (size_t size = 0; size < full.size(); ++size) {
    const LoadedConfig loaded = Load(full.substr(0, size));
    EXPECT_FALSE(loaded.usable);
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_GT(loaded.problems[0].line, 0);
  }
}

TEST(LoadConfig, HostileTextsAreSurvived) {
  EXPECT_FALSE(Load(std::string(100000, '[')).usable);
  EXPECT_FALSE(Load(std::string(kMaxConfigBytes + 1, ' ')).usable);
  EXPECT_FALSE(Load(std::string("{\"a\0\": 1}", 9)).usable);
  EXPECT_FALSE(Load("{\"hub\": {\"name\": \"\xFF\"}}").usable);
  EXPECT_FALSE(Load("{\"hub\": {\"id\": \"" + std::string(900000, 'a') + "\"}}").usable);
  EXPECT_FALSE(Load("{\"storage\": {\"commit_s\": 1e999}}").usable);
  EXPECT_FALSE(Load("{\"storage\": {\"keep_days\": 99999999999999999999999}}").usable);
  std::string keys = "{";
  for (int i = 0; i < 20000; ++i) keys += "\"k" + std::to_string(i) + "\": 0,";
  keys.back() = '}';
  EXPECT_TRUE(Load(keys).usable);
}

}  // namespace
}  // namespace vesta::hub
