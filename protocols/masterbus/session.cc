#include "protocols/masterbus/session.h"

#include <algorithm>

#include "model/hex_digit.h"

namespace vesta::masterbus {
namespace {

// Reasons of frames that are not accepted: stable words.
constexpr const char* ReasonOf(Role role) {
  switch (role) {
    case Role::kMalformed:
      return "length";
    case Role::kUnknownKind:
      return "unknown_kind";
    case Role::kErrorFrame:
      return "error_frame";
    case Role::kRemote:
      return "remote_frame";
    case Role::kStandard:
      return "standard_frame";
    default:
      return "";
  }
}

DeviceKind KindOf(const BusDevice& device, std::string_view name) {
  const auto says = [name](std::string_view word) { return name.find(word) != std::string_view::npos; };
  const std::string_view family = name.substr(0, 4);
  if (family == "MSH ") return DeviceKind::kBatteryMonitor;
  if (family == "BAT ") return DeviceKind::kBattery;
  if (family == "CHG ") return DeviceKind::kAcCharger;
  if (family == "MAC ") return DeviceKind::kDcConverter;
  if (family == "MCU ") return DeviceKind::kInverter;
  if (family == "INT ") {
    if (says("Combi") || says("Inverter")) return DeviceKind::kInverter;
    if (says("Solar")) return DeviceKind::kSolarCharger;
    if (says("Charger")) return DeviceKind::kAcCharger;
    return DeviceKind::kGateway;
  }
  switch (device.type()) {
    case 0x06:
      return DeviceKind::kInverter;
    case 0x0A:
      return DeviceKind::kAcCharger;
    default:
      return DeviceKind::kOther;
  }
}

size_t PutTwo(uint32_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10 % 10);
  out[1] = static_cast<char>('0' + value % 10);
  return 2;
}

size_t PutNumber(uint32_t value, char* out) {
  char digits[10];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  std::reverse_copy(digits, digits + count, out);
  return count;
}

// "2.67": sums of the major and of the minor halves.
size_t PutFirmware(const Model& model, uint16_t device, char* out) {
  uint32_t major = 0;
  uint32_t minor = 0;
  bool known = false;
  for (uint8_t half = 0; half < 2; ++half) {
    const Property* one = model.FindProperty(device, kPropertyFirmware, half);
    if (one == nullptr || !one->has_value) continue;
    known = true;
    minor += one->value & 0xFFu;
    major += one->value >> 8;
  }
  if (!known) return 0;
  size_t size = PutNumber(major, out);
  out[size++] = '.';
  if (minor < 10) out[size++] = '0';
  return size + PutNumber(minor, out + size);
}

}  // namespace

MasterBusSession::MasterBusSession(const Options& options)
    : options_(options), model_(options.limits), reader_(options.limits, options.pace) {}

void MasterBusSession::Receive(Bytes bytes, const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  reading_count_ = 0;
  FrameEvent event;
  event.raw = bytes;
  const std::optional<can::Frame> can = can::ReadFrame(bytes);
  if (!can) {
    event.verdict = FrameVerdict::kRejected;
    event.reason = "can_frame";
    events.OnFrame(event);
    return;
  }
  const Frame frame = ReadMasterBusFrame(*can);
  traffic_.Count(frame, now.monotonic_us);
  Dispatch(*can, frame);
  event.reason = ReasonOf(frame.role);
  if (frame.role == Role::kErrorFrame) {
    event.verdict = FrameVerdict::kDiscarded;
  } else if (event.reason[0] != '\0') {
    event.verdict = FrameVerdict::kRejected;
  }
  if (!can->is_error) event.link.sender = frame.address;
  event.readings = {readings_.data(), reading_count_};
  counters_.readings += reading_count_;
  events.OnFrame(event);
}

