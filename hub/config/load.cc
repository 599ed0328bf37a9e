#include "hub/config/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "hub/audit/sha256.h"
#include "hub/config/check.h"
#include "hub/config/fill.h"
#include "hub/config/rules.h"
#include "hub/config/secrets.h"

namespace vesta::hub {
namespace {

const JsonNode& MemberOrEmpty(const JsonNode& object, const char* key) {
  static const JsonNode empty;
  const JsonNode* found = object.Find(key);
  return found != nullptr ? *found : empty;
}

class Loader {
 public:
  Loader(const std::string& base_dir, const EnvironmentLookup& environment, bool text_is_public)
      : base_dir_(base_dir), secrets_(base_dir, environment, text_is_public, &problems_), rules_(&problems_) {}

  LoadedConfig Load(std::string_view text) {
    JsonNode root;
    if (ParseJsonTree(text, &root, &problems_)) {
      CheckAndComplete(&root, &problems_);
      if (root.is_object()) LoadParts(root);
    }
    FinishOff();
    result_.problems = problems_.Take();
    return std::move(result_);
  }

 private:
  void LoadParts(const JsonNode& root) {
    if (!problems_.IsOff("hub")) {
      FillHub(MemberOrEmpty(root, "hub"), &result_.config);
      Resolve(&result_.config.keys_file);
    }
    if (!problems_.IsOff("storage")) {
      LoadStorage(MemberOrEmpty(root, "storage"), &result_.config.storage);
    }
    LoadHttp(MemberOrEmpty(root, "http"));
    LoadEach(root, "sources", &result_.config.sources, &Loader::LoadSource);
    LoadEach(root, "outputs", &result_.config.outputs, &Loader::LoadOutput);
    LoadEach(root, "merged", &result_.config.merged, &Loader::LoadMerged);
    LoadEach(root, "devices", &result_.config.devices, &Loader::LoadDevice);
  }

  void LoadStorage(const JsonNode& node, StorageConfig* storage) {
    FillStorage(node, storage);
    storage->password = Secret(secrets_.Read(node, "storage", "password"));
    Resolve(&storage->directory);
    rules_.CheckStorage(node, *storage);
  }

  void LoadHttp(const JsonNode& node) {
    HttpConfig http;
    if (!problems_.IsOff("http")) {
      FillHttp(node, &http);
      http.password_hash = secrets_.Read(node, "http", "password_hash");
      Resolve(&http.cert_file);
      Resolve(&http.key_file);
      if (!problems_.IsOff("http")) rules_.CheckHttp(node, http);
    }
    if (problems_.IsOff("http")) {
      http = HttpConfig();
      http.enabled = false;
      Off("http", "", "no page and no API");
    }
    result_.config.http = std::move(http);
  }

  SourceConfig LoadSource(const JsonNode& node, const std::string& path) {
    SourceConfig source;
    FillSource(node, result_.config.site_zone, &source);
    Resolve(&source.file);
    Resolve(&source.medibus.table_file);
    if (const JsonNode* p1 = node.Find("p1")) {
      source.p1.encryption_key = Secret(secrets_.ReadHexKey(*p1, path + ".p1", "encryption_key"));
      source.p1.authentication_key = Secret(secrets_.ReadHexKey(*p1, path + ".p1", "authentication_key"));
    }
    if (source.type == "mqtt") LoadBroker(node, path, &source.mqtt);
    rules_.CheckSource(node, path, source);
    return source;
  }

  OutputConfig LoadOutput(const JsonNode& node, const std::string& path) {
    OutputConfig output;
    FillOutput(node, &output);
    LoadBroker(node, path, &output.mqtt);
    if (!problems_.IsOff(path)) rules_.CheckOutput(node, path, output);
    return output;
  }

  void LoadBroker(const JsonNode& node, const std::string& path, MqttConfig* mqtt) {
    mqtt->password = Secret(secrets_.Read(node, path, "password"));
    Resolve(&mqtt->ca_file);
    Resolve(&mqtt->cert_file);
    Resolve(&mqtt->key_file);
  }

