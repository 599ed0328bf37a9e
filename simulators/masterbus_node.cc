#include "simulators/masterbus_node.h"

#include <algorithm>
#include <cstring>

namespace vesta::simulators {
namespace {

using masterbus::Frame;
using masterbus::Menu;
using masterbus::Role;

// The first ids are left free: 0 means "none" for units.
constexpr uint16_t kFirstTextId = 16;
constexpr size_t kSegment = 4;

uint32_t Bits(float real) {
  uint32_t bits = 0;
  std::memcpy(&bits, &real, sizeof bits);
  return bits;
}

}  // namespace

MasterBusNode::MasterBusNode(uint8_t type, uint32_t unique_id, std::string name, std::string article,
                             std::string serial, std::vector<std::vector<MasterBusItem>> groups)
    : address_(static_cast<uint32_t>(type) << masterbus::kTypeShift | unique_id),
      groups_(std::move(groups)),
      texts_(kFirstTextId) {
  name_id_ = TextId(name);
  article_id_ = TextId(article);
  serial_id_ = TextId(serial);
  for (const auto& group : groups_) {
    for (const MasterBusItem& item : group) {
      TextId(item.label);
      if (!item.unit.empty()) TextId(item.unit);
      for (const std::string& option : item.options) TextId(option);
    }
  }
}

uint16_t MasterBusNode::TextId(const std::string& text) {
  const auto found = std::find(texts_.begin() + kFirstTextId, texts_.end(), text);
  if (found == texts_.end()) {
    texts_.push_back(text);
    return static_cast<uint16_t>(texts_.size() - 1);
  }
  return static_cast<uint16_t>(found - texts_.begin());
}

can::Frame MasterBusNode::Make(uint8_t kind, std::initializer_list<uint32_t> bytes) const {
  can::Frame frame;
  frame.is_extended = true;
  frame.id = static_cast<uint32_t>(kind) << masterbus::kKindShift | address_;
  for (const uint32_t byte : bytes) frame.data[frame.size++] = static_cast<uint8_t>(byte);
  return frame;
}

can::Frame MasterBusNode::Announce() const {
  const uint32_t uid = address_ & masterbus::kUniqueIdMask;
  return Make(0x08, {address_ >> masterbus::kTypeShift, uid, uid >> 8, uid >> 16, counter_, 1, 0, 0});
}

can::Frame MasterBusNode::Poll() const { return Make(0x0A, {}); }

const MasterBusItem* MasterBusNode::Find(uint16_t number) const {
  for (const auto& group : groups_) {
    for (const MasterBusItem& item : group) {
      if (item.number == number) return &item;
    }
  }
  return nullptr;
}

std::optional<can::Frame> MasterBusNode::Answer(const Frame& question) const {
  if (question.address != address_) return std::nullopt;
  switch (question.role) {
    case Role::kPropertyRequest:
      return AnswerProperty(question);
    case Role::kItemMetaRequest:
      return question.menu == Menu::kMonitoring ? AnswerItem(question) : std::nullopt;
    case Role::kGroupMetaRequest:
      return question.menu == Menu::kMonitoring ? AnswerGroup(question) : std::nullopt;
    case Role::kValueRequest:
    case Role::kValueWrite: {
      if (question.menu != Menu::kMonitoring) return std::nullopt;
      const MasterBusItem* item = Find(question.number);
      const uint32_t low = question.number;
      const uint32_t high = question.number >> 8;
      if (item == nullptr || !item->value) return Make(0x20, {low, high});
      const uint32_t bits = Bits(item->value());
      return Make(0x10, {low, high, bits, bits >> 8, bits >> 16, bits >> 24});
    }
    default:
      return std::nullopt;
  }
}

std::optional<can::Frame> MasterBusNode::AnswerProperty(const Frame& question) const {
  constexpr uint8_t kReply = 0x0C;
  constexpr uint8_t kNo = 0x0D;
  if (question.op == masterbus::kPropertyString) {
    const uint32_t low = question.number;
    const uint32_t high = question.number >> 8;
    if (question.number >= texts_.size()) return Make(kNo, {question.op, low, high, question.selector});
    can::Frame frame = Make(kReply, {question.op, low, high, question.selector});
    const std::string& text = texts_[question.number];
    const size_t from = std::min(text.size(), kSegment * question.selector);
    for (const char c : text.substr(from, kSegment)) frame.data[frame.size++] = static_cast<uint8_t>(c);
    if (frame.size < 4 + kSegment) frame.data[frame.size++] = 0;
    return frame;
  }
  uint32_t value = 0;
  bool known = true;
  if (question.op == masterbus::kPropertyStringId && question.selector == masterbus::kStringName) {
    value = name_id_;
  } else if (question.op == masterbus::kPropertyStringId && question.selector == masterbus::kStringArticle) {
    value = article_id_;
  } else if (question.op == masterbus::kPropertyStringId && question.selector == masterbus::kStringSerial) {
    value = serial_id_;
  } else if (question.op == masterbus::kPropertyInfo && question.selector == masterbus::kInfoMonitoringGroups) {
    value = static_cast<uint32_t>(groups_.size());
  } else {
    known = false;
  }
  if (!known) return Make(kNo, {question.op, question.selector});
  return Make(kReply, {question.op, question.selector, value, value >> 8});
}

std::optional<can::Frame> MasterBusNode::AnswerItem(const Frame& question) const {
  constexpr uint8_t kReply = 0x11;
  constexpr uint8_t kNo = 0x21;
  const uint32_t low = question.number;
  const uint32_t high = question.number >> 8;
  const MasterBusItem* item = Find(question.number);
  const auto no = [&] { return Make(kNo, {question.op, low, high, question.index}); };
  const auto word = [&](uint32_t value) {
    return Make(kReply, {question.op, low, high, question.index, value, value >> 8});
  };
  const auto real = [&](float value) {
    const uint32_t bits = Bits(value);
    return Make(kReply, {question.op, low, high, 0, bits, bits >> 8, bits >> 16, bits >> 24});
  };
  const auto text = [&](const std::string& latin1) {
    return word(static_cast<uint32_t>(std::find(texts_.begin(), texts_.end(), latin1) - texts_.begin()));
  };
  if (item == nullptr) return no();
  switch (question.op) {
    case masterbus::kOpPresentation:
      return word(static_cast<uint32_t>(item->presentation));
    case masterbus::kOpMinimum:
      return real(item->minimum);
    case masterbus::kOpMaximumOrCount:
      return real(item->options.empty() ? item->maximum : static_cast<float>(item->options.size()));
    case masterbus::kOpStep:
      return real(item->step);
    case masterbus::kOpWritable:
      return word(0);
    case masterbus::kOpName:
      return text(item->label);
    case masterbus::kOpUnit:
      return item->unit.empty() ? no() : text(item->unit);
    case masterbus::kOpOptionLabel:
      if (question.index >= item->options.size() || item->options[question.index].empty()) return no();
      return text(item->options[question.index]);
    default:
      return no();
  }
}

std::optional<can::Frame> MasterBusNode::AnswerGroup(const Frame& question) const {
  constexpr uint8_t kReply = 0x12;
  constexpr uint8_t kNo = 0x22;
  const uint32_t low = question.number;
  const uint32_t high = question.number >> 8;
  const bool known = question.number < groups_.size();
  if (known && question.op == masterbus::kOpMaximumOrCount) {
    const uint32_t bits = Bits(static_cast<float>(groups_[question.number].size()));
    return Make(kReply, {question.op, low, high, 0, bits, bits >> 8, bits >> 16, bits >> 24});
  }
  if (known && question.op == masterbus::kOpItemAt && question.index < groups_[question.number].size()) {
    const uint32_t item = groups_[question.number][question.index].number;
    return Make(kReply, {question.op, low, high, question.index, item, item >> 8});
  }
  return Make(kNo, {question.op, low, high, question.index});
}

}  // namespace vesta::simulators