void MasterBusSession::Dispatch(const can::Frame& can, const Frame& frame) {
  switch (frame.role) {
    case Role::kErrorFrame:
      bus_health_.Add(can::ReadErrorFrame(can));
      return;
    case Role::kMalformed:
      if (const uint16_t at = model_.FindDevice(frame.address); at != kNone) ++model_.device(at).malformed;
      traffic_.AddUnknown(can, now_->utc_us);
      return;
    case Role::kUnknownKind:
    case Role::kRemote:
    case Role::kStandard:
      traffic_.AddUnknown(can, now_->utc_us);
      return;
    case Role::kPoll:
      // A node that may ask is there, but that alone proves no device.
      if (const uint16_t at = model_.AddDevice(frame.address, now_->monotonic_us); at != kNone) {
        ++model_.device(at).polls;
        model_.device(at).last_heard_us = now_->monotonic_us;
        model_.device(at).rate.Add(now_->monotonic_us);
      }
      return;
    default:
      if (IsFromDevice(frame.role)) {
        FromDevice(frame);
      } else {
        ToDevice(frame);
      }
  }
}

void MasterBusSession::ToDevice(const Frame& frame) {
  if (frame.role == Role::kValueWrite) traffic_.AddCommand(frame, now_->utc_us);
  const uint16_t at = model_.FindDevice(frame.address);
  if (at == kNone) {
    traffic_.AddAbsent(frame.address, now_->utc_us);
    return;
  }
  BusDevice& device = model_.device(at);
  if (frame.role == Role::kValueWrite) {
    ++device.commands;
    return;
  }
  ++device.requests;
  device.asked.last_us = now_->monotonic_us;
  switch (frame.role) {
    case Role::kValueRequest:
      ++device.asked.values;
      if (const uint16_t item = model_.FindItem(at, frame.menu, frame.number); item != kNone) {
        Seen& seen = model_.item(item).seen;
        const bool is_late = now_->monotonic_us - seen.asked_us > kAnswerWithin_us;
        if (is_late) seen.open = 0;
        if (seen.open < UINT8_MAX) ++seen.open;
        ++seen.asked;
        seen.asked_us = now_->monotonic_us;
      }
      break;
    case Role::kItemMetaRequest:
      ++device.asked.items;
      break;
    case Role::kGroupMetaRequest:
      ++device.asked.groups;
      break;
    default:
      ++device.asked.properties;
  }
}

void MasterBusSession::FromDevice(const Frame& frame) {
  uint16_t at = model_.FindDevice(frame.address);
  if (at == kNone) {
    at = model_.AddDevice(frame.address, now_->monotonic_us);
    if (at == kNone) return;
    if (!traffic_.absent().empty()) traffic_.Forget(frame.address);
  }
  BusDevice& device = model_.device(at);
  ++device.frames;
  device.last_heard_us = now_->monotonic_us;
  device.rate.Add(now_->monotonic_us);
  if (!device.established) {
    // On a bus that is far from full one frame is enough; beyond it a device has to speak twice, so that a node that
    // makes up addresses does not fill the table.
    const bool roomy = model_.established() < options_.limits.devices / 2;
    if (!roomy && device.frames < 2) {
      if (frame.role == Role::kValue) ++counters_.values_of_tentative;
    } else {
      model_.Establish(at);
    }
  }
  if (frame.role == Role::kAnnounce) {
    TakeAnnounce(at, frame);
  } else if (!device.established) {
    return;
  } else if (frame.role == Role::kValue) {
    TakeValue(at, frame);
  } else {
    const bool refusal = frame.role == Role::kPropertyNoValue || frame.role == Role::kValueNoValue ||
                         frame.role == Role::kItemMetaNoValue || frame.role == Role::kGroupMetaNoValue;
    if (refusal) ++device.refusals;
    model_.TakeReply(at, frame);
  }
  if (options_.read && device.established) reader_.Heard(model_, at, frame);
}

