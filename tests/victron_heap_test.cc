// A Victron session takes its memory when it is made: once a device and its keys are known, nothing is allocated or
// freed while it works. Neither by operator new nor by malloc, which the cipher library uses.
#include <gtest/gtest.h>
#include <malloc.h>

#include <vector>

#include "protocols/victron/session.h"
#include "simulators/victron_boat.h"
#include "tests/counting_heap.h"

namespace vesta::victron {
namespace {

using simulators::BoatDevice;
using simulators::VictronBoat;

class Nobody : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override { readings += frame.readings.size(); }
  uint64_t readings = 0;
};

TEST(VictronSession, AllocatesNothingOnceItIsMade) {
  VictronBoat boat({});
  std::vector<simulators::SimulatedAdvert> adverts;
  for (int i = 0; i < 3000; ++i) adverts.push_back(boat.NextAdvert());
  KeyRing ring;
  for (size_t i = 0; i < static_cast<size_t>(BoatDevice::kCount); ++i) {
    const auto device = static_cast<BoatDevice>(i);
    ring.SetKey(VictronBoat::AddressOf(device), VictronBoat::KeyOf(device));
  }
  ring.SetNetwork(VictronBoat::kNetwork, VictronBoat::NetworkKey());
  BleSession session(&ring);
  Nobody nobody;
  const auto feed = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      Now now;
      now.monotonic_us = now.utc_us = adverts[i].at_us;
      session.Receive(adverts[i].datagram, now, nobody);
    }
  };
  // A new network key is set up inside the cipher library, which takes a little memory for it.
  feed(0, 100);
  const uint64_t before = g_allocations;
  const size_t in_use = mallinfo2().uordblks;
  feed(100, adverts.size());
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(mallinfo2().uordblks, in_use);
  EXPECT_GT(nobody.readings, 5000u);
}

}  // namespace
}  // namespace vesta::victron
