// A look at a bus for people: devices, their items with labels and values, who asks whom, frame rates, commands, and
// frames that nobody understands. Read only, valid as long as the session; times of devices are monotonic.
#pragma once

#include <string_view>

#include "protocols/can_error.h"
#include "protocols/masterbus/model.h"
#include "protocols/masterbus/traffic.h"

namespace vesta::masterbus {

// Announces come every 15 to 30 s at the slowest: three of them missed.
inline constexpr int64_t kOfflineAfter_us = 90 * kUsPerSecond;

class BusView {
 public:
  BusView(const Model& model, const Traffic& traffic, const can::BusHealth& health)
      : model_(model), traffic_(traffic), health_(health) {}

  const Model& model() const { return model_; }
  const Traffic& traffic() const { return traffic_; }
  const can::BusHealth& health() const { return health_; }

  static bool IsOnline(const BusDevice& device, int64_t now_us) {
    return device.frames + device.polls > 0 && now_us - device.last_heard_us < kOfflineAfter_us;
  }

  template <typename Visit>  // void(uint16_t at, const BusDevice&)
  void ForEachDevice(const Visit& visit) const {
    const auto count = static_cast<uint16_t>(model_.devices().size());  // bounded by the model
    for (uint16_t at = 0; at < count; ++at) {
      if (model_.device(at).used) visit(at, model_.device(at));
    }
  }
  template <typename Visit>  // void(const Item&), in the order in which they were first heard
  void ForEachItem(const BusDevice& device, const Visit& visit) const {
    for (uint16_t at = device.first_item; at != kNone; at = model_.item(at).next) visit(model_.item(at));
  }

  // Nodes that may have asked this device: a request does not name its asker, but only nodes that poll ask, and none
  // asks itself. With one of them it is plain who asks.
  template <typename Visit>  // void(uint32_t address)
  void ForEachPossibleAsker(const BusDevice& asked, const Visit& visit) const {
    ForEachDevice([&](uint16_t, const BusDevice& device) {
      if (device.polls > 0 && device.address != asked.address) visit(device.address);
    });
  }

  // As on the wire, in Latin-1 (ToUtf8 makes it text); "" when not known.
  std::string_view NameOf(uint16_t device) const {
    const Text* text = model_.DeviceText(device, kStringName);
    return text == nullptr ? std::string_view() : text->view();
  }
  std::string_view LabelOf(const Item& item) const { return TextOf(item, kHasName, item.name_id); }
  std::string_view UnitOf(const Item& item) const { return TextOf(item, kHasUnit, item.unit_id); }
  // The label of the option that the item's last value names; "" when it has none.
  std::string_view OptionOf(const Item& item) const {
    const auto index = item.seen.has_real ? ReadOption(item.seen.last) : std::nullopt;
    const Option* option = index && *index < 256 ? model_.FindOption(item, static_cast<uint8_t>(*index)) : nullptr;
    if (option == nullptr || !option->has_label) return {};
    const Text* text = model_.FindText(item.device, option->text_id);
    return text == nullptr ? std::string_view() : text->view();
  }

 private:
  std::string_view TextOf(const Item& item, ItemFact fact, uint16_t id) const {
    const Text* text = (item.known & fact) != 0 ? model_.FindText(item.device, id) : nullptr;
    return text == nullptr ? std::string_view() : text->view();
  }

  const Model& model_;
  const Traffic& traffic_;
  const can::BusHealth& health_;
};

}  // namespace vesta::masterbus