void MasterBusSession::TakeAnnounce(uint16_t at, const Frame& frame) {
  BusDevice& device = model_.device(at);
  ++device.announces;
  device.has_counter = true;
  device.counter = frame.counter;
  const bool own = frame.announced_type == device.type() && frame.announced_uid == device.unique_id();
  if (!own) ++counters_.foreign_announces;
  if (!device.established) return;
  const bool news = !device.told_counter || device.counter_told != device.counter ||
                    now_->monotonic_us - device.counter_told_us >= kTellCounterEvery_us;
  if (!news || !Tell(at)) return;
  device.told_counter = true;
  device.counter_told = device.counter;
  device.counter_told_us = now_->monotonic_us;
  Add(at, kAnnounceCounter, Value::OfInteger(device.counter));
}

void MasterBusSession::TakeValue(uint16_t at, const Frame& frame) {
  const uint16_t item_at = model_.AddItem(at, frame.menu, frame.number);
  if (item_at == kNone) {
    ++counters_.values_without_item;
    return;
  }
  Item& item = model_.item(item_at);
  if ((item.known & kHasName) == 0) ++counters_.values_unnamed;
  if (item.seen.open > 0) {
    --item.seen.open;
  } else if (item.seen.asked > 0 && !options_.read) {
    ++counters_.values_unasked;  // own questions are not heard, so with them nobody can tell
  }
  model_.TakeValue(item_at, frame.real, now_->monotonic_us);
  if ((item.known & (kHasName | kHasUnit)) == kHasName && item.values_open < kValuesToWaitForUnit &&
      ++item.values_open == kValuesToWaitForUnit) {
    ++item.revision;
  }
  uint16_t field = item.field;
  if (item.bound_revision != item.revision) field = Bind(&model_, item_at, &table_);
  if (field == kNone || !Tell(at)) {
    ++counters_.values_without_field;
    return;
  }
  Add(at, field, ReadValue(item, frame, table_.fields()[field]));
}

Value MasterBusSession::ReadValue(const Item& item, const Frame& frame, const vesta::Field& field) {
  if (!IsAvailable(frame.real)) return Value::None();
  switch (field.kind) {
    case FieldKind::kState: {
      const auto option = ReadOption(frame.real);
      return option ? Value::OfState(*option) : Value::None();
    }
    case FieldKind::kFlag:
      return Value::OfState(frame.real != 0 ? 1 : 0);
    case FieldKind::kText:
      break;
    default:
      return Value::OfReal(static_cast<double>(frame.real));
  }
  size_t size = 0;
  const Form form = FormOf(model_, item);
  if (form == Form::kDate) {
    const auto date = ReadDate(frame.real);
    if (!date) return Value::None();
    size = PutTwo(date->year / 100u, text_.data());
    size += PutTwo(date->year % 100u, &text_[size]);
    text_[size++] = '-';
    size += PutTwo(date->month, &text_[size]);
    text_[size++] = '-';
    size += PutTwo(date->day, &text_[size]);
  } else if (form == Form::kText) {
    const auto id = ReadOption(frame.real);
    const Text* text = id ? model_.FindText(item.device, *id) : nullptr;
    if (text == nullptr) return Value::None();
    size = ToUtf8(text->view(), text_.data());
  } else {
    const auto clock = ReadDuration(frame.real);
    if (!clock || clock->days > 0) return Value::None();
    size = PutTwo(clock->hour, text_.data());
    text_[size++] = ':';
    size += PutTwo(clock->minute, &text_[size]);
    text_[size++] = ':';
    size += PutTwo(clock->second, &text_[size]);
  }
  return Value::OfText({text_.data(), size});
}

