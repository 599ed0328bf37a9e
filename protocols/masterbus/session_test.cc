#include "protocols/masterbus/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "protocols/can_text.h"

namespace vesta::masterbus {
namespace {

struct Told {
  std::string device;
  std::string key;
  Value value;
  std::string text;
  ValueQuality quality;
};

class Recorder : public SessionEvents {
 public:
  explicit Recorder(const Session& session) : session_(session) {}
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    devices[slot] = std::string(device.identity);
    models[std::string(device.identity)] = std::string(device.model);
    kinds[std::string(device.identity)] = device.kind;
  }
  void OnFrame(const FrameEvent& frame) override {
    ++frames;
    ++(frame.verdict == FrameVerdict::kAccepted ? accepted : refused);
    ++reasons[frame.reason];
    for (const Reading& r : frame.readings) {
      ASSERT_EQ(devices.count(r.device), 1u);
      Told told{devices[r.device], session_.fields()[r.field].key, r.value, "", r.quality};
      if (r.value.kind() == ValueKind::kText) told.text = std::string(r.value.text());
      last[told.device + "/" + told.key] = told;
      ++readings;
    }
  }
  std::map<uint16_t, std::string> devices;
  std::map<std::string, std::string> models;
  std::map<std::string, DeviceKind> kinds;
  std::map<std::string, Told> last;
  std::map<std::string, size_t> reasons;
  size_t frames = 0, accepted = 0, refused = 0, readings = 0;

