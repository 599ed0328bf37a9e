#include "hub/sources/bluetooth/bluetooth_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/sources/bluetooth/testing/private_bus.h"
#include "hub/sources/recording_line.h"

namespace vesta::hub {
namespace {

using testing::HasSubstr;

constexpr char kOne[] = "advert hci0 AA:BB:CC:DD:EE:01 -61 02e1 100242a0016207adceb37b605d7e0ee21b24df5c SmartSolar";

class Bluetooth : public testing::Test {
 protected:
  Bluetooth() {
    options_.companies = {0x02E1};
    options_.rfkill = "/nonexistent";
    options_.retry_us = 50 * kUsPerMs;
    line_.on_received = [this] { ++datagrams_; };
  }
  void SetUp() override {
    bus_.Start();
    bluez_.Start();
  }

  void Start() {
    source_ = MakeBluetoothSource(io_, options_, line_);
    source_->Start();
  }
  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }
  bool Hears(const std::string& advert) {
    const size_t before = datagrams_;
    bluez_.Do(advert);
    return Until([&] { return datagrams_ > before; });
  }

  PrivateBus bus_;
  FakeBluez bluez_;
  boost::asio::io_context io_;
  ScanOptions options_;
  RecordingLine line_;
  size_t datagrams_ = 0;
  std::unique_ptr<Source> source_;
};

TEST_F(Bluetooth, HearsByDiscoveryWhereNothingElseIsOffered) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(bluez_.Told(), "discovery hci0 le True");
  EXPECT_EQ(line_.health().where, "hci0 discovery");
  ASSERT_TRUE(Hears(kOne));
  const std::string datagram = line_.received;
  const auto advert = ble::ReadAdvert({reinterpret_cast<const uint8_t*>(datagram.data()), datagram.size()});
  ASSERT_TRUE(advert);
  EXPECT_EQ(advert->address, 0xAABBCCDDEE01u);
  EXPECT_TRUE(advert->address_is_random);
  EXPECT_EQ(advert->rssi_dbm, -61);
  EXPECT_EQ(advert->scanner, 0);
  const auto data = ble::FindManufacturerData(advert->data, 0x02E1);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size(), 20u);
  EXPECT_EQ((*data)[0], 0x10);
  const Bytes name = ble::FindName(advert->data);
  EXPECT_EQ(std::string(name.begin(), name.end()), "SmartSolar");
}

TEST_F(Bluetooth, EachCopyOfAnAdvertIsHandedOver) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  bluez_.Do("repeat hci0 AA:BB:CC:DD:EE:01 200 02e1");
  EXPECT_TRUE(Until([&] { return datagrams_ == 200; })) << datagrams_;
}

TEST_F(Bluetooth, ListensPassivelyWhereThatIsOffered) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55 passive");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(bluez_.Told(), "monitor hci0 or_patterns 0 255 e102");
  EXPECT_EQ(line_.health().where, "hci0 passive");
  EXPECT_TRUE(Hears(kOne));
  // BlueZ may take the monitor back; it is given anew.
  bluez_.Do("release hci0");
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  EXPECT_TRUE(Hears(kOne));
}

TEST_F(Bluetooth, DiscoveryCanBeAskedForAndPassiveBeMissing) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55 passive");
  options_.mode = "discovery";
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(bluez_.Told(), "discovery hci0 le True");
  source_.reset();
  bluez_.Do("remove hci0");
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  options_.mode = "passive";
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed > 0; }));
  EXPECT_THAT(line_.reason, HasSubstr("offers no passive listening"));
}

TEST_F(Bluetooth, WhatBluezRemembersIsNotHeardNow) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  bluez_.Do("cached hci0 AA:BB:CC:DD:EE:02 02e1 100242a0");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  ASSERT_TRUE(Hears(kOne));
  EXPECT_EQ(datagrams_, 1u);
}

TEST_F(Bluetooth, ForeignAdvertsAreOnlyCounted) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  bluez_.Do("repeat hci0 11:22:33:44:55:66 5 004c");
  ASSERT_TRUE(Until([&] { return line_.health().frames_rejected["foreign"] == 5; }));
  EXPECT_EQ(datagrams_, 0u);
}

TEST_F(Bluetooth, AnAdapterPulledAndReturned) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  bluez_.Do("remove hci0");
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(line_.reason, "there is no Bluetooth adapter");
  EXPECT_NE(line_.health().hint, "");
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  EXPECT_TRUE(Hears(kOne));
}

