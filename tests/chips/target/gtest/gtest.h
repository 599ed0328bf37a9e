// As much of GoogleTest as the unit tests of the portable rooms use, for a chip without an operating system: the tests
// are compiled as they are. A check that fails names its place; EXPECT goes on, ASSERT leaves its test.
#pragma once

#include <string>

namespace testing {

class Test {
 public:
  virtual ~Test() = default;
  void Run() { TestBody(); }

 protected:
  // For the report of the host's run.
  template <typename T>
  void RecordProperty(const char*, const T&) {}

 private:
  virtual void TestBody() = 0;
};

struct Registered {
  const char* suite;
  const char* name;
  Test* (*make)();
  Registered* next;
};

// Adds the test to the list; always true.
bool Register(Registered* test);

// Notes that the running test has failed. What is streamed into it is for people at a larger screen.
class Failure {
 public:
  Failure(const char* file, int line, const char* what);
  template <typename T>
  const Failure& operator<<(const T&) const {
    return *this;
  }
};

// Lets `return` swallow a failure.
struct Leave {
  void operator=(const Failure&) const {}
};

template <typename A, typename B>
bool IsEqual(const A& a, const B& b) {
  return a == b;
}
template <typename A, typename B>
bool IsUnequal(const A& a, const B& b) {
  return a != b;
}
template <typename A, typename B>
bool IsLess(const A& a, const B& b) {
  return a < b;
}

}  // namespace testing

#define VESTA_TEST(suite, name, fixture)                                                                       \
  class suite##_##name final : public fixture {                                                                \
    void TestBody() override;                                                                                  \
  };                                                                                                           \
  static ::testing::Registered suite##_##name##_entry = {                                                      \
      #suite, #name, []() -> ::testing::Test* { return new suite##_##name; }, nullptr};                        \
  [[maybe_unused]] static const bool suite##_##name##_is_known = ::testing::Register(&suite##_##name##_entry); \
  void suite##_##name::TestBody()
#define TEST(suite, name) VESTA_TEST(suite, name, ::testing::Test)
#define TEST_F(fixture, name) VESTA_TEST(fixture, name, fixture)

#define VESTA_FAILS_UNLESS(ok, what, leave) \
  switch (0)                                \
  case 0:                                   \
  default:                                  \
    if (ok)                                 \
      ;                                     \
    else                                    \
      leave ::testing::Failure(__FILE__, __LINE__, what)

#define EXPECT_TRUE(x) VESTA_FAILS_UNLESS((x), #x, )
#define EXPECT_FALSE(x) VESTA_FAILS_UNLESS(!(x), "not " #x, )
#define EXPECT_EQ(a, b) VESTA_FAILS_UNLESS(::testing::IsEqual(a, b), #a " == " #b, )
#define EXPECT_NE(a, b) VESTA_FAILS_UNLESS(::testing::IsUnequal(a, b), #a " != " #b, )
#define EXPECT_LT(a, b) VESTA_FAILS_UNLESS(::testing::IsLess(a, b), #a " < " #b, )
#define EXPECT_GT(a, b) VESTA_FAILS_UNLESS(::testing::IsLess(b, a), #a " > " #b, )
#define EXPECT_LE(a, b) VESTA_FAILS_UNLESS(!::testing::IsLess(b, a), #a " <= " #b, )
#define EXPECT_GE(a, b) VESTA_FAILS_UNLESS(!::testing::IsLess(a, b), #a " >= " #b, )
#define ASSERT_TRUE(x) VESTA_FAILS_UNLESS((x), #x, return ::testing::Leave() =)
#define ASSERT_FALSE(x) VESTA_FAILS_UNLESS(!(x), "not " #x, return ::testing::Leave() =)
#define ASSERT_EQ(a, b) VESTA_FAILS_UNLESS(::testing::IsEqual(a, b), #a " == " #b, return ::testing::Leave() =)
#define ASSERT_NE(a, b) VESTA_FAILS_UNLESS(::testing::IsUnequal(a, b), #a " != " #b, return ::testing::Leave() =)
#define ASSERT_GE(a, b) VESTA_FAILS_UNLESS(!::testing::IsLess(a, b), #a " >= " #b, return ::testing::Leave() =)
#define ASSERT_GT(a, b) VESTA_FAILS_UNLESS(::testing::IsLess(b, a), #a " > " #b, return ::testing::Leave() =)
#define ASSERT_LT(a, b) VESTA_FAILS_UNLESS(::testing::IsLess(a, b), #a " < " #b, return ::testing::Leave() =)
#define ASSERT_LE(a, b) VESTA_FAILS_UNLESS(!::testing::IsLess(b, a), #a " <= " #b, return ::testing::Leave() =)