 private:
  const Session& session_;
};

struct Bus {
  explicit Bus(Options options = {}) : session(options), heard(session) {}
  void Send(const char* text, int64_t at_us = 0) {
    const auto frame = can::ClassicFrame(*can::ParseFrameText(text));
    Send(*frame, at_us);
  }
  void Send(const can::Frame& frame, int64_t at_us = 0) {
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    now.monotonic_us += at_us;
    now.utc_us = 1700000000 * kUsPerSecond + now.monotonic_us;
    session.Receive({bytes.data(), can::WriteFrame(frame, bytes)}, now, heard);
  }
  // Label, unit and presentation of item 1 of the shunt.
  void Describe() {
    Send("08EF1297#020100000100");
    Send("08EF1297#280100002300");
    Send("066F1297#3023000042617474");
    Send("066F1297#3023000165727900");
    Send("08EF1297#2C0100001400");
    Send("066F1297#301400005600");
  }
  Now now;
  MasterBusSession session;
  Recorder heard;
};

can::Frame Announce(uint32_t address) {
  can::Frame frame;
  frame.is_extended = true;
  frame.id = 0x08u << kKindShift | address;
  frame.size = 8;
  return frame;
}

can::Frame ValueOf(uint32_t address, uint16_t item, float real) {
  can::Frame frame;
  frame.is_extended = true;
  frame.id = 0x10u << kKindShift | address;
  frame.size = 6;
  frame.data[0] = static_cast<uint8_t>(item);
  frame.data[1] = static_cast<uint8_t>(item >> 8);
  std::memcpy(&frame.data[2], &real, 4);
  return frame;
}

TEST(MasterBusSession, AnItemIsMappedByLabelUnitAndPresentation) {
  Bus bus;
  bus.Describe();
  bus.Send("086F1297#010069914B41");
  ASSERT_EQ(bus.heard.last.count("6F1297/battery_voltage"), 1u);
  EXPECT_NEAR(bus.heard.last["6F1297/battery_voltage"].value.real(), 12.723, 0.001);
}

TEST(MasterBusSession, AnItemWithoutALabelIsVisibleUnderItsNumber) {
  Bus bus;
  bus.Send("086F1297#010069914B41");
  ASSERT_EQ(bus.heard.last.count("6F1297/item_01"), 1u);
  EXPECT_EQ(bus.session.unknown_objects(), 1u);
  bus.Describe();
  bus.Send("086F1297#010069914B41");
  EXPECT_EQ(bus.heard.last.count("6F1297/battery_voltage"), 1u);
}

TEST(MasterBusSession, ALabelledNumberWaitsForItsUnitOnlySoLong) {
  Bus bus;
  bus.Send("08EF1297#020100000100");
  bus.Send("08EF1297#280100002300");
  bus.Send("066F1297#30230000466F6F00");
  for (int i = 0; i < kValuesToWaitForUnit; ++i) bus.Send("086F1297#010069914B41");
  EXPECT_EQ(bus.heard.last.count("6F1297/item_01"), 1u);
  bus.Send("086F1297#010069914B41");
  EXPECT_EQ(bus.heard.last.count("6F1297/foo"), 1u);
}

TEST(MasterBusSession, NotANumberMeansNotAvailable) {
  Bus bus;
  bus.Describe();
  bus.Send("086F1297#01000000C07F");
  EXPECT_EQ(bus.heard.last["6F1297/battery_voltage"].quality, ValueQuality::kUnavailable);
  EXPECT_TRUE(bus.heard.last["6F1297/battery_voltage"].value.is_none());
}

TEST(MasterBusSession, ACommandIsNeverAReading) {
  Bus bus;
  bus.Describe();
  bus.Send("186F1297#010000008040");
  bus.Send("186F1297#0200140A8400");
  EXPECT_EQ(bus.heard.readings, 0u);
  ASSERT_EQ(bus.session.view().traffic().command_count(), 1u);
  const Command& command = bus.session.view().traffic().command(0);
  EXPECT_EQ(command.item, 1);
  EXPECT_TRUE(command.has_commander);
  EXPECT_EQ(command.commander, 0x50840Au);
}

TEST(MasterBusSession, TwoItemsOfOneNameAreToldApart) {
  Bus bus;
  bus.Describe();
  bus.Send("08EF1297#028800000100");
  bus.Send("08EF1297#288800002300");
  bus.Send("08EF1297#2C8800001400");
  bus.Send("086F1297#010069914B41");
  bus.Send("086F1297#880069914B41");
  EXPECT_EQ(bus.heard.last.count("6F1297/battery_voltage"), 1u);
  EXPECT_EQ(bus.heard.last.count("6F1297/battery_voltage_x88"), 1u);

  // After a restart it does not depend on who speaks first.
  Bus again;
  ASSERT_TRUE(again.session.LoadModel(bus.session.SaveModel()));
  again.Send("086F1297#880069914B41");
  EXPECT_EQ(again.heard.last.count("6F1297/battery_voltage_x88"), 1u);
  again.Send("086F1297#010069914B41");
  EXPECT_EQ(again.heard.last.count("6F1297/battery_voltage"), 1u);
}

TEST(MasterBusSession, ADropDownHasTheNamesOfItsOptions) {
  Bus bus;
  bus.Send("08BAF412#021200000300");
  bus.Send("08BAF412#281200001900");
  bus.Send("063AF412#3019000053746174");
  bus.Send("063AF412#301900016500");
  bus.Send("08BAF412#26120005F300");
  bus.Send("063AF412#30F30000466C6F61");
  bus.Send("063AF412#30F300017400");
  bus.Send("083AF412#12000000A040");
  const Told& told = bus.heard.last["3AF412/device_state"];
  ASSERT_EQ(told.value.kind(), ValueKind::kState);
  EXPECT_EQ(told.value.state(), 5u);
  bool found = false;
  for (const vesta::Field& field : bus.session.fields()) {
    if (std::string(field.key) == "device_state" && FindStateName(field.states, 5) == "float") found = true;
  }
  EXPECT_TRUE(found);
}

TEST(MasterBusSession, LatinOneBecomesUtf8) {
  char out[8];
  EXPECT_EQ(std::string(out, ToUtf8("\xB0"
                                    "C",
                                    out)),
            "°C");
  EXPECT_EQ(std::string(out, ToUtf8(" a\x01"
                                    "b ",
                                    out)),
            "a b");
}

TEST(MasterBusSession, WrongLengthsAndOddFramesAreCountedAndIgnored) {
  Bus bus;
  bus.Send("086F1297#0100");
  bus.Send("156F1297#0100");
  bus.Send("123#00");
  bus.Send("086F1297#R");
  bus.Send("20000004#0010000000000000");
  EXPECT_EQ(bus.heard.reasons["length"], 1u);
  EXPECT_EQ(bus.heard.reasons["unknown_kind"], 1u);
  EXPECT_EQ(bus.heard.reasons["standard_frame"], 1u);
  EXPECT_EQ(bus.heard.reasons["remote_frame"], 1u);
  EXPECT_EQ(bus.heard.reasons["error_frame"], 1u);
  EXPECT_EQ(bus.heard.accepted, 0u);
  EXPECT_EQ(bus.session.view().health().passives, 1u);
  const uint8_t nonsense[] = {1, 2};
  bus.session.Receive(nonsense, bus.now, bus.heard);
  EXPECT_EQ(bus.heard.reasons["can_frame"], 1u);
}

TEST(MasterBusSession, UnknownFramesShowWhichBytesChange) {
  Bus bus;
  bus.Send("15EF1297#11002233");
  bus.Send("15EF1297#11012233");
  bus.Send("15EF1297#11022233");
  const auto unknown = bus.session.view().traffic().unknown();
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_EQ(unknown[0].count, 3u);
  EXPECT_EQ(unknown[0].changed, 0x02);
}

TEST(MasterBusSession, QuestionsToNobodyMakeNoDevice) {
  Bus bus;
  for (int i = 0; i < 5; ++i) bus.Send("187F1297#0000");
  EXPECT_EQ(bus.session.view().model().FindDevice(0x7F1297), kNone);
  ASSERT_EQ(bus.session.view().traffic().absent().size(), 1u);
  EXPECT_EQ(bus.session.view().traffic().absent()[0].requests, 5u);
}

TEST(MasterBusSession, TenThousandInventedDevicesLeaveTheKnownOnesAlone) {
  Bus bus;
  bus.Describe();
  bus.Send("086F1297#010069914B41");
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 10000; ++i) {
      bus.Send(Announce(0x100000u + i), 100);
      bus.Send(ValueOf(0x100000u + i, static_cast<uint16_t>(i), 1), 100);
    }
  }
  const BusView view = bus.session.view();
  const Limits limits;
  EXPECT_LE(view.model().established(), limits.devices - limits.tentative);
  EXPECT_LE(view.model().item_count(), limits.items);
  EXPECT_GT(view.model().counters().devices_refused, 0u);
  EXPECT_GT(view.model().counters().devices_evicted, 0u);
  bus.heard.last.clear();
  bus.Send("086F1297#010000004041");
  ASSERT_EQ(bus.heard.last.count("6F1297/battery_voltage"), 1u);
  EXPECT_EQ(bus.heard.last["6F1297/battery_voltage"].value.real(), 12);
  EXPECT_LE(bus.session.fields().size(), kStaticFields + FieldTable::kMaxRegistered);
}

