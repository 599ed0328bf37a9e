// The lx106's floating point and division in software, against this machine's own.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

extern "C" {
uint32_t chip__udivsi3(uint32_t a, uint32_t b);
uint32_t chip__umodsi3(uint32_t a, uint32_t b);
int32_t chip__divsi3(int32_t a, int32_t b);
uint64_t chip__umulsidi3(uint32_t a, uint32_t b);
uint64_t chip__muldi3(uint64_t a, uint64_t b);
double chip__adddf3(double a, double b);
double chip__subdf3(double a, double b);
double chip__muldf3(double a, double b);
double chip__divdf3(double a, double b);
float chip__addsf3(float a, float b);
float chip__subsf3(float a, float b);
float chip__mulsf3(float a, float b);
double chip__extendsfdf2(float a);
float chip__truncdfsf2(double a);
double chip__floatsidf(int32_t a);
double chip__floatunsidf(uint32_t a);
float chip__floatsisf(int32_t a);
float chip__floatunsisf(uint32_t a);
int32_t chip__fixdfsi(double a);
uint32_t chip__fixunsdfsi(double a);
uint32_t chip__fixunssfsi(float a);
}

namespace {

constexpr int kRounds = 200'000;

// Any NaN is as good as another.
uint64_t Same(double x) { return std::isnan(x) ? 1 : std::bit_cast<uint64_t>(x); }
uint32_t Same(float x) { return std::isnan(x) ? 1 : std::bit_cast<uint32_t>(x); }

class Draw {
 public:
  uint64_t Bits() { return random_(); }
  // All bits anyhow, or an exponent near that of others, or one of the edges.
  double Double() {
    const uint64_t bits = random_();
    switch (random_() % 4) {
      case 0:
        return std::bit_cast<double>(bits);
      case 1:
        return std::bit_cast<double>((bits & ~(uint64_t{0x7FF} << 52)) | ((0x3FE + random_() % 4) << 52));
      case 2:
        return std::bit_cast<double>((bits & ~(uint64_t{0x7FF} << 52)) | ((random_() % 3) << 52));
      default:
        return kEdges[random_() % kEdges.size()];
    }
  }
  float Float() {
    const auto bits = static_cast<uint32_t>(random_());
    if (random_() % 3 == 0) return static_cast<float>(kEdges[random_() % kEdges.size()]);
    if (random_() % 2 == 0) return std::bit_cast<float>(bits);
    return std::bit_cast<float>((bits & 0x807FFFFF) | static_cast<uint32_t>((random_() % 4 + 0x7E) << 23));
  }

 private:
  using Limits = std::numeric_limits<double>;
  static constexpr std::array<double, 16> kEdges = {0.0,
                                                    -0.0,
                                                    1,
                                                    -1,
                                                    0.1,
                                                    1.5,
                                                    1e22,
                                                    1e-300,
                                                    4294967295.5,
                                                    Limits::infinity(),
                                                    -Limits::infinity(),
                                                    Limits::quiet_NaN(),
                                                    Limits::max(),
                                                    Limits::min(),
                                                    Limits::denorm_min(),
                                                    16777217};
  std::mt19937_64 random_{20240229};
};

TEST(Lx106Arithmetic, DoublesAreThoseOfThisMachine) {
  Draw draw;
  for (int i = 0; i < kRounds; ++i) {
    const double a = draw.Double();
    const double b = draw.Double();
    ASSERT_EQ(Same(chip__adddf3(a, b)), Same(a + b)) << a << " + " << b;
    ASSERT_EQ(Same(chip__subdf3(a, b)), Same(a - b)) << a << " - " << b;
    ASSERT_EQ(Same(chip__muldf3(a, b)), Same(a * b)) << a << " * " << b;
    ASSERT_EQ(Same(chip__divdf3(a, b)), Same(a / b)) << a << " / " << b;
    ASSERT_EQ(Same(chip__truncdfsf2(a)), Same(static_cast<float>(a))) << a;
    if (a > -2147483648.0 && a < 2147483647.0) {
      ASSERT_EQ(chip__fixdfsi(a), static_cast<int32_t>(a)) << a;
    }
    if (a > -1 && a < 4294967296.0) {
      ASSERT_EQ(chip__fixunsdfsi(a), static_cast<uint32_t>(a)) << a;
    }
  }
}

TEST(Lx106Arithmetic, FloatsAreThoseOfThisMachine) {
  Draw draw;
  for (int i = 0; i < kRounds; ++i) {
    const float a = draw.Float();
    const float b = draw.Float();
    ASSERT_EQ(Same(chip__addsf3(a, b)), Same(a + b)) << a << " + " << b;
    ASSERT_EQ(Same(chip__subsf3(a, b)), Same(a - b)) << a << " - " << b;
    ASSERT_EQ(Same(chip__mulsf3(a, b)), Same(a * b)) << a << " * " << b;
    ASSERT_EQ(Same(chip__extendsfdf2(a)), Same(static_cast<double>(a))) << a;
    if (a > -1 && a < 4294967296.0F) {
      ASSERT_EQ(chip__fixunssfsi(a), static_cast<uint32_t>(a)) << a;
    }
  }
}

TEST(Lx106Arithmetic, WholeNumbersAreThoseOfThisMachine) {
  Draw draw;
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t a = draw.Bits();
    const uint64_t b = draw.Bits() >> (draw.Bits() % 64);
    const auto a32 = static_cast<uint32_t>(a);
    const auto b32 = static_cast<uint32_t>(b) | 1;
    ASSERT_EQ(chip__umulsidi3(a32, b32), uint64_t{a32} * b32);
    ASSERT_EQ(chip__muldi3(a, b), a * b);
    ASSERT_EQ(chip__udivsi3(a32, b32), a32 / b32);
    ASSERT_EQ(chip__umodsi3(a32, b32), a32 % b32);
    if (b32 != UINT32_MAX) {
      ASSERT_EQ(chip__divsi3(static_cast<int32_t>(a32), static_cast<int32_t>(b32)),
                static_cast<int32_t>(a32) / static_cast<int32_t>(b32));
    }
    ASSERT_EQ(Same(chip__floatsidf(static_cast<int32_t>(a32))), Same(static_cast<double>(static_cast<int32_t>(a32))));
    ASSERT_EQ(Same(chip__floatunsidf(a32)), Same(static_cast<double>(a32)));
    ASSERT_EQ(Same(chip__floatsisf(static_cast<int32_t>(a32))), Same(static_cast<float>(static_cast<int32_t>(a32))));
    ASSERT_EQ(Same(chip__floatunsisf(a32)), Same(static_cast<float>(a32)));
  }
}

}  // namespace
