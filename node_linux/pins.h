// Pins by the kernel's sysfs folder, 1-Wire thermometers by the kernel's w1 folder, and a display that is a file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "node/one_wire_responder.h"
#include "node/ports/display.h"
#include "node/ports/gpio.h"

namespace vesta::node_linux {

// FOLDER/gpioN/{direction,value}; a pin that is not there is exported. Edges are found by looking, each time the
// program looks (some 100 ms): for a pulse that is shorter a microcontroller is the better node.
class SysfsPins final : public node::Gpio {
 public:
  explicit SysfsPins(std::string folder) : folder_(std::move(folder)) {}
  bool Configure(int pin, Mode mode) override;
  void Write(int pin, bool level) override;
  bool Read(int pin) override;
  bool Watch(int pin) override;
  bool NextEdge(int pin, node::Edge* out) override;
  uint32_t LostEdges(int /*pin*/) override { return 0; }
  uint32_t EdgesDuringSleep(int /*pin*/) override { return 0; }
  void SetNow(int64_t now_us) { now_us_ = now_us; }

 private:
  std::string FileOf(int pin, const char* name) const;
  const std::string folder_;
  int64_t now_us_ = 0;
  std::map<int, bool> watched_;
};

// FOLDER/28-XXXXXXXXXXXX/w1_slave holds the scratchpad. The kernel converts when the file is read.
class KernelOneWire final : public node::OneWireResponder {
 public:
  explicit KernelOneWire(std::string folder) : folder_(std::move(folder)) {}

 private:
  std::span<const node::SensorId> Sensors(int pin) override;
  void Convert(int /*pin*/) override {}
  bool Read(const node::SensorId& id, node::Scratchpad* out) override;

  const std::string folder_;
  std::vector<node::SensorId> sensors_;
};

// NAME.pbm: a picture; any other name: text with two rows of dots a line. Written anew when something changed.
class DisplayFile final : public node::Display {
 public:
  explicit DisplayFile(std::string path) : path_(std::move(path)) {}
  bool Show(const node::DisplayDots& dots) override;

 private:
  const std::string path_;
  node::DisplayDots last_ = {};
  bool is_written_ = false;
};

std::string DotsAsText(const node::DisplayDots& dots);

}  // namespace vesta::node_linux
