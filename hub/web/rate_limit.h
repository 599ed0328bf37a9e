// Slows down whoever guesses passwords: so many tries at once, then one now and then, per address and for all together.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/time.h"

namespace vesta::hub {

// A person mistypes a few times; a machine that guesses gets 120 tries an hour from one address, 1,200 from all.
inline constexpr double kLoginTriesPerAddress = 5;
inline constexpr int64_t kLoginRefillPerAddress_us = 30 * kUsPerSecond;
inline constexpr double kLoginTriesAll = 20;
inline constexpr int64_t kLoginRefillAll_us = 3 * kUsPerSecond;
// Addresses kept. When full the one that has been quiet longest goes: it has the most tries back.
inline constexpr size_t kMaxLoginAddresses = 256;

class LoginLimiter {
 public:
  // Takes one try. 0: go ahead; else how long to wait, and no try was taken.
  int64_t Take(const std::string& address, int64_t now_us);
  // The login was right: the address has all its tries again, and the try that it took from all is given back.
  void Succeeded(const std::string& address);

  size_t size() const { return addresses_.size(); }

 private:
  struct Bucket {
    double tries;
    int64_t filled_us;
  };
  static void Refill(Bucket* bucket, double most, int64_t each_us, int64_t now_us);

  std::map<std::string, Bucket> addresses_;  // by NetworkOf
  Bucket all_ = {kLoginTriesAll, 0};
};

}  // namespace vesta::hub
