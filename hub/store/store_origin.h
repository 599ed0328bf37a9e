// Which data folder a store is: a number drawn by lot when it is first asked for, and kept in the store since. A copy
// of the folder has it too. Who keeps the history in a second place tells by it whose numbers these are.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "hub/store/store.h"

namespace vesta::hub {

// path: of vesta.db, which may be open elsewhere.
tl::expected<std::string, StoreError> OriginOfStore(const std::string& path);

// Makes a store that has none yet a part of the same history as another one. An error when it is that of another
// folder.
tl::expected<void, StoreError> TakeOriginOf(const std::string& origin, const std::string& path);

}  // namespace vesta::hub
