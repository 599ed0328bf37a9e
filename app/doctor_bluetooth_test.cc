#include "app/doctor_bluetooth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "hub/sources/bluetooth/testing/private_bus.h"

namespace vesta::app {
namespace {

using testing::Contains;
using testing::HasSubstr;

class DoctorBluetooth : public testing::Test {
 protected:
  DoctorBluetooth() {
    bus_.Start();
    options_.rfkill = "/nonexistent";
  }
  hub::PrivateBus bus_;
  hub::FakeBluez bluez_;
  hub::ScanOptions options_;
};

TEST_F(DoctorBluetooth, TellsWhoIsHeardHowStrongAndWhatIsMissing) {
  bluez_.Start();
  bluez_.Do("adapter hci0 00:11:22:33:44:55");
  bluez_.Do("adapter hci1 00:11:22:33:44:66 off");
  std::thread air([this] {
    bluez_.Told();  // it listens now
    bluez_.Do("advert hci0 C0:FF:EE:11:22:33 -61 02e1 100242a0016207adceb37b605d7e0ee21b24df5c");
    bluez_.Do("advert hci0 C0:FF:EE:11:22:33 -62 02e1 100242a0016307adceb37b605d7e0ee21b24df5d");
    bluez_.Do("advert hci0 C0:FF:EE:11:22:34 -90 02e1 100242a0");
    bluez_.Do("advert hci0 11:22:33:44:55:66 -40 004c 1005");
  });
  const PatientReport report = ExamineBluetooth(options_, 2);
  air.join();
  EXPECT_TRUE(report.well);
  EXPECT_THAT(report.findings, Contains("hci0 (00:11:22:33:44:55) listens by discovery"));
  EXPECT_THAT(report.findings, Contains(HasSubstr("Bluetooth is off (hci1)")));
  EXPECT_THAT(report.findings, Contains("2 Victron devices heard in 2 s, and 1 adverts of other makers"));
  EXPECT_THAT(report.findings, Contains(testing::AllOf(HasSubstr("(c0:ff:ee:11:22:33): -62 dBm (good), every"),
                                                       HasSubstr("needs its key"))));
  EXPECT_THAT(report.findings,
              Contains(testing::AllOf(HasSubstr("c0:ff:ee:11:22:34"), HasSubstr("-90 dBm (weak), once"),
                                      HasSubstr("switch on Instant readout"))));
}

TEST_F(DoctorBluetooth, WithoutBluetoothdItSaysSoAtOnce) {
  const PatientReport report = ExamineBluetooth(options_, 60);
  EXPECT_FALSE(report.well);
  EXPECT_EQ(report.error, "bluetoothd is not running");
  EXPECT_THAT(report.hint, HasSubstr("systemctl"));
}

TEST_F(DoctorBluetooth, WithoutABusItSaysSoAtOnce) {
  bus_.Stop();
  const PatientReport report = ExamineBluetooth(options_, 60);
  EXPECT_FALSE(report.well);
  EXPECT_THAT(report.error, HasSubstr("D-Bus"));
}

}  // namespace
}  // namespace vesta::app