TEST(MasterBusSession, ANodeThatInventsItemsKeepsToItsShare) {
  Bus bus;
  for (uint32_t i = 0; i < 60000; ++i) bus.Send(ValueOf(0x100000u, static_cast<uint16_t>(i), 1));
  bus.Describe();
  bus.Send("086F1297#010069914B41");
  EXPECT_EQ(bus.heard.last.count("6F1297/battery_voltage"), 1u);
  EXPECT_GT(bus.session.counters().values_without_item, 0u);
  EXPECT_EQ(bus.session.view().model().device(0).items, Limits().items_per_device);
}

TEST(MasterBusSession, ALabelThatChangesForEverIsBoundedToo) {
  Bus bus;
  bus.Describe();
  char text[40];
  for (int i = 0; i < 5000; ++i) {
    std::snprintf(text, sizeof text, "066F1297#30230000%02X%02X%02X00", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
    bus.Send(text);
    bus.Send("086F1297#010069914B41");
  }
  EXPECT_LE(bus.session.fields().size(), kStaticFields + kMaxBindings);
}

TEST(MasterBusSession, TwoDevicesWithOneAddressAreOneToTheBus) {
  Bus bus;
  bus.Send("046F1297#1B97120300020000");
  bus.Send("046F1297#0E12F40200010000");
  EXPECT_EQ(bus.session.counters().foreign_announces, 1u);
  EXPECT_EQ(bus.heard.devices.size(), 1u);
}

TEST(MasterBusSession, ADamagedSavedModelIsRefused) {
  Bus bus;
  bus.Describe();
  const std::vector<uint8_t> saved = bus.session.SaveModel();
  for (size_t i = 0; i < saved.size(); ++i) {
    std::vector<uint8_t> damaged = saved;
    damaged[i] ^= 0x10;
    Bus other;
    EXPECT_FALSE(other.session.LoadModel(damaged)) << i;
    EXPECT_FALSE(other.session.LoadModel(std::span<const uint8_t>(saved).first(i))) << i;
    EXPECT_EQ(other.session.view().model().established(), 0);
  }
}

TEST(MasterBusSession, SaysNothingUnlessItIsToldToRead) {
  Bus bus;
  bus.Describe();
  for (int i = 0; i < 100; ++i) {
    bus.now.monotonic_us += kUsPerSecond;
    bus.session.Tick(bus.now, bus.heard);
    EXPECT_TRUE(bus.session.Transmit().empty());
  }
  EXPECT_EQ(bus.session.next_deadline_us(), kNoDeadline);
}

// Whatever is asked, and of whom: a question, never a command, a login or a text.
TEST(MasterBusRequest, EveryFrameIsAQuestion) {
  const uint32_t addresses[] = {0, 0x6F1297, kAddressMask, 0xFFFFFFFF};
  for (int ask = 0; ask <= static_cast<int>(Ask::kValue); ++ask) {
    for (const uint32_t address : addresses) {
      for (uint32_t number = 0; number <= 0xFFFF; number += 0x101) {
        const can::Frame frame =
            WriteRequest({static_cast<Ask>(ask), address, static_cast<uint16_t>(number), static_cast<uint8_t>(number)});
        const Frame read = ReadMasterBusFrame(frame);
        EXPECT_TRUE(IsRequest(read.role)) << ask << " " << number;
        EXPECT_NE(read.role, Role::kValueWrite);
        EXPECT_FALSE(read.op == kPropertyInfo && read.role == Role::kPropertyRequest &&
                     read.selector != kInfoMonitoringGroups);
        EXPECT_LE(frame.size, 4);
        const bool property = read.role == Role::kPropertyRequest && read.op != kPropertyString;
        EXPECT_TRUE(!property || frame.size == 2);
      }
    }
  }
}

TEST(MasterBusReader, GivesUpOnADeviceThatDoesNotAnswer) {
  Options options;
  options.read = true;
  Bus bus(options);
  bus.Send("046F1297#1B97120300020000");
  size_t asked = 0;
  for (int i = 0; i < 10000; ++i) {
    bus.now.monotonic_us += kUsPerMs;
    if (bus.session.next_deadline_us() <= bus.now.monotonic_us) bus.session.Tick(bus.now, bus.heard);
    if (bus.session.Transmit().empty()) continue;
    ++asked;
    bus.session.Transmitted(bus.session.Transmit().size());
  }
  EXPECT_EQ(asked, kDeafAfter * (1u + kRepeats));
  EXPECT_EQ(bus.session.reader_counters().deaf, 1u);
}

// A stall of the road, too short to take the device for deaf.
TEST(MasterBusReader, AsksAgainForWhatAStallLeftUnanswered) {
  Bus bus;
  bus.Send("046F1297#1B97120300020000");
  const Model& model = bus.session.view().model();
  Reader reader{Limits(), ReadingPace()};
  Frame word;
  word.address = model.device(0).address;
  reader.Heard(model, 0, word);
  bool stalled = true;
  size_t asked_names = 0;
  size_t answered = 0;
  const auto run = [&](int64_t from_us, int64_t to_us) {
    for (int64_t now_us = from_us; now_us < to_us; now_us += 5 * kUsPerMs) {
      const std::optional<Request> request = reader.Next(model, now_us);
      if (!request) continue;
      if (request->ask == Ask::kDeviceTextId && request->number == kStringName) ++asked_names;
      if (stalled) continue;
      Frame denial;
      denial.role = Role::kPropertyNoValue;
      denial.address = request->address;
      denial.op = request->ask == Ask::kGroups ? kPropertyInfo : kPropertyStringId;
      denial.selector = request->ask == Ask::kGroups ? kInfoMonitoringGroups : static_cast<uint8_t>(request->number);
      reader.Heard(model, 0, denial);
      ++answered;
    }
  };
  const int64_t stall_us = (1 + kRepeats) * kAnswerTimeout_us;
  run(0, stall_us);  // only the name is asked for, in vain
  stalled = false;
  run(stall_us, kAskAgainAfter_us[0]);
  EXPECT_EQ(asked_names, 1u + kRepeats);
  EXPECT_EQ(answered, 3u);  // article, serial number, groups: denied, and not asked for again
  run(kAskAgainAfter_us[0], 4 * kAskAgainAfter_us[3]);
  EXPECT_EQ(asked_names, 2u + kRepeats);
  EXPECT_EQ(answered, 4u);
  EXPECT_EQ(reader.counters().deaf, 0u);
}

// A fact that is never answered, of a device that answers all else: soon at first, then every ten minutes.
TEST(MasterBusReader, AsksMoreAndMoreSeldomForWhatIsNeverAnswered) {
  Bus bus;
  bus.Send("046F1297#1B97120300020000");
  const Model& model = bus.session.view().model();
  Reader reader{Limits(), ReadingPace()};
  Frame word;
  word.address = model.device(0).address;
  reader.Heard(model, 0, word);
  std::vector<int64_t> asked_names_us;
  for (int64_t now_us = 0; now_us < 7200 * kUsPerSecond; now_us += 5 * kUsPerMs) {
    if (now_us % (20 * kUsPerSecond) == 0) reader.Heard(model, 0, word);  // an announce
    if (reader.next_deadline_us() > now_us) continue;
    const std::optional<Request> request = reader.Next(model, now_us);
    if (!request) continue;
    if (request->ask == Ask::kDeviceTextId && request->number == kStringName) {
      if (asked_names_us.empty() || now_us - asked_names_us.back() > kUsPerSecond) asked_names_us.push_back(now_us);
      continue;
    }
    Frame denial;
    denial.role = Role::kPropertyNoValue;
    denial.address = request->address;
    denial.op = request->ask == Ask::kGroups ? kPropertyInfo : kPropertyStringId;
    denial.selector = request->ask == Ask::kGroups ? kInfoMonitoringGroups : static_cast<uint8_t>(request->number);
    reader.Heard(model, 0, denial);
  }
  ASSERT_GE(asked_names_us.size(), 5u);
  EXPECT_LT(asked_names_us[1] - asked_names_us[0], 10 * kUsPerSecond);
  const auto late = [](int64_t at_us) { return at_us > 3600 * kUsPerSecond; };
  const auto in_the_second_hour = std::count_if(asked_names_us.begin(), asked_names_us.end(), late);
  EXPECT_GE(in_the_second_hour, 5);
  EXPECT_LE(in_the_second_hour, 10);
}

// A source that is closed takes nothing: the hub must not look for it all the time.
TEST(MasterBusReader, AQuestionThatNobodyTakesMakesNothingDue) {
  Options options;
  options.read = true;
  Bus bus(options);
  bus.Send("046F1297#1B97120300020000");
  bus.now.monotonic_us += kUsPerSecond;
  ASSERT_LE(bus.session.next_deadline_us(), bus.now.monotonic_us);
  bus.session.Tick(bus.now, bus.heard);
  ASSERT_FALSE(bus.session.Transmit().empty());
  EXPECT_EQ(bus.session.next_deadline_us(), kNoDeadline);
  bus.session.LinkReset(bus.now, bus.heard);
  EXPECT_TRUE(bus.session.Transmit().empty());
  EXPECT_LE(bus.session.next_deadline_us(), bus.now.monotonic_us + ReadingPace().gap_us);
}

}  // namespace
}  // namespace vesta::masterbus
