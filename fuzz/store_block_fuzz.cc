// A block of history: whatever the bytes, the reader answers and stays within bounds. The checksums are made right, so
// that the decoders behind them are reached.
#include <cstring>
#include <string>

#include "hub/store/block.h"
#include "hub/store/rollup_part.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesta::hub;
  static Packer packer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  BoxReader box;
  (void)box.Open(bytes);
  if (size < 8) return 0;
  // Cut in two: arrivals and a series' part, with counts out of the input.
  const size_t cut = 8 + static_cast<size_t>(data[0]) * (size - 8) / 256;
  const auto part = [&](uint64_t owner, std::string_view from, uint64_t items) {
    PartEntry entry;
    entry.owner = owner;
    entry.items = items;
    entry.bytes = from;
    entry.size = entry.stored = from.size();
    entry.crc = Crc32(from);
    return entry;
  };
  BoxWriter writer;
  writer.AddStored(part(0, bytes.substr(8, cut - 8), data[1]));
  writer.AddStored(part(1, bytes.substr(cut), data[2]));
  const std::string made = writer.Finish();
  if (!box.Open(made)) __builtin_trap();
  std::vector<Arrival> arrivals;
  if (!ReadArrivals(box, &packer, &arrivals)) arrivals.assign(3, {});
  SeriesPart series;
  (void)series.Read(*box.Find(1), arrivals, &packer);
  std::vector<RollupBucket> buckets;
  (void)ReadBuckets(*box.Find(1), &packer, &buckets);
  return 0;
}
