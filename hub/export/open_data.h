// A data folder opened to be read, beside a running hub or without one.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/store/store.h"

namespace vesta::hub {

struct OpenedData {
  std::vector<Device> devices;
  std::vector<Series> series;
  std::unique_ptr<StoreReader> reader;
};

// folder: the one with vesta.db. Nothing is written.
tl::expected<OpenedData, std::string> OpenDataFolder(const std::string& folder);

}  // namespace vesta::hub
