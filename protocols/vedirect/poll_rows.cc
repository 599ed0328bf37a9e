#include "protocols/vedirect/poll_rows.h"

#include <algorithm>
#include <iterator>

#include "protocols/victron/registers.h"

namespace vesta::vedirect {
namespace {

// The slow ones hardly ever change.
constexpr PollRow kPollRows[] = {
    {0x010A, true},  {0x0100, true},  {0x010B, true},  {0x0102, true},  {0x010C, true},  {0x1000, true},
    {0xEDF0, true},  {0xEDF4, true},  {0xEDF6, true},  {0xEDF7, true},  {0xEDEF, true},  {0xEDDD, true},
    {0xEEF8, true},  {0x1040, true},  {0x1041, true},  {0x104F, true},  {0x1050, false}, {0x0120, false},
    {0x0201, false}, {0x0207, false}, {0x0FFF, false}, {0x2001, false}, {0x2002, false}, {0x2003, false},
    {0x200A, false}, {0x200E, false}, {0x200F, false}, {0x2013, false}, {0x2027, false}, {0x2030, false},
    {0x2100, false}, {0x2204, false}, {0x2205, false}, {0x2208, false}, {0x2234, false}, {0xECCB, false},
    {0xECCC, false}, {0xECCD, false}, {0xECDB, false}, {0xECDC, false}, {0xECDD, false}, {0xECEB, false},
    {0xECEC, false}, {0xECED, false}, {0xECFB, false}, {0xECFC, false}, {0xECFD, false}, {0xED8C, false},
    {0xED8D, false}, {0xED91, false}, {0xEDA9, false}, {0xEDB3, false}, {0xEDBB, false}, {0xEDBC, false},
    {0xEDBD, false}, {0xEDD3, false}, {0xEDD4, false}, {0xEDD5, false}, {0xEDD7, false}, {0xEDDA, false},
    {0xEDDB, false}, {0xEDDC, false}, {0xEDEC, false}, {0xEE16, false},
};
static_assert(std::size(kPollRows) <= kMaxPollRows);

// Records and lists, which the shared table has no rows for.
struct RegisterRange {
  uint16_t first;
  uint16_t last;
};
constexpr RegisterRange kRecords[] = {
    {0x104F, 0x106E}, {0x10A0, 0x10BE}, {0xEC20, 0xEC2F}, {0xEC31, 0xEC3D}, {0xEDA0, 0xEDA5},
};

constexpr uint16_t kSecrets[] = {0xEC12, 0xEC13, 0xEC65};

}  // namespace

std::span<const PollRow> PollRows() { return kPollRows; }

bool IsKnownRegister(uint16_t reg) {
  if (victron::FindRegister(reg) != nullptr || IsSecretRegister(reg)) return true;
  return std::any_of(std::begin(kRecords), std::end(kRecords),
                     [reg](const RegisterRange& range) { return reg >= range.first && reg <= range.last; });
}

bool IsSecretRegister(uint16_t reg) {
  return std::find(std::begin(kSecrets), std::end(kSecrets), reg) != std::end(kSecrets);
}

}  // namespace vesta::vedirect