TEST_F(Bluetooth, BluetoothdRestarted) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  bluez_.End();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(line_.reason, "bluetoothd is not running");
  EXPECT_THAT(line_.health().hint, HasSubstr("systemctl"));
  bluez_.Start();
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  EXPECT_TRUE(Hears(kOne));
}

TEST_F(Bluetooth, BluetoothOffAndOnAgain) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55 off");
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(line_.reason, "Bluetooth is off (hci0)");
  EXPECT_EQ(line_.health().hint, "turn it on: `bluetoothctl power on`");
  for (int i = 1; i <= 2; ++i) {
    bluez_.Do("power hci0 on");
    ASSERT_TRUE(Until([&] { return line_.opened == i; }));
    EXPECT_TRUE(Hears(kOne));
    bluez_.Do("power hci0 off");
    ASSERT_TRUE(Until([&] { return line_.closed == i + 1; }));
  }
}

TEST_F(Bluetooth, PassiveListeningSurvivesOffAndOn) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55 passive");
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(bluez_.Told(), "monitor hci0 or_patterns 0 255 e102");
  bluez_.Do("power hci0 off");
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(bluez_.Told(), "unmonitor hci0");
  bluez_.Do("power hci0 on");
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  EXPECT_EQ(line_.health().where, "hci0 passive");
  EXPECT_TRUE(Hears(kOne));
}

TEST_F(Bluetooth, TwoAdaptersAndOneOfThemLost) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  bluez_.Do("adapter hci1 00:11:22:33:44:66 passive");
  Start();
  ASSERT_TRUE(Until([&] { return line_.health().where == "hci0 discovery, hci1 passive"; }));
  ASSERT_TRUE(Hears(kOne));
  line_.received.clear();
  ASSERT_TRUE(Hears("advert hci1 AA:BB:CC:DD:EE:01 -80 02e1 100242a0"));
  EXPECT_EQ(line_.received[9], 1);  // heard by the second
  bluez_.Do("power hci0 off");
  ASSERT_TRUE(Until([&] { return line_.health().where == "hci1 passive"; }));
  EXPECT_EQ(line_.closed, 0);
  // BlueZ tells that discovery ended before it tells that the power is off.
  EXPECT_TRUE(Until([&] { return line_.health().hint.find("Bluetooth is off (hci0)") != std::string::npos; }));
}

TEST_F(Bluetooth, ANamedAdapterOnly) {
  options_.adapters = {"00:11:22:33:44:66"};
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(line_.reason, "the adapter 00:11:22:33:44:66 is not there");
  bluez_.Do("adapter hci1 00:11:22:33:44:66");
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(line_.health().where, "hci1 discovery");
}

TEST_F(Bluetooth, NoPermissionIsSaidWithItsRemedy) {
  bluez_.Do("adapter hci0 00:11:22:33:44:55 denied");
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed > 0; }));
  EXPECT_EQ(line_.reason, "hci0: listening is not permitted");
  EXPECT_THAT(line_.health().hint, HasSubstr("group bluetooth"));
}

TEST_F(Bluetooth, NoBusAtFirstAndTheBusLostLater) {
  bluez_.End();
  bus_.Stop();
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed > 0; }));
  EXPECT_THAT(line_.reason, HasSubstr("no connection to the system's D-Bus"));
  for (int i = 1; i <= 2; ++i) {
    bus_.Start();
    bluez_.Start();
    bluez_.Do("adapter hci0 00:11:22:33:44:55");
    ASSERT_TRUE(Until([&] { return line_.opened == i; }));
    EXPECT_TRUE(Hears(kOne));
    line_.events.clear();
    bluez_.End();
    bus_.Stop();
    ASSERT_TRUE(Until([&] { return !line_.events.empty(); }));
  }
}

TEST_F(Bluetooth, TheRadioSwitchIsTold) {
  const std::string folder = testing::TempDir() + "/vesta-rfkill";
  std::filesystem::create_directories(folder + "/rfkill0");
  std::ofstream(folder + "/rfkill0/type") << "bluetooth\n";
  std::ofstream(folder + "/rfkill0/soft") << "1\n";
  std::ofstream(folder + "/rfkill0/hard") << "0\n";
  options_.rfkill = folder;
  bluez_.Do("adapter hci0 00:11:22:33:44:55 off");
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_EQ(line_.health().hint, "turn it on: `rfkill unblock bluetooth`");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vesta::hub
