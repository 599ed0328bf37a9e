#include "app/bus_desk.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <filesystem>

#include "app/whole_file.h"
#include "protocols/masterbus/session.h"

namespace vesta::app {

std::string BusDesk::PathOf(const std::string& source) const {
  return fmt::format("{}/bus-{}.model", directory_, source);
}

void BusDesk::Add(const std::string& source, masterbus::MasterBusSession* session) {
  Bus bus{source, session, {}, clock_.Read().monotonic_us};
  const std::string path = PathOf(source);
  std::error_code unknown;
  if (const auto content = ReadWholeFile(path)) {
    bus.kept.assign(content->begin(), content->end());
    if (!session->LoadModel(bus.kept)) {
      spdlog::warn("{}: damaged, so names and units of the bus are learned anew", path);
      bus.kept.clear();
    }
  } else if (std::filesystem::exists(path, unknown)) {
    spdlog::warn("{}: can't be read, so names and units of the bus are learned anew", path);
  }
  buses_.push_back(std::move(bus));
}

void BusDesk::Tick() {
  const int64_t now_us = clock_.Read().monotonic_us;
  for (Bus& bus : buses_) {
    if (now_us - bus.looked_us < kKeepEvery_us) continue;
    bus.looked_us = now_us;
    KeepOne(&bus);
  }
}

void BusDesk::Keep() {
  for (Bus& bus : buses_) KeepOne(&bus);
}

void BusDesk::KeepOne(Bus* bus) {
  // A hub that heard nothing has nothing to keep.
  if (bus->kept.empty() && bus->session->view().traffic().frames() == 0) return;
  std::vector<uint8_t> model = bus->session->SaveModel();
  if (model == bus->kept) return;
  const auto written = ReplaceFile(PathOf(bus->source), std::string(model.begin(), model.end()));
  if (!written) return spdlog::error("{}", written.error());
  bus->kept = std::move(model);
}

std::optional<hub::BusState> BusDesk::Look(const std::string& source) const {
  for (const Bus& bus : buses_) {
    if (bus.source == source) return hub::DescribeBus(*bus.session, clock_.Read());
  }
  return std::nullopt;
}

std::optional<BusDesk::WireItem> BusDesk::FindItem(const hub::Device& device, std::string_view field) const {
  uint32_t address = 0;
  const char* const end = device.identity.data() + device.identity.size();
  if (device.protocol != "masterbus" || device.identity.empty()) return std::nullopt;
  if (const auto read = std::from_chars(device.identity.data(), end, address, 16); read.ptr != end) return std::nullopt;
  for (const Bus& bus : buses_) {
    const masterbus::BusView view = bus.session->view();
    const uint16_t at = view.model().FindDevice(address);
    if (at == masterbus::kNone) continue;
    std::optional<WireItem> found;
    view.ForEachItem(view.model().device(at), [&](const masterbus::Item& item) {
      const bool is_it = item.menu == masterbus::Menu::kMonitoring && item.field != masterbus::kNone &&
                         item.number <= UINT8_MAX && bus.session->fields()[item.field].key == field;
      if (is_it && !found) found = WireItem{address & masterbus::kUniqueIdMask, static_cast<uint8_t>(item.number)};
    });
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace vesta::app
