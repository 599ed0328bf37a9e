#include "hub/keys/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNetworkPrefix = "network-";

std::string KeyText(const victron::Key& key) {
  std::string text;
  for (const uint8_t byte : key) text += fmt::format("{:02x}", byte);
  return text;
}

std::string ErrnoText(const std::string& path, const char* doing) {
  return fmt::format("{}: {}: {}", path, doing, std::strerror(errno));
}

// Closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

tl::expected<std::string, std::string> ReadText(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
  struct stat status {};
  if (fstat(file.fd(), &status) != 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
  if (!S_ISREG(status.st_mode)) return tl::unexpected(fmt::format("{}: this is no file", path));
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return tl::unexpected(
        fmt::format("{}: other users may read these keys, so they are not used: `chmod 600 {}`", path, path));
  }
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t size = read(file.fd(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<size_t>(size));
    if (text.size() > kMaxKeyFileBytes) return tl::unexpected(fmt::format("{}: too large for a file of keys", path));
  }
}

const std::string* FindText(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get_ptr<const std::string*>() : nullptr;
}

// What is wrong with an entry, "" when nothing is.
std::string ReadEntry(const Json& entry, bool is_network, StoredKey* stored) {
  const char* id_key = is_network ? "id" : "address";
  if (!entry.is_object()) return "this is no object";
  const std::string* id = FindText(entry, id_key);
  if (id == nullptr) return fmt::format("\"{}\" is missing", id_key);
  stored->id.is_network = is_network;
  if (is_network && !victron::ParseNetworkId(*id, &stored->id.network_id)) return "the id is not 4 hex digits";
  if (!is_network && !victron::ParseAddress(*id, &stored->id.address)) return "the address is not 12 hex digits";
  const std::string* key = FindText(entry, "key");
  if (key == nullptr) return "\"key\" is missing";
  const victron::KeyText parsed = victron::ParseKeyText(*key);
  if (parsed.result != victron::KeyTextResult::kOk) {
    std::array<char, 160> words{};
    return std::string(victron::DescribeKeyText(parsed, words));
  }
  stored->key = parsed.key;
  if (const std::string* name = FindText(entry, "name")) stored->name = name->substr(0, kMaxKeyNameBytes);
  return "";
}

void ReadList(const std::string& path, const Json& root, const char* list, bool is_network, KeyFile* file) {
  const auto found = root.find(list);
  if (found == root.end()) return;
  if (!found->is_array()) {
    file->problems.push_back(fmt::format("{}: \"{}\" is no list", path, list));
    return;
  }
  for (size_t i = 0; i < found->size(); ++i) {
    StoredKey stored;
    const std::string problem = ReadEntry((*found)[i], is_network, &stored);
    if (problem.empty()) {
      file->keys.push_back(std::move(stored));
    } else {
      file->problems.push_back(fmt::format("{}: {}[{}]: {}", path, list, i, problem));
    }
  }
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

}  // namespace

std::string FormatKeyId(const KeyId& id) {
  if (id.is_network) return fmt::format("{}{:04x}", kNetworkPrefix, id.network_id);
  return fmt::format("{:012x}", id.address);
}

tl::expected<KeyId, std::string> ParseKeyId(std::string_view text) {
  KeyId id;
  if (text.starts_with(kNetworkPrefix)) {
    id.is_network = true;
    if (victron::ParseNetworkId(text.substr(kNetworkPrefix.size()), &id.network_id)) return id;
    return tl::unexpected(std::string("a network is named by its id of 4 hex digits: network-a1b2"));
  }
  if (victron::ParseAddress(text, &id.address)) return id;
  return tl::unexpected(std::string(
      "a device is named by its address of 12 hex digits (c0:ff:ee:11:22:33), a network by network- and its id"));
}

tl::expected<KeyFile, std::string> ReadKeyFile(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return tl::unexpected(text.error());
  const Json root = Json::parse(*text, nullptr, false);
  if (root.is_discarded() || !root.is_object()) {
    return tl::unexpected(fmt::format("{}: this is no JSON object, see docs/keys.md", path));
  }
  KeyFile file;
  ReadList(path, root, "keys", false, &file);
  ReadList(path, root, "networks", true, &file);
  return file;
}

tl::expected<void, std::string> WriteKeyFile(const std::string& path, const std::vector<StoredKey>& keys) {
  Json root = {{"keys", Json::array()}, {"networks", Json::array()}};
  for (const StoredKey& stored : keys) {
    Json entry = {{"key", KeyText(stored.key)}, {"name", stored.name}};
    if (stored.id.is_network) {
      entry["id"] = fmt::format("{:04x}", stored.id.network_id);
      root["networks"].push_back(std::move(entry));
    } else {
      entry["address"] = fmt::format("{:012x}", stored.id.address);
      root["keys"].push_back(std::move(entry));
    }
  }
  // A name that is no UTF-8 must not keep the key from being stored.
  const std::string text = root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());  // of a write that was cut off; its permissions are not to be taken over
  {
    const File file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return tl::unexpected(ErrnoText(fresh, "cannot store the keys"));
    if (!WriteAll(file.fd(), text) || fsync(file.fd()) != 0) {
      return tl::unexpected(ErrnoText(fresh, "cannot store the keys"));
    }
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return tl::unexpected(ErrnoText(path, "cannot store the keys"));
  const size_t slash = path.rfind('/');
  const File folder(
      open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return tl::unexpected(ErrnoText(path, "cannot store the keys"));
  return {};
}

}  // namespace vesta::hub
