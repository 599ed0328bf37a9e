// M-Bus channels of a telegram: whose they are, and which of their values are news.
#include <array>

#include "protocols/p1/session_parts.h"

namespace vesta::p1 {

uint16_t P1Session::ChannelSlot(uint8_t number, const Channel& channel, ChannelMemory* memory) {
  const uint64_t id_hash = Hash(channel.id, static_cast<uint64_t>(channel.device_type + 2));
  if (memory->slot != kNoDevice && memory->id_hash == id_hash) return memory->slot;

  bool usable = false;
  Unit unit = Unit::kNone;
  for (size_t i = 0; i < channel.reading_count; ++i) {
    if (channel.readings[i].usable) {
      usable = true;
      unit = channel.readings[i].unit;
    }
  }
  const bool has_id = !IsUnset(channel.id);
  const bool nothing_connected = channel.device_type == 0 || (!has_id && !usable);
  if (nothing_connected) return memory->slot;  // gone: what it had becomes unavailable

  Identity id;
  const std::string_view meter = slots_[meter_slot_].identity.view();
  bool on_wire = false;
  if (has_id) {
    id = FromId(channel.id, true);
    on_wire = id.view() != meter;
    // Two channels with one identifier (redacted, or a mistake): the place tells them apart.
    for (uint8_t other = 0; other < kMaxChannels; ++other) {
      if (other == number || channels_[other].slot == kNoDevice || !content_->channels[other].seen) continue;
      if (slots_[channels_[other].slot].identity.view() == id.view()) on_wire = false;
    }
  }
  if (!on_wire) {
    id = Identity();
    constexpr std::string_view kSuffix = "-mbus1";
    id.Append(meter.substr(0, kMaxIdentitySize - kSuffix.size()));
    id.Append("-mbus");
    const char digit = static_cast<char>('1' + number);
    id.Append({&digit, 1});
  }
  const uint16_t slot = SlotOf(id.view());
  if (slot == kNoDevice) return kNoDevice;
  if (slot != memory->slot) {
    *memory = ChannelMemory();
    memory->slot = slot;
  }
  memory->id_hash = id_hash;
  DeviceInfo info;
  info.identity = id.view();
  info.identity_on_wire = on_wire;
  info.kind = ChannelKind(channel.device_type, unit);
  info.serial = on_wire ? id.view() : std::string_view();
  info.parent = meter_slot_;
  events_->OnDevice(slot, info);
  return slot;
}

void P1Session::EmitChannel(uint8_t number, StampedTime time) {
  const Channel& channel = content_->channels[number];
  if (!channel.seen) return;
  ChannelMemory& memory = channels_[number];
  const uint16_t slot = ChannelSlot(number, channel, &memory);
  if (slot == kNoDevice) {
    for (size_t i = 0; i < channel.reading_count; ++i) ++counters_.submeter_values_unusable;
    return;
  }
  const auto emit_state = [this, slot, time](int value, int* last, uint16_t field) {
    if (value < 0 || value == *last) return;
    *last = value;
    Add(slot, field, Value::OfState(static_cast<uint32_t>(value)), time);
  };
  emit_state(channel.device_type, &memory.device_type, kKnown.device_type);
  emit_state(channel.valve, &memory.valve, kKnown.valve_state);
  emit_state(channel.switch_state, &memory.switch_state, kKnown.switch_state);
  if (channel.contract_seen) {
    const uint64_t hash = Hash(channel.contract) | 1;
    if (hash != memory.contract_hash) {
      memory.contract_hash = hash;
      Add(slot, kKnown.contract_id, Value::OfText(PoolText({kNoField, true, channel.contract})), time);
    }
  }
  EmitChannelValues(channel, &memory, time);
}

void P1Session::EmitChannelValues(const Channel& channel, ChannelMemory* memory, StampedTime time) {
  uint16_t done = kNoField;  // the same quantity twice in one channel: the first usable one counts
  for (size_t i = 0; i < channel.reading_count; ++i) {
    const ChannelReading& reading = channel.readings[i];
    ChannelMemory::Value& last = memory->values[i];
    if (!reading.usable) {
      ++counters_.submeter_values_unusable;
      // Told once, when a value was there before.
      if (last.known && last.usable) {
        Reading* r = Add(memory->slot, last.field, Value::None(), time);
        if (r != nullptr) r->quality = ValueQuality::kUnavailable;
      }
      last.usable = false;
      continue;
    }
    const uint16_t field = ChannelField(channel.device_type, reading.unit);
    if (field == done) continue;
    done = field;
    UtcUs stamp_us = reading.stamped ? reading.stamp.utc_us : kNoTime;
    const bool same_value = last.known && last.value == reading.value;
    // The repeated hour without a letter: an earlier stamp than the last, or the same with another value, is its second
    // pass.
    if (reading.stamped && reading.stamp.status == StampStatus::kAmbiguous && last.known &&
        (last.stamp_us > stamp_us || (last.stamp_us == stamp_us && !same_value)) &&
        last.stamp_us <= reading.stamp.utc_alternative_us + kUsPerDay) {
      stamp_us = reading.stamp.utc_alternative_us;
    }
    const bool is_new = !last.known || !last.usable || last.field != field ||
                        (reading.stamped ? last.stamp_us != stamp_us : !same_value);
    if (!is_new) continue;
    last = {true, true, field, stamp_us, reading.value};
    StampedTime own = time;
    if (reading.stamped) {
      own = {stamp_us, TimeQuality::kDeviceClock};
      if (time.quality != TimeQuality::kHubNotSynchronised && stamp_us > time.time_us + kUsPerDay) {
        own = time;
        ++counters_.submeter_restamped;
      }
    }
    Reading* r = Add(memory->slot, field, Value::OfDecimal(reading.value), own);
    if (r != nullptr && reading.stamped && reading.stamp.status == StampStatus::kNonexistent) {
      r->quality = ValueQuality::kSuspect;
    }
  }
}

}  // namespace vesta::p1
