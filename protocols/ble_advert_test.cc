#include "protocols/ble_advert.h"

#include <gtest/gtest.h>

#include <vector>

namespace vesta::ble {
namespace {

const std::vector<uint8_t> kData = {0x02, 0x01, 0x06, 0x05, 0xFF, 0xE1, 0x02, 0x10, 0x00, 0x03, 0x09, 'M', 'P'};

TEST(BleAdvert, IsReadAsItWasWritten) {
  Advert advert;
  advert.address = 0xC0FFEE112233;
  advert.address_is_random = true;
  advert.rssi_dbm = -61;
  advert.scanner = 3;
  advert.data = kData;
  uint8_t bytes[kMaxAdvertSize];
  const size_t size = WriteAdvert(advert, bytes);
  ASSERT_EQ(size, kAdvertHeaderSize + kData.size());
  EXPECT_EQ(bytes[1], 0xC0);
  EXPECT_EQ(bytes[6], 0x33);
  const auto read = ReadAdvert({bytes, size});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, 0xC0FFEE112233u);
  EXPECT_TRUE(read->address_is_random);
  EXPECT_EQ(read->rssi_dbm, -61);
  EXPECT_EQ(read->scanner, 3);
  EXPECT_EQ(std::vector<uint8_t>(read->data.begin(), read->data.end()), kData);
}

TEST(BleAdvert, RefusesWhatIsShortLongOrOfAnotherVersion) {
  uint8_t bytes[kMaxAdvertSize + 1] = {kAdvertVersion};
  EXPECT_FALSE(ReadAdvert({}));
  EXPECT_FALSE(ReadAdvert({bytes, kAdvertHeaderSize - 1}));
  EXPECT_TRUE(ReadAdvert({bytes, kAdvertHeaderSize}));
  EXPECT_TRUE(ReadAdvert({bytes, kMaxAdvertSize}));
  EXPECT_FALSE(ReadAdvert({bytes, kMaxAdvertSize + 1}));
  bytes[0] = 2;
  EXPECT_FALSE(ReadAdvert({bytes, kAdvertHeaderSize}));
}

TEST(BleAdvert, IsNotWrittenWhereItDoesNotFit) {
  Advert advert;
  advert.data = kData;
  uint8_t bytes[kAdvertHeaderSize + 4];
  EXPECT_EQ(WriteAdvert(advert, bytes), 0u);
  const std::vector<uint8_t> long_data(kMaxAdvertData + 1);
  advert.data = long_data;
  std::vector<uint8_t> room(1000);
  EXPECT_EQ(WriteAdvert(advert, room), 0u);
}

TEST(BleElements, AreFoundByCompanyAndKind) {
  const auto found = FindManufacturerData(kData, 0x02E1);
  ASSERT_TRUE(found);
  EXPECT_EQ(std::vector<uint8_t>(found->begin(), found->end()), (std::vector<uint8_t>{0x10, 0x00}));
  EXPECT_FALSE(FindManufacturerData(kData, 0x004C));
  const Bytes name = FindName(kData);
  EXPECT_EQ(std::string(name.begin(), name.end()), "MP");
}

TEST(BleElements, EndAtTheFirstThatOverruns) {
  const std::vector<uint8_t> overrun = {0x02, 0x01, 0x06, 0x1F, 0xFF, 0xE1, 0x02, 0x02};
  EXPECT_FALSE(FindManufacturerData(overrun, 0x02E1));
  Elements elements(overrun);
  uint8_t type = 0;
  Bytes content;
  EXPECT_TRUE(elements.Next(&type, &content));
  EXPECT_FALSE(elements.Next(&type, &content));
  EXPECT_TRUE(elements.is_malformed());
  const std::vector<uint8_t> padded = {0x02, 0x01, 0x06, 0x00, 0x00, 0x00};
  Elements well(padded);
  EXPECT_TRUE(well.Next(&type, &content));
  EXPECT_FALSE(well.Next(&type, &content));
  EXPECT_FALSE(well.is_malformed());
}

}  // namespace
}  // namespace vesta::ble
