// The node's own page: any bytes, in any pieces, are answered within bounds, and nothing is written before the password
// was right. The first byte is the size of the pieces.
#include <cstdlib>
#include <string>

#include "node/portal.h"

namespace {

using namespace vesta::node;

class Host final : public PortalHost {
 public:
  const NodeStatus& portal_status() override { return status_; }
  size_t ReadConfigurationText(uint32_t offset, std::span<uint8_t> out) override {
    return TextView("{\"version\":1}").Read(offset, out);
  }
  Settings ReadBoardSettings() override { return {}; }
  bool WriteBoardSettings(const Settings&) override { return Written(); }
  bool BeginConfigurationText() override {
    size_ = 0;
    return Written();
  }
  bool WriteConfigurationText(uint32_t offset, std::span<const uint8_t> bytes) override {
    if (offset != size_) std::abort();
    size_ += static_cast<uint32_t>(bytes.size());
    return size_ <= 4096 && Written();
  }
  bool EndConfigurationText(uint32_t size, Problem* problem) override {
    if (size != size_) std::abort();
    problem->Add("<no>");
    return false;
  }
  bool has_password = false;

 private:
  bool Written() const {
    if (!has_password) std::abort();
    return true;
  }
  NodeStatus status_;
  uint32_t size_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = data[0] % 64 + 1u;
  const std::string request(reinterpret_cast<const char*>(data) + 1, size - 1);
  Portal portal("12345678");
  Host host;
  // Escapes may hide it, so a request with one is not judged.
  host.has_password = request.find("12345678") != std::string::npos || request.find('%') != std::string::npos;
  portal.Open(0);
  for (size_t at = 0; at < request.size(); at += piece) {
    const std::string part = request.substr(at, piece);
    portal.Receive({reinterpret_cast<const uint8_t*>(part.data()), part.size()}, 0, host);
  }
  size_t total = 0;
  for (std::span<const uint8_t> out; !(out = portal.Transmit(host)).empty(); portal.Transmitted(out.size())) {
    total += out.size();
    if (total > 65536) std::abort();
  }
  return 0;
}
