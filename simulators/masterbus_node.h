// One simulated device on a MasterBus: announces itself, and answers what it is asked of itself, its groups, items and
// texts as the captured devices do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocols/can_frame.h"
#include "protocols/masterbus/frame.h"
#include "protocols/masterbus/value.h"

namespace vesta::simulators {

struct MasterBusItem {
  uint16_t number = 0;
  std::string label;  // Latin-1
  std::string unit;   // Latin-1; "" = none
  masterbus::Presentation presentation = masterbus::Presentation::kNumber;
  float minimum = 0;
  float maximum = 0;
  float step = 1;
  std::vector<std::string> options;  // "" = no label
  std::function<float()> value;
};

class MasterBusNode {
 public:
  MasterBusNode(uint8_t type, uint32_t unique_id, std::string name, std::string article, std::string serial,
                std::vector<std::vector<MasterBusItem>> groups);

  uint32_t address() const { return address_; }
  const std::vector<std::vector<MasterBusItem>>& groups() const { return groups_; }

  can::Frame Announce() const;
  can::Frame Poll() const;
  // What it answers, an answer without a value included; none when the frame is no question to it.
  std::optional<can::Frame> Answer(const masterbus::Frame& question) const;
  // Something of it changed: the counter of its announces grows.
  void Changed() { ++counter_; }

 private:
  struct Text {
    uint16_t id;
    std::string latin1;
  };
  uint16_t TextId(const std::string& text);
  const MasterBusItem* Find(uint16_t number) const;
  std::optional<can::Frame> AnswerProperty(const masterbus::Frame& question) const;
  std::optional<can::Frame> AnswerItem(const masterbus::Frame& question) const;
  std::optional<can::Frame> AnswerGroup(const masterbus::Frame& question) const;
  can::Frame Make(uint8_t kind, std::initializer_list<uint32_t> bytes) const;

  uint32_t address_;
  std::vector<std::vector<MasterBusItem>> groups_;
  std::vector<std::string> texts_;  // by id
  uint16_t name_id_;
  uint16_t article_id_;
  uint16_t serial_id_;
  uint8_t counter_ = 0;
};

}  // namespace vesta::simulators
