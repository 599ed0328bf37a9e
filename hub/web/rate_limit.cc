#include "hub/web/rate_limit.h"

#include <algorithm>
#include <cmath>

#include "hub/web/wire.h"

namespace vesta::hub {

void LoginLimiter::Refill(Bucket* bucket, double most, int64_t each_us, int64_t now_us) {
  const double gained = static_cast<double>(now_us - bucket->filled_us) / static_cast<double>(each_us);
  bucket->tries = std::min(most, bucket->tries + std::max(0.0, gained));
  bucket->filled_us = now_us;
}

int64_t LoginLimiter::Take(const std::string& address, int64_t now_us) {
  const std::string key = NetworkOf(address);
  auto found = addresses_.find(key);
  if (found == addresses_.end()) {
    if (addresses_.size() >= kMaxLoginAddresses) {
      addresses_.erase(std::min_element(addresses_.begin(), addresses_.end(), [](const auto& a, const auto& b) {
        return a.second.filled_us < b.second.filled_us;
      }));
    }
    found = addresses_.emplace(key, Bucket{kLoginTriesPerAddress, now_us}).first;
  }
  Bucket& own = found->second;
  Refill(&own, kLoginTriesPerAddress, kLoginRefillPerAddress_us, now_us);
  Refill(&all_, kLoginTriesAll, kLoginRefillAll_us, now_us);
  const auto wait = [](const Bucket& bucket, int64_t each_us) {
    return bucket.tries >= 1 ? 0 : static_cast<int64_t>(std::ceil((1 - bucket.tries) * static_cast<double>(each_us)));
  };
  const int64_t wait_us = std::max(wait(own, kLoginRefillPerAddress_us), wait(all_, kLoginRefillAll_us));
  if (wait_us > 0) return wait_us;
  own.tries -= 1;
  all_.tries -= 1;
  return 0;
}

void LoginLimiter::Succeeded(const std::string& address) {
  addresses_.erase(NetworkOf(address));
  all_.tries = std::min(kLoginTriesAll, all_.tries + 1);
}

}  // namespace vesta::hub
