#include "hub/intake/bus_state.h"

#include <fmt/format.h>

#include "protocols/masterbus/session.h"

namespace vesta::hub {
namespace {

std::string Utf8(std::string_view latin1) {
  std::string text(2 * latin1.size(), '\0');
  text.resize(masterbus::ToUtf8(latin1, text.data()));
  return text;
}

std::optional<double> Finite(float real) {
  if (!masterbus::IsAvailable(real)) return std::nullopt;
  return static_cast<double>(real);
}

std::string MeaningOf(const masterbus::BusView& view, const masterbus::Item& item) {
  if (!item.seen.has_real) return {};
  const float real = item.seen.last;
  switch (masterbus::FormOf(view.model(), item)) {
    case masterbus::Form::kState:
      return Utf8(view.OptionOf(item));
    case masterbus::Form::kFlag:
      return real != 0 ? "on" : "off";
    case masterbus::Form::kDate: {
      const auto date = masterbus::ReadDate(real);
      return date ? fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day) : "";
    }
    case masterbus::Form::kClock:
    case masterbus::Form::kDuration: {
      const auto time = masterbus::ReadDuration(real);
      if (!time) return {};
      const std::string clock = fmt::format("{:02}:{:02}:{:02}", time->hour, time->minute, time->second);
      return time->days == 0 ? clock : fmt::format("{} d {}", time->days, clock);
    }
    case masterbus::Form::kText: {
      const auto id = masterbus::ReadOption(real);
      const masterbus::Text* text = id ? view.model().FindText(item.device, *id) : nullptr;
      return text == nullptr ? "" : Utf8(text->view());
    }
    case masterbus::Form::kNumber:
      break;
  }
  return {};
}

BusItem DescribeItem(const masterbus::MasterBusSession& session, const masterbus::Item& item, const Now& now) {
  const masterbus::BusView view = session.view();
  BusItem out;
  out.number = item.number;
  out.menu = masterbus::MenuName(item.menu);
  out.label = Utf8(view.LabelOf(item));
  out.unit = Utf8(view.UnitOf(item));
  if (item.field != masterbus::kNone) out.field = session.fields()[item.field].key;
  out.text = MeaningOf(view, item);
  out.values = item.seen.values;
  out.asked = item.seen.asked;
  if (item.seen.values > 0) out.age_us = now.monotonic_us - item.seen.last_us;
  if (item.seen.has_real) {
    out.value = Finite(item.seen.last);
    out.lowest = Finite(item.seen.lowest);
    out.highest = Finite(item.seen.highest);
  }
  return out;
}

BusNode DescribeNode(const masterbus::MasterBusSession& session, uint16_t at, const masterbus::BusDevice& device,
                     const Now& now) {
  const masterbus::BusView view = session.view();
  const auto text = [&](uint8_t selector) {
    const masterbus::Text* found = view.model().DeviceText(at, selector);
    return found == nullptr ? std::string() : Utf8(found->view());
  };
  BusNode node;
  node.address = device.address;
  node.type = device.type();
  node.unique_id = device.unique_id();
  node.name = text(masterbus::kStringName);
  node.article = text(masterbus::kStringArticle);
  node.serial = text(masterbus::kStringSerial);
  node.online = masterbus::BusView::IsOnline(device, now.monotonic_us);
  node.is_tentative = !device.established;
  if (device.frames + device.polls > 0) node.age_us = now.monotonic_us - device.last_heard_us;
  node.frames_per_second = device.rate.per_second(now.monotonic_us);
  node.frames = device.frames + device.polls;
  node.announces = device.announces;
  node.polls = device.polls;
  node.refusals = device.refusals;
  node.commands = device.commands;
  node.malformed = device.malformed;
  node.asked_values = device.asked.values;
  node.asked_properties = device.asked.properties;
  node.asked_items = device.asked.items;
  node.asked_groups = device.asked.groups;
  if (device.requests > 0) {
    node.asked_age_us = now.monotonic_us - device.asked.last_us;
    view.ForEachPossibleAsker(device, [&](uint32_t address) { node.possible_askers.push_back(address); });
  }
  view.ForEachItem(device,
                   [&](const masterbus::Item& item) { node.items.push_back(DescribeItem(session, item, now)); });
  return node;
}

BusCommand DescribeCommand(const masterbus::BusView& view, const masterbus::Command& command) {
  BusCommand out;
  out.time_us = command.time_us;
  out.address = command.address;
  out.item = command.item;
  out.value = static_cast<double>(command.real);
  if (command.has_commander) out.commander = command.commander;
  const uint16_t device = view.model().FindDevice(command.address);
  const uint16_t item = device == masterbus::kNone ? device : view.model().FindItem(device, command.menu, command.item);
  if (item != masterbus::kNone) out.label = Utf8(view.LabelOf(view.model().item(item)));
  return out;
}

BusUnknown DescribeUnknown(const masterbus::UnknownFrame& unknown) {
  BusUnknown out;
  out.id = unknown.frame.id;
  out.is_extended = unknown.frame.is_extended;
  out.is_remote = unknown.frame.is_remote;
  const uint8_t size = unknown.frame.is_remote ? uint8_t{0} : unknown.frame.size;
  out.data.assign(unknown.frame.data.begin(), unknown.frame.data.begin() + size);
  for (uint8_t i = 0; i < size; ++i) {
    if ((unknown.changed >> i & 1) != 0) out.moved.push_back(i);
  }
  out.size_changed = unknown.size_changed;
  out.count = unknown.count;
  out.first_us = unknown.first_us;
  out.last_us = unknown.last_us;
  return out;
}

}  // namespace

BusState DescribeBus(const masterbus::MasterBusSession& session, const Now& now) {
  const masterbus::BusView view = session.view();
  const masterbus::Traffic& traffic = view.traffic();
  BusState bus;
  bus.frames_per_second = traffic.rate().per_second(now.monotonic_us);
  bus.frames = traffic.frames();
  for (size_t i = 0; i < static_cast<size_t>(masterbus::Role::kCountOfRoles); ++i) {
    const auto role = static_cast<masterbus::Role>(i);
    if (traffic.role(role) > 0) bus.roles.emplace_back(masterbus::RoleName(role), traffic.role(role));
  }
  bus.error_frames = view.health().error_frames;
  bus.bus_offs = view.health().bus_offs;
  bus.asks = session.reads();
  bus.questions = session.reader_counters().asked;
  bus.devices_refused = view.model().counters().devices_refused;
  bus.unknown_forgotten = traffic.unknown_forgotten();
  view.ForEachDevice([&](uint16_t at, const masterbus::BusDevice& device) {
    bus.nodes.push_back(DescribeNode(session, at, device, now));
  });
  for (size_t i = traffic.command_count(); i > 0; --i) {
    bus.commands.push_back(DescribeCommand(view, traffic.command(i - 1)));
  }
  for (const masterbus::Absentee& one : traffic.absent())
    bus.absent.push_back({one.address, one.requests, one.last_us});
  for (const masterbus::UnknownFrame& one : traffic.unknown()) {
    if (one.used) bus.unknown.push_back(DescribeUnknown(one));
  }
  return bus;
}

}  // namespace vesta::hub
