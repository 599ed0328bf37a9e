#include "app/keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/key_import.h"
#include "hub/keys/key_check.h"
#include "hub/keys/key_desk.h"
#include "hub/sources/capture_file.h"
#include "hub/store/sqlite_reader.h"
#include "protocols/ble_advert.h"

namespace vesta::app {
namespace {

using Json = nlohmann::json;

// Frames of the archive that are looked at for a check, newest first.
constexpr size_t kArchiveFrames = 20000;
constexpr size_t kArchiveStep = 500;

int Fail(const std::string& text, int code = kExitProblems) {
  fmt::print(stderr, "vesta keys: {}\n", text);
  return code;
}

// A line of standard input; not shown when a person types it.
std::string AskForKey() {
  termios before{};
  const bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
  if (is_terminal) {
    fmt::print(stderr, "Key (32 hex digits, not shown): ");
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (is_terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return line;
}

// Where keys go and are tried: the running hub, or a data folder whose hub is stopped.
class Desk {
 public:
  virtual ~Desk() = default;
  // What there is to say of a key that was given, or why it was not.
  virtual tl::expected<std::string, std::string> Put(const std::string& id, const std::string& key,
                                                     const std::string& name) = 0;
  virtual tl::expected<void, std::string> Remove(const std::string& id) = 0;
  virtual tl::expected<Json, std::string> List() = 0;
  virtual tl::expected<Json, std::string> Check(const std::string& key, const std::string& device) = 0;
};

class RunningHub final : public Desk {
 public:
  explicit RunningHub(const std::string& url) {
    address_.url = url;
    if (const char* token = std::getenv("VESTA_TOKEN")) address_.token = token;
  }

  tl::expected<std::string, std::string> Put(const std::string& id, const std::string& key,
                                             const std::string& name) override {
    const auto answer = Ask("PUT", "/api/v1/keys/" + Encoded(id), {{"key", key}, {"name", name}});
    if (!answer) return tl::unexpected(answer.error());
    return answer->value("text", "");
  }
  tl::expected<void, std::string> Remove(const std::string& id) override {
    const auto answer = Ask("DELETE", "/api/v1/keys/" + Encoded(id), nullptr);
    if (!answer) return tl::unexpected(answer.error());
    return {};
  }
  tl::expected<Json, std::string> List() override { return Ask("GET", "/api/v1/keys", nullptr); }
  tl::expected<Json, std::string> Check(const std::string& key, const std::string& device) override {
    return Ask("POST", "/api/v1/keys/check", {{"key", key}, {"device", device}});
  }

 private:
  // The hub understands an id without colons; whatever else was typed must not become another path.
  static std::string Encoded(const std::string& id) {
    const auto parsed = hub::ParseKeyId(id);
    return parsed ? hub::FormatKeyId(*parsed) : "-";
  }

  tl::expected<Json, std::string> Ask(const std::string& method, const std::string& path, const Json& body) {
    const auto answer = AskHub(address_, method, path, body.is_null() ? "" : body.dump());
    if (!answer) {
      return tl::unexpected(answer.error() + "; --hub says where it is, --data works on the folder of a stopped one");
    }
    if (answer->status == 204) return Json::object();
    Json json = Json::parse(answer->body, nullptr, false);
    if (json.is_discarded()) return tl::unexpected(fmt::format("the hub answers with status {}", answer->status));
    if (answer->status == 401) return tl::unexpected(std::string("the hub wants a token: put it into VESTA_TOKEN"));
    if (answer->status != 200) {
      const Json error = json.contains("error") && json["error"].is_object() ? json["error"] : json;
      return tl::unexpected(error.value("message", fmt::format("the hub answers with status {}", answer->status)));
    }
    return json;
  }

  HubAddress address_;
};

// The last advert of each device.
class Adverts {
 public:
  void Add(const std::vector<uint8_t>& datagram, bool newer) {
    const auto advert = ble::ReadAdvert(datagram);
    if (!advert) return;
    if (newer) {
      last_[advert->address] = datagram;
    } else {
      last_.emplace(advert->address, datagram);
    }
  }
  std::vector<hub::HeardAdvert> Heard() const {
    std::vector<hub::HeardAdvert> heard;
    for (const auto& [address, datagram] : last_) heard.push_back({address, datagram});
    return heard;
  }

 private:
  std::map<uint64_t, std::vector<uint8_t>> last_;
};

Json CheckJson(const hub::KeyCheck& check) {
  Json json = {{"code", check.code}, {"text", check.text}, {"tried", check.tried}, {"opens", Json::array()}};
  for (const uint64_t address : check.opens) json["opens"].push_back(fmt::format("{:012x}", address));
  return json;
}

tl::expected<Json, std::string> CheckOnCapture(const KeysOptions& options, const std::string& key) {
  hub::CaptureReader reader;
  if (const auto opened = reader.Open(options.capture); !opened) return tl::unexpected(opened.error());
  Adverts adverts;
  hub::CaptureFrame frame;
  while (true) {
    const hub::CaptureReader::Result result = reader.Next(&frame);
    if (result == hub::CaptureReader::Result::kEnd) break;
    if (result == hub::CaptureReader::Result::kFrame) adverts.Add(frame.bytes, true);
  }
  return CheckJson(hub::CheckKey(key, options.device, adverts.Heard()));
}

class StoppedHub final : public Desk {
 public:
  explicit StoppedHub(const std::string& directory) : directory_(directory), desk_(directory + "/keys.json", "") {}
  ~StoppedHub() override {
    if (lock_ >= 0) close(lock_);
  }

  // "" when it may be worked on.
  std::string Open(bool to_write) {
    if (to_write) {
      lock_ = open((directory_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      if (lock_ < 0) return fmt::format("cannot write in {}", directory_);
      if (flock(lock_, LOCK_EX | LOCK_NB) != 0) return fmt::format("a hub runs on {}: leave out --data", directory_);
    }
    const auto problems = desk_.Load();
    return problems.empty() || !to_write ? "" : problems.front();
  }

  tl::expected<std::string, std::string> Put(const std::string& id, const std::string& key,
                                             const std::string& name) override {
    if (const auto done = desk_.Put(id, key, name); !done) return tl::unexpected(done.error().text);
    return Check(key, id).value_or(Json::object()).value("text", "");
  }
  tl::expected<void, std::string> Remove(const std::string& id) override {
    if (const auto done = desk_.Remove(id); !done) return tl::unexpected(done.error().text);
    return {};
  }
  tl::expected<Json, std::string> List() override {
    Json keys = Json::array();
    for (const hub::KeyEntry& entry : desk_.List()) {
      keys.push_back({{"id", FormatKeyId(entry.id)}, {"name", entry.name}, {"heard_as", nullptr}, {"origin", "given"}});
    }
    return Json{{"keys", keys}};
  }
  tl::expected<Json, std::string> Check(const std::string& key, const std::string& device) override {
    auto reader = hub::SqliteReader::Open(directory_ + "/vesta.db", "");
    if (!reader) return tl::unexpected(reader.error().text);
    Adverts adverts;
    hub::FrameId before = 0;
    for (size_t read = 0; read < kArchiveFrames;) {
      const auto frames = (*reader)->ReadFrames("", false, before, kArchiveStep);
      if (!frames) return tl::unexpected(frames.error().text);
      if (frames->empty()) break;
      for (const hub::ArchivedFrame& frame : *frames) adverts.Add(frame.bytes, false);
      read += frames->size();
      before = frames->back().id;
    }
    return CheckJson(hub::CheckKey(key, device, adverts.Heard()));
  }

 private:
  const std::string directory_;
  hub::KeyDesk desk_;
  int lock_ = -1;
};

int List(Desk& desk, const KeysOptions& options) {
  const auto answer = desk.List();
  if (!answer) return Fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", answer->dump(2));
    return kExitOk;
  }
  const Json& keys = (*answer)["keys"];
  if (keys.empty()) fmt::print("no keys\n");
  for (const Json& key : keys) {
    const std::string heard = key["heard_as"].is_string() ? "heard as " + key["heard_as"].get<std::string>() : "";
    fmt::print("{:<14} {:<24} {}{}\n", key.value("id", ""), key.value("name", ""), heard,
               key.value("origin", "") == "file" ? " (of the configured file)" : "");
  }
  return kExitOk;
}

int Check(Desk& desk, const KeysOptions& options) {
  const std::string key = options.what.empty() ? AskForKey() : options.what;
  const auto answer = options.capture.empty() ? desk.Check(key, options.device) : CheckOnCapture(options, key);
  if (!answer) return Fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", answer->dump(2));
  } else {
    fmt::print("{}\n", answer->value("text", ""));
  }
  return answer->value("code", "") == "opens" ? kExitOk : kExitProblems;
}

// The device that a key without an address is of: the only one that it opens.
std::string FindOwner(Desk& desk, const std::string& key) {
  const auto answer = desk.Check(key, "");
  if (!answer || !answer->contains("opens") || (*answer)["opens"].size() != 1) return "";
  return (*answer)["opens"][0].get<std::string>();
}

int Import(Desk& desk, const KeysOptions& options) {
  const auto import = ReadKeysToImport(options.what);
  if (!import) return Fail(import.error(), kExitCannotStart);
  size_t given = 0;
  for (const ImportedKey& key : import->keys) {
    const std::string label = key.name.empty() ? "" : fmt::format(" ({})", key.name);
    const std::string id = key.id.empty() ? FindOwner(desk, key.key) : key.id;
    if (id.empty()) {
      fmt::print("a key{} bears no radio address (on macOS the app hides them) and opens no device heard\n", label);
      continue;
    }
    if (options.dry_run) {
      fmt::print("{}{}: would be given\n", id, label);
      ++given;
      continue;
    }
    const auto put = desk.Put(id, key.key, key.name);
    fmt::print("{}{}: {}\n", id, label, put ? *put : put.error());
    given += put.has_value();
  }
  fmt::print("{} of {} keys taken over", given, import->keys.size());
  if (import->left_out > 0) fmt::print(", {} rows hold no key of 32 digits", import->left_out);
  fmt::print("\n");
  return given == import->keys.size() && given > 0 ? kExitOk : kExitProblems;
}

int Carry(Desk& desk, const KeysOptions& options) {
  if (options.action == "list") return List(desk, options);
  if (options.action == "check") return Check(desk, options);
  if (options.action == "import") return Import(desk, options);
  if (const auto id = hub::ParseKeyId(options.what); !id) return Fail(id.error(), kExitWrongUsage);
  if (options.action == "remove") {
    const auto removed = desk.Remove(options.what);
    return removed ? kExitOk : Fail(removed.error());
  }
  const auto put = desk.Put(options.what, options.key.empty() ? AskForKey() : options.key, options.name);
  if (!put) return Fail(put.error());
  fmt::print("The key is stored. {}\n", *put);
  return kExitOk;
}

}  // namespace

int RunKeys(const KeysOptions& options) {
  if (options.directory.empty()) {
    RunningHub hub(options.url);
    return Carry(hub, options);
  }
  StoppedHub folder(options.directory);
  const bool writes = options.action == "add" || options.action == "remove" || options.action == "import";
  if (const std::string error = folder.Open(writes); !error.empty()) return Fail(error, kExitCannotStart);
  return Carry(folder, options);
}

}  // namespace vesta::app
