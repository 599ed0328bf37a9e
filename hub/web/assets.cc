#include "hub/web/assets.h"

namespace vesta::hub {

__attribute__((weak)) std::span<const Asset> DashboardAssets() { return {}; }

}  // namespace vesta::hub
