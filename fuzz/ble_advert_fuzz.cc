// Any bytes as an advert datagram: what is read is a view into it, and writing it again gives the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "protocols/ble_advert.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsWithin(vesta::ble::Bytes part, vesta::ble::Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto advert = vesta::ble::ReadAdvert({data, size});
  if (!advert) return 0;
  Require(size <= vesta::ble::kMaxAdvertSize);
  vesta::ble::Elements elements(advert->data);
  uint8_t type = 0;
  vesta::ble::Bytes content;
  size_t total = 0;
  while (elements.Next(&type, &content)) {
    Require(IsWithin(content, advert->data));
    total += content.size() + 2;
  }
  Require(total <= advert->data.size());
  Require(IsWithin(vesta::ble::FindName(advert->data), advert->data));
  if (const auto found = vesta::ble::FindManufacturerData(advert->data, 0x02E1))
    Require(IsWithin(*found, advert->data));
  uint8_t again[vesta::ble::kMaxAdvertSize];
  Require(vesta::ble::WriteAdvert(*advert, again) == size);
  again[7] = data[7];  // any non-zero type is read as random and written as 1
  Require(std::memcmp(again, data, size) == 0);
  return 0;
}
