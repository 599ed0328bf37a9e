#include "hub/config/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vesta::hub {
namespace {

constexpr size_t kKeyDigits = 32;

bool IsHex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

// Line ends that an editor or `echo` left behind.
void StripLineEnd(std::string* text) {
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
}

// What is wrong with a key, without a single digit of it.
std::string DescribeKeyFault(const std::string& key) {
  size_t digits = 0;
  size_t blanks = 0;
  size_t quotes = 0;
  size_t others = 0;
  size_t first_other = 0;
  for (size_t i = 0; i < key.size(); ++i) {
    if (IsHex(key[i])) {
      ++digits;
    } else if (std::isspace(static_cast<unsigned char>(key[i])) != 0) {
      ++blanks;
    } else if (key[i] == '"' || key[i] == '\'') {
      ++quotes;
    } else {
      if (others++ == 0) first_other = i + 1;
    }
  }
  std::string what = fmt::format("this key has {} characters: {} hex digits", key.size(), digits);
  if (blanks > 0) what += fmt::format(", {} blanks", blanks);
  if (quotes > 0) what += fmt::format(", {} quotes", quotes);
  if (others > 0) what += fmt::format(", {} that are no hex digits (the first is character {})", others, first_other);
  if (digits == 2 * kKeyDigits) what += "; that is twice as long: two keys, or hex of hex?";
  return what;
}

class OpenFile {
 public:
  explicit OpenFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string ResolvePath(const std::string& base_dir, const std::string& name) {
  if (name.empty() || name.front() == '/' || base_dir.empty()) return name;
  return base_dir + (base_dir.back() == '/' ? "" : "/") + name;
}

std::string SecretReader::Read(const JsonNode& object, const std::string& path, const std::string& key) const {
  const JsonNode* inline_text = object.Find(key);
  const JsonNode* file = object.Find(key + "_file");
  const JsonNode* variable = object.Find(key + "_env");
  if (inline_text != nullptr && inline_text->line == 0) inline_text = nullptr;  // the default, ""
  const int given = (inline_text != nullptr) + (file != nullptr) + (variable != nullptr);
  if (given > 1) {
    const JsonNode* at = variable != nullptr ? variable : file;
    Report(*at, path, fmt::format("the secret \"{}\" is given more than once", key),
           fmt::format("one of {0}, {0}_file, {0}_env", key));
    return "";
  }
  if (file != nullptr) return ReadSecretFile(*file, path + "." + key + "_file");
  if (variable != nullptr) {
    const std::optional<std::string> value = environment_(variable->text);
    if (value && !value->empty()) return *value;
    Report(*variable, path + "." + key + "_env",
           value ? "this environment variable is empty" : "this environment variable is not set", "");
    return "";
  }
  if (inline_text == nullptr) return "";
  if (text_is_public_ && !inline_text->text.empty()) {
    Report(*inline_text, path + "." + key, "every user of this computer may read this file, and so the secret in it",
           fmt::format("chmod o-r, or \"{}_file\"", key), false);
  }
  return inline_text->text;
}

std::string SecretReader::ReadSecretFile(const JsonNode& node, const std::string& path) const {
  const std::string name = ResolvePath(base_dir_, node.text);
  const OpenFile file(name.c_str());
  struct stat status {};
  if (file.fd() < 0 || fstat(file.fd(), &status) != 0) {
    Report(node, path, fmt::format("{}: {}", name, std::strerror(errno)), "a file that the hub may read");
    return "";
  }
  if (!S_ISREG(status.st_mode)) {
    Report(node, path, fmt::format("{} is not an ordinary file", name), "a file that holds the secret alone");
    return "";
  }
  std::string text(kMaxSecretBytes + 1, '\0');
  const ssize_t size = read(file.fd(), text.data(), text.size());
  if (size < 0) {
    Report(node, path, fmt::format("{}: {}", name, std::strerror(errno)), "a file that the hub may read");
    return "";
  }
  text.resize(static_cast<size_t>(size));
  StripLineEnd(&text);
  if (text.size() > kMaxSecretBytes - 1 || text.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) {
    Report(node, path, fmt::format("{} holds more than one line", name), "a file that holds the secret alone");
    return "";
  }
  if (text.empty()) {
    Report(node, path, fmt::format("{} is empty", name), "a file that holds the secret alone");
    return "";
  }
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    Report(node, path, fmt::format("every user of this computer may read or change {}", name),
           fmt::format("chmod o-rw {}", name), false);
  }
  return text;
}

std::string SecretReader::ReadHexKey(const JsonNode& object, const std::string& path, const std::string& key) const {
  const std::string text = Read(object, path, key);
  if (text.empty()) return text;
  bool good = text.size() == kKeyDigits;
  for (const char c : text) good = good && IsHex(c);
  if (good) return text;
  for (const char* suffix : {"", "_file", "_env"}) {
    const JsonNode* node = object.Find(key + suffix);
    if (node == nullptr || node->line == 0) continue;
    Report(*node, path + "." + key + suffix, DescribeKeyFault(text), "32 hex digits, nothing between them");
  }
  return "";
}

void SecretReader::Report(const JsonNode& at, const std::string& path, std::string what, std::string allowed,
                          bool fatal) const {
  ConfigProblem problem;
  problem.line = at.line;
  problem.column = at.column;
  problem.path = path;
  problem.what = std::move(what);
  problem.allowed = std::move(allowed);
  problem.fatal_for_part = fatal;
  problems_->Add(std::move(problem));
}

}  // namespace vesta::hub