  MergedConfig LoadMerged(const JsonNode& node, const std::string& path) {
    MergedConfig merged;
    FillMerged(node, &merged);
    rules_.CheckMerged(node, path, merged);
    return merged;
  }

  DeviceConfig LoadDevice(const JsonNode& node, const std::string& path) {
    DeviceConfig device;
    FillDevice(node, &device);
    rules_.CheckDevice(node, path, device);
    return device;
  }

  template <typename Part>
  void LoadEach(const JsonNode& root, const std::string& list, std::vector<Part>* out,
                Part (Loader::*load)(const JsonNode&, const std::string&)) {
    if (problems_.IsOff(list)) return Off(list, "", "all of them are left out");
    const JsonNode& items = MemberOrEmpty(root, list.c_str());
    for (size_t i = 0; i < items.items.size(); ++i) {
      const JsonNode& node = items.items[i];
      const std::string path = fmt::format("{}[{}]", list, i);
      Part part;
      if (!problems_.IsOff(path)) part = (this->*load)(node, path);
      if (problems_.IsOff(path)) {
        Off(path, NameOf(node), "left out");
      } else {
        out->push_back(std::move(part));
      }
    }
  }

  // Only a name that looks like one is repeated.
  static std::string NameOf(const JsonNode& node) {
    for (const char* key : {"name", "key"}) {
      const JsonNode* name = node.Find(key);
      constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_-";
      if (name == nullptr || !name->is_text() || name->text.empty() || name->text.size() > 64) continue;
      if (name->text.find_first_not_of(kNameCharacters) == std::string::npos) return name->text;
    }
    return "";
  }

  void Off(const std::string& part, const std::string& name, const char* what) {
    result_.off.push_back(name.empty() ? fmt::format("{}: {}", part, what)
                                       : fmt::format("{} ({}): {}", part, name, what));
  }

  // What is off beyond the parts that LoadParts has named.
  void FinishOff() {
    for (const char* part : {"", "hub", "storage"}) {
      if (!problems_.IsOff(part)) continue;
      result_.usable = false;
      Off(*part == '\0' ? "configuration" : part, "", "wrong, the hub does not start");
    }
    for (const std::string& part : problems_.off()) {
      if (!part.empty() && part.front() == '"') Off(part, "", "unknown, ignored");
    }
  }

  void Resolve(std::string* name) const { *name = ResolvePath(base_dir_, *name); }

  std::string base_dir_;
  LoadedConfig result_;
  ProblemList problems_;
  SecretReader secrets_;
  Rules rules_;
};

struct FileText {
  std::string text;
  bool is_public = false;
  int error = 0;  // errno
};

FileText ReadConfigText(const std::string& path) {
  FileText file;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) {
    file.error = errno;
    if (fd >= 0) close(fd);
    return file;
  }
  file.is_public = (status.st_mode & S_IROTH) != 0;
  std::array<char, 16384> chunk{};
  while (file.text.size() <= kMaxConfigBytes) {
    const ssize_t size = read(fd, chunk.data(), chunk.size());
    if (size == 0) break;
    if (size < 0) {
      if (errno == EINTR) continue;
      file.error = errno;
      break;
    }
    file.text.append(chunk.data(), static_cast<size_t>(size));
  }
  close(fd);
  return file;
}

}  // namespace

std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

LoadedConfig LoadConfig(std::string_view text, const std::string& base_dir, const EnvironmentLookup& environment) {
  return Loader(base_dir, environment, false).Load(text);
}

LoadedConfig LoadConfigFile(const std::string& path) {
  const FileText file = ReadConfigText(path);
  if (file.error != 0) {
    LoadedConfig result;
    result.usable = false;
    result.problems.emplace_back().what = fmt::format("cannot read this file: {}", std::strerror(file.error));
    result.off.emplace_back("configuration: wrong, the hub does not start");
    return result;
  }
  const size_t slash = path.rfind('/');
  const std::string base_dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  LoadedConfig result = Loader(base_dir, ReadEnvironment, file.is_public).Load(file.text);
  result.config.file = path;
  result.config.file_sha256 = Sha256Hex(file.text);
  return result;
}

}  // namespace vesta::hub
