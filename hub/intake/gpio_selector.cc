#include "hub/intake/gpio_selector.h"

#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#ifdef VESTA_HAS_GPIOD
#include <gpiod.h>
#endif

namespace vesta::hub {
namespace {

constexpr size_t kMaxLines = 4;  // the schema's

#ifdef VESTA_HAS_GPIOD

class GpioSelector final : public vedirect::Selector {
 public:
  explicit GpioSelector(const VedirectSelectConfig& config) : config_(config) {}
  ~GpioSelector() override { Release(); }

  bool Select(uint32_t channel) override {
    std::array<int, kMaxLines> values{};
    for (size_t i = 0; i < config_.lines.size(); ++i) values[i] = static_cast<int>(channel >> i & 1);
    if (chip_ != nullptr) {
      if (gpiod_line_set_value_bulk(&lines_, values.data()) == 0) return true;
      Complain("can't set");
      Release();
      return false;
    }
    chip_ = gpiod_chip_open(config_.chip.c_str());
    if (chip_ == nullptr) return Complain("can't open");
    std::array<unsigned, kMaxLines> numbers{};
    for (size_t i = 0; i < config_.lines.size(); ++i) numbers[i] = config_.lines[i];
    gpiod_line_bulk_init(&lines_);
    const auto count = static_cast<unsigned>(config_.lines.size());
    if (gpiod_chip_get_lines(chip_, numbers.data(), count, &lines_) == 0 &&
        gpiod_line_request_bulk_output(&lines_, "vesta", values.data()) == 0) {
      complained_.clear();
      return true;
    }
    Complain("can't take the lines of");
    Release();
    return false;
  }

 private:
  // The same complaint each visit is one line in the log.
  bool Complain(const char* what) {
    const std::string text = fmt::format("{} {}: {}", what, config_.chip, std::strerror(errno));
    if (text != complained_) spdlog::warn("multiplexer: {}", text);
    complained_ = text;
    return false;
  }
  void Release() {
    // Closing the chip gives its lines back.
    if (chip_ != nullptr) gpiod_chip_close(chip_);
    chip_ = nullptr;
  }

  const VedirectSelectConfig config_;
  gpiod_chip* chip_ = nullptr;
  gpiod_line_bulk lines_ = {};
  std::string complained_;
};

#else

class GpioSelector final : public vedirect::Selector {
 public:
  explicit GpioSelector(const VedirectSelectConfig& config) {
    spdlog::error("multiplexer: {} cannot be used: this program was built without libgpiod", config.chip);
  }
  bool Select(uint32_t) override { return false; }
};

#endif

}  // namespace

std::unique_ptr<vedirect::Selector> MakeGpioSelector(const VedirectSelectConfig& config) {
  return std::make_unique<GpioSelector>(config);
}

}  // namespace vesta::hub
