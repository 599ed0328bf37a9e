#include "app/serial_ports.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "app/printable.h"

namespace vesta::app {
namespace {

namespace fs = std::filesystem;

// From the tty up to the USB device that has a product name.
constexpr int kLevelsToProduct = 4;

std::string FirstLine(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string ProductOf(const std::string& root, const std::string& name) {
  std::error_code failed;
  fs::path folder = fs::canonical(root + "/sys/class/tty/" + name + "/device", failed);
  for (int i = 0; !failed && i < kLevelsToProduct && !folder.empty(); ++i) {
    const std::string product = FirstLine(folder / "product");
    if (!product.empty()) return Printable(product);
    folder = folder.parent_path();
  }
  return "";
}

bool StartsWith(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

// The kernel makes ttyS0..3 on every PC; those without hardware have type 0.
bool IsRealPort(const std::string& root, const std::string& name) {
  if (StartsWith(name, "ttyUSB") || StartsWith(name, "ttyACM") || StartsWith(name, "ttyAMA")) return true;
  if (!StartsWith(name, "ttyS") || name.size() < 5 || name[4] < '0' || name[4] > '9') return false;
  const std::string type = FirstLine(root + "/sys/class/tty/" + name + "/type");
  return !type.empty() && type != "0";
}

}  // namespace

std::vector<SerialPort> FindSerialPorts(const std::string& root) {
  std::map<std::string, std::string> stable;  // by device
  std::error_code failed;
  for (fs::directory_iterator it(root + "/dev/serial/by-id", failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code dangling;
    const fs::path target = fs::canonical(it->path(), dangling);
    if (!dangling) stable[target.filename()] = it->path();
  }
  std::vector<SerialPort> ports;
  failed.clear();
  for (fs::directory_iterator it(root + "/dev", failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename();
    if (!IsRealPort(root, name)) continue;
    const auto found = stable.find(name);
    ports.push_back({found == stable.end() ? it->path().string() : found->second, it->path(), ProductOf(root, name)});
  }
  std::sort(ports.begin(), ports.end(), [](const SerialPort& a, const SerialPort& b) { return a.path < b.path; });
  return ports;
}

}  // namespace vesta::app