// Makes the device known to the hub, again when its texts changed. False: there are too many.
bool MasterBusSession::Tell(uint16_t at) {
  BusDevice& device = model_.device(at);
  if (device.told_revision == device.identity_revision) return true;
  if (device.slot == kNone) device.slot = slots_++;  // established devices are never given up: bounded by the limits
  device.told_revision = device.identity_revision;
  std::array<char, 6> identity;
  for (size_t i = 0; i < identity.size(); ++i) identity[i] = kUpperHexDigits[device.address >> (20 - 4 * i) & 15];
  std::array<std::array<char, kMaxUtf8>, 2> texts;
  const auto utf8 = [&](uint8_t selector, std::array<char, kMaxUtf8>* out) {
    const Text* text = model_.DeviceText(at, selector);
    return text == nullptr ? std::string_view() : std::string_view(out->data(), ToUtf8(text->view(), out->data()));
  };
  std::array<char, 16> firmware;
  const Text* name = model_.DeviceText(at, kStringName);
  DeviceInfo info;
  info.identity = {identity.data(), identity.size()};
  info.identity_on_wire = true;
  info.kind = KindOf(device, name == nullptr ? std::string_view() : name->view());
  info.manufacturer = "Mastervolt";
  info.model = utf8(kStringName, &texts[0]);
  info.serial = utf8(kStringSerial, &texts[1]);
  info.firmware = {firmware.data(), PutFirmware(model_, at, firmware.data())};
  events_->OnDevice(device.slot, info);
  return true;
}

void MasterBusSession::Add(uint16_t at, uint16_t field, Value value) {
  const StampedTime time = ChooseTime(kNoTime, *now_);
  Reading& reading = readings_[reading_count_++];
  reading = Reading();
  reading.device = model_.device(at).slot;
  reading.field = field;
  reading.value = value;
  reading.time_us = time.time_us;
  reading.time_quality = time.quality;
  if (value.is_none()) {
    reading.quality = ValueQuality::kUnavailable;
    ++counters_.values_not_available;
  }
}

void MasterBusSession::Tick(const Now& now, SessionEvents&) {
  if (!options_.read || outgoing_size_ > 0) return;
  const std::optional<Request> request = reader_.Next(model_, now.monotonic_us);
  if (!request) return;
  outgoing_size_ = can::WriteFrame(WriteRequest(*request), outgoing_);
}

void MasterBusSession::LinkReset(const Now&, SessionEvents&) {
  model_.DropPieces();
  reader_.LinkReset();
  outgoing_size_ = 0;
}

void MasterBusSession::ReportCounters(CounterSink& sink) const {
  const ModelCounters& model = model_.counters();
  const ReaderCounters& reader = reader_.counters();
  sink.Count("announces", traffic_.role(Role::kAnnounce));
  sink.Count("commands_seen", traffic_.commands_seen());
  sink.Count("error_frames", bus_health_.error_frames);
  sink.Count("bus_warnings", bus_health_.warnings);
  sink.Count("bus_passives", bus_health_.passives);
  sink.Count("bus_offs", bus_health_.bus_offs);
  sink.Count("controller_overflows", bus_health_.overflows);
  sink.Count("values_not_available", counters_.values_not_available);
  sink.Count("values_of_tentative", counters_.values_of_tentative);
  sink.Count("values_unasked", counters_.values_unasked);
  sink.Count("values_without_item", counters_.values_without_item);
  sink.Count("values_without_field", counters_.values_without_field);
  sink.Count("foreign_announces", counters_.foreign_announces);
  sink.Count("devices_evicted", model.devices_evicted);
  sink.Count("devices_refused", model.devices_refused);
  sink.Count("items_refused", model.items_refused);
  sink.Count("texts_refused", model.texts_refused);
  sink.Count("texts_broken", model.texts_broken);
  sink.Count("facts_refused", model.facts_refused);
  sink.Count("fields_refused", table_.refused());
  sink.Count("unknown_frames_forgotten", traffic_.unknown_forgotten());
  sink.Count("questions", reader.asked);
  sink.Count("questions_repeated", reader.repeated);
  sink.Count("questions_in_vain", reader.absent);
  sink.Count("devices_deaf", reader.deaf);
}

}  // namespace vesta::masterbus
