// The configuration of a node, from a hub, a portal or a file: any bytes.
#include <algorithm>
#include <cstdlib>

#include "node/config.h"

namespace {

// Gives the text in pieces of ever other sizes, as a flash driver may.
class Pieces final : public vesta::node::TextSource {
 public:
  Pieces(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  size_t Read(uint32_t offset, std::span<uint8_t> out) override {
    if (offset >= size_) return 0;
    const size_t most = 1 + (offset * 7 + size_) % 32;
    const size_t size = std::min({out.size(), size_ - offset, most});
    std::copy_n(data_ + offset, size, out.begin());
    return size;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vesta::node::NodeConfig;
  Pieces text(data, size);
  NodeConfig config;
  vesta::node::Problem problem;
  if (!ReadConfig(text, &config, &problem)) {
    if (problem.empty()) std::abort();  // refused without a reason
    return 0;
  }
  if (config.version == 0 || config.function_count > vesta::node::kMaxFunctions) std::abort();
  for (size_t i = 0; i < config.function_count; ++i) {
    if (config.functions[i].name.empty()) std::abort();
  }
  return 0;
}
